#!/usr/bin/env bash
# Draws the pictures of README.md and docs/first-picture.md again, the latter with the commands that stand there: for a new shipped model.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=docs/images/first
draw() { ./fresco draw "$@" --overwrite --quiet; }

mkdir -p "$out"
draw "a large blue star on a yellow background" --seed 1 --out $out/star.png
draw "a large blue star on yellow" --seed 1 --out $out/blue.png
for steps in 2 5 10; do draw "a large blue star on yellow" --seed 1 --steps $steps --out $out/steps-$steps.png; done
draw "a large star" --seed 1 --out $out/any-star.png
draw "a large star" --seed 1 --negative "a large red star" --out $out/away.png
draw "a large blue star on yellow" --seed 1 --width 192 --out $out/wide.png
draw "a green cross" "a red ring" --count 3 --seed 1 --grid --out $out/sheet.png
rm -f $out/sheet-*.png
for strength in 0.4 0.6 0.8; do
  draw "a large red star on yellow" --init $out/blue.png --strength $strength --seed 5 --out $out/red-$strength.png
done
draw "a large white square on a black background" --seed 1 --out $out/mask.png
draw "a large blue ring on yellow" --init $out/blue.png --mask $out/mask.png --seed 5 --out $out/repainted.png

draw "a large blue star on yellow" "a red ring on white" "a green triangle above a purple square on white" "an orange cross on blue" \
  --seed 9 --guidance 5 --grid --out docs/images/shapes.png
rm -f docs/images/shapes-*.png
