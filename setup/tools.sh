#!/usr/bin/env bash
# Checks that the tools named as arguments are there, and says where each comes from.
set -euo pipefail

status=0
for tool in "$@"; do
  command -v "$tool" >/dev/null && continue
  case $tool in
    cargo) from="the Rust toolchain 1.92 or newer, through rustup" ;;
    node | npm) from="Node.js 20 or newer" ;;
    python3) from="Python 3.11 or newer" ;;
    *) from="your distribution" ;;
  esac
  echo "$tool is missing: install $from" >&2
  status=2
done
exit $status
