#!/usr/bin/env bash
# Puts CPU LibTorch 2.13.0 (what tch 0.26 wants) into vendor/libtorch of the repository.
# It comes out of the official torch wheel (x86_64, CUDA build), pinned by sha256; idempotent.
# usage: models/setup-libtorch.sh [DEST]
# Needs: python3 with pip, a C compiler, nm (binutils).
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DEST=${1:-$ROOT/vendor/libtorch}
VERSION=2.13.0
SHA256=60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7
if [ "$(cat "$DEST/build-version" 2>/dev/null || true)" = "$VERSION" ]; then
  echo "LibTorch $VERSION is present in $DEST" >&2; exit 0
fi
[ "$(uname -sm)" = "Linux x86_64" ] || {
  echo "no pinned LibTorch for $(uname -sm): install LibTorch $VERSION yourself and set LIBTORCH" >&2; exit 1; }
TMP=$(mktemp -d); trap 'rm -rf "$TMP"' EXIT
echo "fetching LibTorch $VERSION (about 530 MB)" >&2
echo "torch==$VERSION --hash=sha256:$SHA256" > "$TMP/requirements.txt"
python3 -m pip download -q --no-cache-dir --no-deps --only-binary=:all: --require-hashes \
  --platform manylinux_2_28_x86_64 --implementation cp --abi cp311 --python-version 3.11 \
  -d "$TMP" -r "$TMP/requirements.txt"
PART="$DEST.part"; rm -rf "$PART"; mkdir -p "$PART"
python3 - "$TMP"/torch-*.whl "$PART" <<'PY'
import sys, zipfile
wheel, part = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
libraries = {'libtorch_cpu.so', 'libc10.so', 'libgomp.so.1'}
for entry in wheel.infolist():
    name = entry.filename
    wanted = (name.startswith('torch/include/')
              or (name.startswith('torch/lib/') and name[len('torch/lib/'):] in libraries)
              or name.endswith('dist-info/licenses/LICENSE'))
    if wanted:
        entry.filename = name[len('torch/'):] if name.startswith('torch/') else 'LICENSE'
        wheel.extract(entry, part)
PY
LIB="$PART/lib"
# libtorch_cpu.so needs the CUDA runtime and CUPTI only for its profiler: stand-ins that answer "no device".
for so in libcudart.so.13 libcupti.so.13; do
  { echo '/* stand-in: no CUDA here */'
    nm -D --undefined-only "$LIB/libtorch_cpu.so" | sed -n "s/.* U \([A-Za-z0-9_]*\)@$so\$/\1/p" | sort -u |
      while read -r symbol; do
        case $symbol in
          cudaGetErrorString) echo "const char *$symbol(int e){(void)e;return \"no CUDA\";}" ;;
          cudaGetDeviceCount) echo "int $symbol(int *n){if(n)*n=0;return 100;}" ;;
          *) echo "int $symbol(void){return 100;}" ;;
        esac
      done
  } > "$TMP/stand_in.c"
  echo "$so { global: *; };" > "$TMP/stand_in.map"
  cc -shared -fPIC -O1 -s -Wl,-soname,"$so" -Wl,--version-script="$TMP/stand_in.map" -o "$LIB/$so" "$TMP/stand_in.c"
done
# The wheel's libtorch.so needs libtorch_cuda.so: an empty one on torch_cpu and c10 takes its place.
cc -shared -fPIC -s -o "$LIB/libtorch.so" -x c /dev/null -Wl,-soname,libtorch.so -Wl,--no-as-needed \
  -L"$LIB" -ltorch_cpu -lc10 -Wl,-rpath,'$ORIGIN' -Wl,--allow-shlib-undefined
if ldd -r "$LIB/libtorch_cpu.so" 2>&1 | grep -E 'not found|undefined symbol'; then
  echo "LibTorch does not resolve on this system" >&2; exit 1
fi
echo "$VERSION" > "$PART/build-version"
rm -rf "$DEST"; mv "$PART" "$DEST"
echo "LibTorch $VERSION installed in $DEST" >&2
