#!/usr/bin/env bash
# run_notebooks.sh [BUILD_FOLDER]: runs the notebooks with the module in BUILD_FOLDER (default build/release) and the model that comes along; an
# error in a cell fails. What they give, as notebooks and as pages, lies in build/notebooks.
set -euo pipefail
root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
# shellcheck source=say.sh
. "$root/scripts/say.sh"
folder="$(readlink -m "${1:-$root/build/release}")"
[ -e "$folder/python/fresco/__init__.py" ] || die "$folder: the Python module is not built there"

venv="$root/build/notebooks/venv"
wanted="$root/notebooks/requirements.txt"
if ! cmp -s "$wanted" "$venv/requirements.txt"; then
  say "setting up what runs notebooks (about 200 MB) in build/notebooks/venv"
  rm -rf "$venv"
  # The interpreter that the module was built for.
  "$(sed -n 's/^Python_EXECUTABLE:.*=//p' "$folder/CMakeCache.txt")" -m venv "$venv"
  "$venv/bin/python" -m pip --disable-pip-version-check --quiet install -r "$wanted"
  cp "$wanted" "$venv/requirements.txt"
fi
# torch: the one that fresco is built with.
torch="${FRESCO_TORCH_DIR:-$(compgen -G "$root/.deps/torch/lib/python3*/site-packages/torch")}"
export PYTHONPATH="$folder/python:${torch%/torch}"
exec "$venv/bin/python" "$root/tests/notebooks/run_notebooks.py" --out "$root/build/notebooks"
