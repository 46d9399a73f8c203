#!/usr/bin/env bash
# Tells which tracked sources the formatter would change; `check_format.sh --fix` changes them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=(--dry-run --Werror)
if [ "${1:-}" = --fix ]; then mode=(-i); fi
git ls-files -z -- '*.h' '*.cpp' | xargs -0 -r -n 20 -P "$(nproc)" clang-format "${mode[@]}"
