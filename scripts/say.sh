# Sourced by the other scripts: plain lines on standard error, so that standard output stays the program's.
say() { printf 'fresco: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 4
}
