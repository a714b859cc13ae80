#!/usr/bin/env bash
# Install the Debian packages that the tests need and that are missing: Python, and the real servers they start.
#
#     bash scripts/install_debian_packages.sh [PACKAGE…]
#
# PACKAGEs are all of them by default.
set -euo pipefail
[ $# -gt 0 ] || set -- python3.11 python3.11-venv make curl openssl postgresql nginx logrotate chromium certbot pebble \
  ceph-mon ceph-osd radosgw ceph-common restic systemd prometheus libfaketime \
  libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
missing=()
for package; do
  if is_installed "$package"; then continue; fi
  # where Debian's Python is not, another that can make environments will do
  case $package in python3.11*) if ! is_installed python3.11 && python3.11 -c 'import ensurepip' 2>/dev/null; then continue; fi ;; esac
  missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0
root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "the tests need these Debian packages; as root: apt-get install ${missing[*]}"; exit 1; }
  root=(sudo)
fi
echo "installing for the tests: ${missing[*]}"
# of this package the tests run promtool alone; its server, masked, neither starts now nor with the machine
unit=/etc/systemd/system/prometheus.service
if [[ " ${missing[*]} " == *" prometheus "* ]] && [ ! -e "$unit" ]; then
  "${root[@]}" mkdir -p "${unit%/*}"
  "${root[@]}" ln -s /dev/null "$unit"
fi
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
