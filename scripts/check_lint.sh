#!/usr/bin/env bash
# check_lint.sh BUILD_FOLDER: clang-tidy over the sources that do without libtorch's headers. Those take seconds each;
# a source with libtorch takes half a minute, for findings that lie mostly in libtorch.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="$1"
mapfile -t sources < <(python3 - "$folder/compile_commands.json" <<'PY'
import json, os, sys
root = os.getcwd() + os.sep
for entry in json.load(open(sys.argv[1])):
    name = os.path.relpath(os.path.join(entry["directory"], entry["file"]), root)
    # Targets that include libtorch do so through a precompiled header.
    if name.startswith(("src/", "apps/")) and name.endswith(".cpp") and "cmake_pch" not in entry["command"] and os.path.exists(name):
        print(name)
PY
)
echo "${#sources[@]} sources"
# GCC's own flags (precompiled headers, OpenMP) mean nothing to clang.
printf '%s\0' "${sources[@]}" |
  xargs -0 -r -n 4 -P "$(nproc)" clang-tidy -p "$folder" --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument
