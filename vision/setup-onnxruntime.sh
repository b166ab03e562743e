#!/usr/bin/env bash
# Puts ONNX Runtime 1.32.0 (CPU) into vendor/onnxruntime of the repository. It comes out of the official
# onnxruntime wheel, pinned by sha256; idempotent.
# usage: vision/setup-onnxruntime.sh [--optional] [DEST]
# --optional: where there is none for this machine, a warning instead of an error: excess green runs without.
# Needs: python3 with pip.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
OPTIONAL=
if [ "${1:-}" = --optional ]; then OPTIONAL=yes; shift; fi
DEST=${1:-$ROOT/vendor/onnxruntime}
VERSION=1.32.0
SHA256=5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d
if [ "$(cat "$DEST/build-version" 2>/dev/null || true)" = "$VERSION" ]; then
  exit 0
fi
[ "$(uname -sm)" = "Linux x86_64" ] || {
  # What a person put there is found as well as what this script does.
  [ -f "$DEST/libonnxruntime.so" ] && exit 0
  echo "no pinned ONNX Runtime for $(uname -sm): put the libonnxruntime.so of ONNX Runtime 1.24 or later into $DEST," \
    "or name it in the configuration (segmenter.library)" >&2
  [ -n "$OPTIONAL" ] || exit 1
  echo "going on without it: no model can run, excess green can" >&2
  exit 0; }
TMP=$(mktemp -d); trap 'rm -rf "$TMP"' EXIT
echo "fetching ONNX Runtime $VERSION (about 28 MB)" >&2
echo "onnxruntime==$VERSION --hash=sha256:$SHA256" > "$TMP/requirements.txt"
python3 -m pip download -q --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
  --platform manylinux_2_28_x86_64 --implementation cp --abi cp311 --python-version 3.11 \
  -d "$TMP" -r "$TMP/requirements.txt"
PART="$DEST.part"; rm -rf "$PART"; mkdir -p "$PART"
python3 - "$TMP"/onnxruntime-*.whl "$PART" "$VERSION" <<'PY'
import pathlib, sys, zipfile
wheel, part, version = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
wanted = {
    f'onnxruntime/capi/libonnxruntime.so.{version}': 'libonnxruntime.so',
    'onnxruntime/capi/libonnxruntime_providers_shared.so': 'libonnxruntime_providers_shared.so',
    'onnxruntime/LICENSE': 'LICENSE',
    'onnxruntime/ThirdPartyNotices.txt': 'ThirdPartyNotices.txt',
}
for source, name in wanted.items():
    (part / name).write_bytes(wheel.read(source))
PY
if ldd -r "$PART/libonnxruntime.so" 2>&1 | grep -E 'not found|undefined symbol'; then
  echo "ONNX Runtime does not resolve on this system" >&2; exit 1
fi
echo "$VERSION" > "$PART/build-version"
rm -rf "$DEST"; mv "$PART" "$DEST"
echo "ONNX Runtime $VERSION installed in $DEST" >&2
