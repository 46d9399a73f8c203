#!/usr/bin/env bash
# compare.sh [options of compare.py]: sets up diffusers and OpenVINO, builds fresco_bench, makes the full-size models
# that are missing (in build/bench-models, 2.2 GB each and 4 GB more for OpenVINO), then times the programs in turns.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/scripts/setup_packages.sh" "$root/scripts/packages.txt"
"$root/benchmarks/peers/setup.sh"
torch=(${FRESCO_TORCH_DIR:+"-DFRESCO_TORCH_DIR=$FRESCO_TORCH_DIR"})
cmake -S "$root" -B "$root/build/bench" -G Ninja "${torch[@]}" \
  -DFRESCO_TESTS=OFF -DFRESCO_EXAMPLES=OFF -DFRESCO_BENCHMARKS=ON >/dev/null
ninja -C "$root/build/bench" --quiet fresco_bench >&2
exec "$root/.deps/peers/bin/python" "$root/benchmarks/compare.py" "$@"
