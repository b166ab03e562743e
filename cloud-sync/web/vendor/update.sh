#!/bin/sh
# Fetches the pinned web files and their licences again. The files are committed: a build needs no network.
# Usage: web/vendor/update.sh
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# package, version, SHA-256 of the packed archive
take() {
    archive=$(cd "$work" && npm pack --silent "$1@$2")
    echo "$3  $work/$archive" | sha256sum --check --quiet
    mkdir -p "$work/$4" && tar xzf "$work/$archive" -C "$work/$4"
}

take maplibre-gl 6.17.0 587807d8d6c99349022e027fa310c16cfaa55392131f6263df080306db6809b0 map
for file in maplibre-gl.mjs maplibre-gl-worker.mjs maplibre-gl.css; do
    # The source maps stay behind: ten times the code.
    sed '/sourceMappingURL=/d' "$work/map/package/dist/$file" > "$file"
done
cp "$work/map/package/LICENSE.txt" maplibre-gl.LICENSE.txt

take @fontsource-variable/atkinson-hyperlegible-next 5.3.0 \
    75d5156505841b7dd4251398f0a5ff9e44120c87c2e388e9a108879b4def23a6 font
cp "$work/font/package/files/atkinson-hyperlegible-next-latin-wght-normal.woff2" atkinson-hyperlegible-next.woff2
cp "$work/font/package/LICENSE" atkinson-hyperlegible-next.LICENSE.txt

sha256sum maplibre-gl.mjs maplibre-gl-worker.mjs maplibre-gl.css atkinson-hyperlegible-next.woff2 > SHA256SUMS
