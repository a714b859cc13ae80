#!/bin/sh
# Prove that a fresh Debian 12 with nothing but Python 3.11, make and a network passes `make demo` and `make test`.
#
#     sh scripts/test_fresh.sh [FOLDER [TARGET…]]
#
# As root, with debootstrap. FOLDER gets the system and stays when something fails; without one a folder below /var/tmp
# that is removed at the end. TARGETs are make's, `demo test` by default, as `"test T=tests/unit"`. What is committed is what is tried.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" -eq 0 ] || { echo "only root can make a system: sudo make test-fresh" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "apt-get install debootstrap" >&2; exit 1; }
if [ $# -gt 0 ]; then
    system=$1
    shift
else
    system=$(mktemp -d /var/tmp/sirena-fresh-XXXXXX)
    trap 'rm -rf "$system"' EXIT
fi
[ $# -gt 0 ] || set -- demo test

if [ ! -d "$system/etc" ]; then
    sh "$here/deploy/base_image.sh" "$system" >/dev/null
    cp /etc/resolv.conf /etc/hosts "$system/etc/"
    # nothing is started as its package is installed: there is no init
    printf '#!/bin/sh\nexit 101\n' >"$system/usr/sbin/policy-rc.d"
    chmod 755 "$system" "$system/usr/sbin/policy-rc.d"
fi
rm -rf "$system/srv/sirena"
git clone --quiet --no-hardlinks "$here" "$system/srv/sirena"

# a root that is a mount, as systemd needs it, in a namespace of its own, so that mounts and processes end with it;
# of this machine's settings only its proxies come along
# shellcheck disable=SC2016  # expanded inside
exec_inside='
    mount --bind "$0" "$0" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" && mount -t proc proc "$0/proc" || exit 1
    exec chroot "$0" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        ${no_proxy:+no_proxy="$no_proxy"} \
        sh -euc "$1" sh "$@"
'
inside='
    shift
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends make python3.11 python3.11-venv >/dev/null
    cd /srv/sirena
    for target; do
        echo "== make $target"
        date -u +%H:%M:%S
        # shellcheck disable=SC2086  # a target may bring a setting: "test T=tests/unit"
        make $target
    done
    date -u +%H:%M:%S
'
unshare --mount --pid --fork --kill-child sh -c "$exec_inside" "$system" "$inside" "$@"
