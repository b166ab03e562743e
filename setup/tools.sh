#!/usr/bin/env bash
# Checks that the tools named as arguments are there and new enough, and says the line to run where one is not.
set -euo pipefail
cd "$(dirname "$0")/.."

rust=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
node=20
python=3.11

# The first version number in what the command says; empty where it does not run, as a rustup without a toolchain.
version() { "$@" 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1 || true; }

# no_older FOUND LEAST
no_older() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

status=0
# wanted WHAT FOUND LEAST LINE...: told where nothing or too old a version was found.
wanted() {
  local what=$1 found=$2 least=$3
  shift 3
  if [ -z "$found" ]; then
    echo "$what is missing or does not run: ${least:+$least or newer is needed. }Run this, then try again:" >&2
  elif [ -n "$least" ] && ! no_older "$found" "$least"; then
    echo "$what is $found: $least or newer is needed. Run this, then try again:" >&2
  else
    return 0
  fi
  printf '  %s\n' "$@" >&2
  status=2
}

# A distribution's own cargo is older for years; with rustup both lie beside each other.
with_rustup() {
  if command -v rustup >/dev/null; then
    echo "rustup $1"
  else
    echo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y && . \"\$HOME/.cargo/env\""
  fi
}

for tool in "$@"; do
  case $tool in
    cargo) wanted "cargo (Rust)" "$(version cargo --version)" "$rust" "$(with_rustup "toolchain install stable && rustup default stable")" ;;
    rustfmt) wanted rustfmt "$(version cargo fmt --version)" "" "$(with_rustup "component add rustfmt")" ;;
    clippy) wanted clippy "$(version cargo clippy --version)" "" "$(with_rustup "component add clippy")" ;;
    node | npm)
      # npm comes with Node.js; Debian 12 has 18.
      least=
      [ "$tool" = npm ] || least=$node
      wanted "$tool (Node.js)" "$(version "$tool" --version)" "$least" \
        "sudo apt-get update && sudo apt-get install -y npm && sudo npm install -g n && sudo n 22"
      ;;
    python3)
      wanted python3 "$(version python3 --version)" "$python" \
        "sudo apt-get update && sudo apt-get install -y python3    # Debian 12 or newer has it"
      ;;
    *) wanted "$tool" "$(command -v "$tool" || true)" "" "sudo apt-get update && sudo apt-get install -y $tool" ;;
  esac
done
exit $status
