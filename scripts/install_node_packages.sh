#!/usr/bin/env bash
# Install what tests need of Node, as the lock in a folder of tests says, and print where it lies:
# oidc_provider (the provider of single sign-on) or axe (the examiner of accessibility).
# Node and npm are needed (Node 20 or newer). Again is quick: a folder installed from the same lock is kept.
set -euo pipefail
name="${1:?name a folder of tests: oidc_provider or axe}"
source="$(cd "$(dirname "$0")/.." && pwd)/tests/$name"
command -v npm >/dev/null || { echo "npm is missing: install Node 20 or newer with npm" >&2; exit 1; }
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || { echo "Node 20 or newer is needed" >&2; exit 1; }
digest="$(sha256sum "$source/package-lock.json" | cut -c 1-16)"
folder="${XDG_CACHE_HOME:-$HOME/.cache}/sirena-tests/${name/_/-}-$digest"
if [ ! -d "$folder" ]; then
  mkdir -p "$(dirname "$folder")"
  beside="$(mktemp -d "$folder.XXXXXX")"
  trap 'rm -rf "$beside"' EXIT
  cp "$source/package.json" "$source/package-lock.json" "$beside"
  npm ci --prefix "$beside" --silent --no-audit --no-fund --ignore-scripts >&2
  # of two that install at the same time the second finds the folder there
  mv -T "$beside" "$folder" 2>/dev/null || [ -d "$folder" ]
fi
echo "$folder"
