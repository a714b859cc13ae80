#!/bin/sh
# Make a Debian base image where no registry can be reached: base_image.sh FOLDER | podman import - localhost/debian:bookworm
# The authorities this machine trusts go in, so that a hospital's proxy that re-signs TLS is trusted while the image is built.
set -eu
folder=$1
debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" >&2
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
cp /usr/local/share/ca-certificates/*.crt "$folder"/usr/local/share/ca-certificates/ 2>/dev/null || :
chroot "$folder" update-ca-certificates >&2
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' > "$folder"/etc/pip.conf
mkdir -p "$folder"/etc/uv
printf 'native-tls = true\n' > "$folder"/etc/uv/uv.toml
# debootstrap names the mirror it took; updates and security fixes come from beside it
mirror=$(awk '/^deb /{print $2; exit}' "$folder"/etc/apt/sources.list)
printf 'deb %s bookworm-updates main\ndeb %s-security bookworm-security main\n' "${mirror%/}" "${mirror%/}" \
    >> "$folder"/etc/apt/sources.list
tar -C "$folder" -c .
