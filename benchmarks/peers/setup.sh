#!/usr/bin/env bash
# Makes .deps/peers: a virtual environment with diffusers, transformers, PyTorch and OpenVINO, to measure and compare
# with, matplotlib for plots, and tensorboard for a test. PyTorch itself is the one in .deps/torch when it is there:
# both sides then run the same oneDNN, MKL and OpenMP. From Python it also wants the CUDA libraries that its wheel asks
# for (2.5 GB to fetch), even on a CPU. Beside it .deps/peers-avx2: an OpenVINO held to AVX2.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
# shellcheck source=../../scripts/say.sh
. "$root/scripts/say.sh"

peers="$root/.deps/peers"
log="$root/.deps/peers.log"
imports() { "$1/bin/python" -c "$2" 2>/dev/null; } # FOLDER CODE
has_diffusers() { imports "$1" 'import torch, diffusers, transformers; assert diffusers.__version__ == "0.35.2"'; }
has_openvino() { imports "$1" 'import openvino; assert openvino.__version__.startswith("2026.4.1-")'; }
problem() { "$1/bin/python" -c "import $2" 2>&1 | tail -n 1; } # FOLDER MODULES
install() { # FOLDER ARGUMENTS...
  "$1/bin/python" -m pip --disable-pip-version-check install "${@:2}" >"$log" 2>&1 && return
  tail -n 5 "$log" >&2
  die "fetching failed (no network?); the whole text is in .deps/peers.log"
}
add_openvino() {
  say "fetching OpenVINO from PyPI (60 MB)"
  install "$1" --no-deps -r "$here/requirements_openvino.txt"
  has_openvino "$1" || die "OpenVINO does not start in $1: $(problem "$1" openvino)"
  rm -rf "$root/.deps/peers-avx2"
}

make_diffusers() {
  "$root/scripts/setup_torch.sh"
  local shared python=python3
  shared="$(compgen -G "$root/.deps/torch/lib/python3*/site-packages" || true)"
  # Modules of torch are for one version of Python: the one it was fetched with.
  if [ -n "$shared" ]; then python="$(readlink -f "$root/.deps/torch/bin/python")"; fi

  # Built beside its place and renamed, so that an interrupted download leaves nothing that looks finished.
  local unfinished="$root/.deps/peers.unfinished"
  rm -rf "$unfinished"
  mkdir -p "$root/.deps"
  say "fetching diffusers and what PyTorch needs from PyPI into .deps/peers (2.5 GB, 6 GB on disk)"
  "$python" -m venv "$unfinished"
  if [ -n "$shared" ]; then
    # Links rather than a .pth file: torch looks for its CUDA libraries beside itself, in this environment.
    local own part
    own="$(compgen -G "$unfinished/lib/python3*/site-packages")"
    for part in torch torchgen functorch torch-2.11.0.dist-info; do
      if [ -e "$shared/$part" ]; then ln -s "$shared/$part" "$own/$part"; fi
    done
  fi
  install "$unfinished" -r "$here/requirements.txt"
  has_diffusers "$unfinished" || die "diffusers does not start in $unfinished: $(problem "$unfinished" torch,diffusers)"
  rm -rf "$peers"
  mv "$unfinished" "$peers"
}

has_diffusers "$peers" || make_diffusers
imports "$peers" "import matplotlib" || install "$peers" matplotlib==3.11.2
imports "$peers" "import tensorboard" || install "$peers" tensorboard==2.21.0
has_openvino "$peers" || add_openvino "$peers"
if [ ! -d "$root/.deps/peers-avx2" ]; then
  "$peers/bin/python" "$here/openvino_avx2.py" "$root/.deps/peers-avx2" || die "no OpenVINO held to AVX2"
fi
rm -f "$log"
