#!/usr/bin/env bash
# Puts libtorch 2.11.0 (the libraries and headers inside PyTorch's wheel) into .deps/torch, unless it is there or FRESCO_TORCH_DIR names another.
# --no-deps: of the packages that the wheel asks for, its libraries need only CUDA's runtime and profiling interface, even on a CPU.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=say.sh
. "$root/scripts/say.sh"

requirements=('torch==2.11.0' 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-cupti==13.0.*')

if [ -n "${FRESCO_TORCH_DIR:-}" ]; then
  [ -e "$FRESCO_TORCH_DIR/include/ATen/ATen.h" ] || die "FRESCO_TORCH_DIR=$FRESCO_TORCH_DIR: expected a libtorch with include/ATen/ATen.h and lib/"
  exit 0
fi
# With FRESCO_CUDA=1 the libraries that libtorch_cuda needs come too; they go into the same place, now or later.
add_cuda_libraries() {
  if [ "${FRESCO_CUDA:-0}" != 1 ]; then return; fi
  if compgen -G "$root/.deps/torch/lib/python3*/site-packages/nvidia/cusparselt" >/dev/null; then return; fi
  say "fetching the CUDA libraries that libtorch needs from PyPI (2.5 GB, 4 GB on disk) into .deps/torch"
  if ! "$root/.deps/torch/bin/python" -m pip --disable-pip-version-check install "${requirements[0]}" >"$root/.deps/torch.log" 2>&1; then
    tail -n 5 "$root/.deps/torch.log" >&2
    die "fetching the CUDA libraries failed (no network?); run again when PyPI can be reached"
  fi
  rm -f "$root/.deps/torch.log"
}

if compgen -G "$root/.deps/torch/lib/python3*/site-packages/torch/lib/libtorch_cpu.so" >/dev/null; then
  add_cuda_libraries
  exit 0
fi

# Debian splits ensurepip off into python3-venv; another python3 that stands first in PATH may do without.
python=""
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
    python="$candidate"
    break
  fi
done
[ -n "$python" ] || die "no python3 with venv; as root run: apt-get install -y python3 python3-venv"

# Built beside its place and renamed, so that an interrupted download leaves nothing that looks finished.
unfinished="$root/.deps/torch.unfinished"
rm -rf "$unfinished" "$root/.deps/torch"
mkdir -p "$root/.deps"
say "fetching libtorch from PyPI (about 550 MB, 2 GB on disk) into .deps/torch"
"$python" -m venv "$unfinished"
log="$root/.deps/torch.log"
if ! "$unfinished/bin/python" -m pip --disable-pip-version-check install --no-deps "${requirements[@]}" >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  die "fetching libtorch failed (no network?); run ./fresco again when PyPI can be reached, or set FRESCO_TORCH_DIR to a libtorch 2.11.0"
fi
mv "$unfinished" "$root/.deps/torch"
rm -f "$log"
add_cuda_libraries
