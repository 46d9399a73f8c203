#!/usr/bin/env bash
# build.sh PRESET TARGET...: sets up what is missing, configures and builds. Safe to run twice at once and to repeat after an interruption.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=say.sh
. "$root/scripts/say.sh"
preset="$1"
shift
folder="$root/build/$preset"

mkdir -p "$folder"
exec 9>"$root/build/.lock"
if ! flock -n 9; then
  say "another run is setting up or building; waiting for it"
  flock 9
fi

"$root/scripts/setup_packages.sh" "$root/scripts/packages.txt"
"$root/scripts/setup_torch.sh"

# 2 GB a compiler: sources that include libtorch need nearly that.
jobs="$(nproc)"
memory_kb="$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null || echo 0)"
fitting=$((memory_kb / 2000000))
if [ "$fitting" -ge 1 ] && [ "$fitting" -lt "$jobs" ]; then jobs="$fitting"; fi

# Every call, quick when nothing changed: a lone `cmake` that was interrupted leaves a cache without build.ninja.
if [ ! -e "$folder/build.ninja" ] || [ "${FRESCO_TORCH_DIR:-}" != "$(cat "$folder/.torch" 2>/dev/null || true)" ]; then
  say "configuring in build/$preset"
  if ! (cd "$root" && cmake --preset "$preset" "-DFRESCO_TORCH_DIR=${FRESCO_TORCH_DIR:-}") >"$folder/configure.log" 2>&1; then
    tail -n 20 "$folder/configure.log" >&2
    die "configuring failed; the whole text is in build/$preset/configure.log"
  fi
  printf '%s' "${FRESCO_TORCH_DIR:-}" >"$folder/.torch"
fi

say "building with $jobs jobs (the first time takes some minutes)"
if [ -t 2 ]; then
  NINJA_STATUS='fresco: [%f/%t] ' ninja -C "$folder" --quiet -j "$jobs" "$@" >&2 || die "the build failed"
elif ! ninja -C "$folder" -j "$jobs" "$@" >"$folder/build.log" 2>&1; then
  grep -n -A 20 -m 3 -E '(error|FAILED)' "$folder/build.log" >&2 || tail -n 30 "$folder/build.log" >&2
  die "the build failed; the whole text is in build/$preset/build.log"
fi
