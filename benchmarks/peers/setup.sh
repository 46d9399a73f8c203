#!/usr/bin/env bash
# Makes .deps/peers: a virtual environment with diffusers, transformers and PyTorch, to measure and compare with. PyTorch itself is the
# one in .deps/torch when it is there: both sides then run the same oneDNN, MKL and OpenMP. From Python it also wants the CUDA libraries
# that its wheel asks for (2.5 GB to fetch), even on a CPU.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
# shellcheck source=../../scripts/say.sh
. "$root/scripts/say.sh"

peers="$root/.deps/peers"
works() { "$1/bin/python" -c 'import torch, diffusers, transformers; assert diffusers.__version__ == "0.35.2"' 2>/dev/null; }
if works "$peers"; then exit 0; fi

"$root/scripts/setup_torch.sh"
shared="$(compgen -G "$root/.deps/torch/lib/python3*/site-packages" || true)"
# Modules of torch are for one version of Python: the one it was fetched with.
python=python3
if [ -n "$shared" ]; then python="$(readlink -f "$root/.deps/torch/bin/python")"; fi

# Built beside its place and renamed, so that an interrupted download leaves nothing that looks finished.
unfinished="$root/.deps/peers.unfinished"
log="$root/.deps/peers.log"
rm -rf "$unfinished"
mkdir -p "$root/.deps"
say "fetching diffusers and what PyTorch needs from PyPI into .deps/peers (2.5 GB, 6 GB on disk)"
"$python" -m venv "$unfinished"
if [ -n "$shared" ]; then
  # Links rather than a .pth file: torch looks for its CUDA libraries beside itself, in this environment.
  own="$(compgen -G "$unfinished/lib/python3*/site-packages")"
  for part in torch torchgen functorch torch-2.11.0.dist-info; do
    if [ -e "$shared/$part" ]; then ln -s "$shared/$part" "$own/$part"; fi
  done
fi
if ! "$unfinished/bin/python" -m pip --disable-pip-version-check install -r "$here/requirements.txt" >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  die "fetching failed (no network?); the whole text is in .deps/peers.log"
fi
works "$unfinished" || die "diffusers does not start in $unfinished: $("$unfinished/bin/python" -c 'import torch, diffusers' 2>&1 | tail -n 1)"
rm -rf "$peers"
mv "$unfinished" "$peers"
rm -f "$log"
