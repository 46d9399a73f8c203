#!/usr/bin/env bash
# Builds the documentation as a site in build/site, to be read from the disk or served as it is; dead links fail.
# build_site.sh [arguments for mkdocs build]; the first time it fetches mkdocs from PyPI (160 MB on disk) into build/site-tools.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=say.sh
. "$root/scripts/say.sh"
tools="$root/build/site-tools"
wanted="$root/docs/site/requirements.txt"

if ! cmp -s "$wanted" "$tools/requirements.txt"; then
  say "fetching mkdocs from PyPI into build/site-tools"
  rm -rf "$tools"
  mkdir -p "$root/build"
  python3 -m venv "$tools" || die "no python3 with venv; as root run: apt-get install -y python3 python3-venv"
  if ! "$tools/bin/python" -m pip --disable-pip-version-check install --quiet --requirement "$wanted" >&2; then
    die "fetching mkdocs failed (no network?); run again when PyPI can be reached"
  fi
  cp "$wanted" "$tools/requirements.txt"
fi

cd "$root"
# The theme tells at each start of a successor; the versions are ours to change (docs/site/requirements.txt). Not --quiet,
# which would let warnings pass.
NO_MKDOCS_2_WARNING=1 "$tools/bin/python" -m mkdocs build --strict "$@"
say "built build/site; read build/site/index.html"
