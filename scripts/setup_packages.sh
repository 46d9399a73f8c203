#!/usr/bin/env bash
# setup_packages.sh LIST...: installs the Debian packages of the lists that are missing.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=say.sh
. "$here/say.sh"

mapfile -t wanted < <(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@")
if ! command -v dpkg-query >/dev/null; then
  say "this is no Debian system; the build needs what these packages hold: ${wanted[*]}"
  exit 0
fi

installed="$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)"
missing=()
for package in "${wanted[@]}"; do
  grep -q -x "ii  $package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
remedy="apt-get update && apt-get install -y ${missing[*]}"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  ask=(sudo -n)
  if [ -t 0 ] && [ -t 2 ]; then ask=(sudo); fi
  if ! command -v sudo >/dev/null || ! "${ask[@]}" true; then
    die "missing Debian packages and no right to install them; as root run: $remedy"
  fi
  as_root=("${ask[@]}")
fi

say "installing Debian packages: ${missing[*]}"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >>"$log" 2>&1 </dev/null; }
install() { apt install -y --no-install-recommends "${missing[@]}"; }
# The package lists may be absent (a fresh container) or too old; only then are they fetched.
if ! install; then
  if ! { apt update && install; }; then
    tail -n 15 "$log" >&2
    die "installing Debian packages failed (no network?); as root run: $remedy"
  fi
fi
