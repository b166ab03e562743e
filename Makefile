# make demo            one small field from camera to map; Ctrl-C stops it
# make demo EXIT=1     the same, stops by itself, leaves target/demo/report.json
# make demo IMAGES=DIR the same on real photographs (DIR/images, DIR/masks)
# make demo SEGMENTER=exg|MODEL   what finds plants: excess green, or a model file
# make test            everything that continuous integration checks
# make figures         every published figure, into docs/figures.md; TOPIC=chain for one, QUICK=1 for short runs
# make bench           the benches of the hot paths
# make audit           licences and advisories (needs cargo-deny)

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test figures bench audit setup-build setup-demo setup-model setup-test format lint rust-tests web-tests docs

EXIT ?=
IMAGES ?=
SEGMENTER ?=
QUICK ?=
TOPIC ?=

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# Drawn ground is looked at with excess green; photographs, unless told otherwise, with the released model.
MODEL_ASKED = $(if $(SEGMENTER),$(filter-out exg,$(SEGMENTER)),$(IMAGES))

setup-build:
	@setup/tools.sh cargo python3
	@setup/debian.sh build-essential python3-pip

setup-demo: setup-build
	@vision/setup-onnxruntime.sh $(if $(MODEL_ASKED),,--optional)

setup-model: setup-build
	@vision/setup-onnxruntime.sh

setup-test: setup-model
	@setup/tools.sh rustfmt clippy node npm
	@setup/debian.sh python3-venv chromium mosquitto
	@setup/python.sh
	@models/setup-libtorch.sh
	@models/setup-encoder.sh
	@cd cloud-sync/web/test && npm ci --silent --no-audit --no-fund

demo: setup-demo
	cargo build --release --locked -p kompas-edge -p kompas-cloud-sync -p kompas-tests --bins
	$(or $(CARGO_TARGET_DIR),target)/release/kompas-demo $(if $(EXIT),--exit) $(if $(IMAGES),--images "$(IMAGES)") $(if $(SEGMENTER),--segmenter "$(SEGMENTER)")

test: setup-test format lint rust-tests web-tests docs

format:
	cargo fmt --all --check

lint:
	cargo clippy --workspace --all-targets --locked -- -D warnings

rust-tests:
	cargo build --workspace --bins --locked
	cargo test --workspace --locked

web-tests:
	cd cloud-sync/web/test && npm test

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

figures: setup-test
	tests/figures/run $(if $(QUICK),--quick) $(TOPIC)

bench: setup-model
	cargo bench --workspace --exclude kompas-models --locked

audit:
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 2; }
	cargo deny --locked check
