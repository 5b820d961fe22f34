# `make` says what there is. Everything here is a short command that can be typed by hand.

.DEFAULT_GOAL := help
.PHONY: help run test check e2e layers bench fuzz dev shots budget site image

TARGET := $(or $(CARGO_TARGET_DIR),target)
ADDRESS ?= 127.0.0.1:3000
DATA ?= ./data
# Time for each scanner format in `make fuzz`, which formats (all without), and generated inputs for each property.
SECONDS_EACH ?= 60
FORMATS ?=
CASES ?= 20000
BROWSER := --package holdpoint-app --package holdpoint-browser --target wasm32-unknown-unknown --no-default-features --features holdpoint-app/hydrate

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: ## build and start Holdpoint on 127.0.0.1:3000 with SQLite in ./data
	@.ci/need rust wasm
	cargo build --locked --package holdpoint --package xtask
	$(TARGET)/debug/xtask wasm
	@exec $(TARGET)/debug/holdpoint serve --site $(TARGET)/site --data $(DATA) --listen $(ADDRESS)

test: ## every test: Rust on SQLite and PostgreSQL, browser half, end to end in a real browser
	@.ci/need rust wasm node postgresql chromium openssh
	.ci/with-postgres cargo xtask test $(FILTER)

check: ## format, lints for server and browser, layers, licences, scripts
	@.ci/need rust wasm
	cargo fmt --all --check
	cargo fmt --manifest-path server/crates/importers/fuzz/Cargo.toml --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	cargo clippy --locked $(BROWSER) -- --deny warnings
	cargo xtask layers
	cargo xtask licences
	@if cargo deny --version >/dev/null 2>&1; then set -x; cargo deny --locked check; \
	else echo "cargo-deny is not here (cargo install cargo-deny --locked): known vulnerabilities were not looked up."; fi
	for script in .ci/run .ci/need .ci/with-postgres .ci/fuzz; do bash -n $$script || exit 1; done

e2e: ## only the journeys in a real browser (FILTER=name for some of them)
	@.ci/need rust wasm node chromium openssh
	cargo xtask test --e2e $(FILTER)

layers: ## prove what each crate may know
	@.ci/need rust
	cargo xtask layers

bench: ## import speed against a floor, page latency, memory, download size
	@.ci/need rust wasm postgresql
	cargo xtask budget
	.ci/with-postgres cargo bench --locked --package holdpoint-service --bench imports
	HOLDPOINT_SITE=$(abspath $(TARGET))/site-release cargo bench --locked --package holdpoint --bench measure

fuzz: ## each scanner format by libFuzzer (SECONDS_EACH=60, FORMATS="sarif trivy"), then the parsers' properties (CASES=20000)
	@.ci/need rust fuzz
	.ci/fuzz $(SECONDS_EACH) $(FORMATS)
	PROPTEST_CASES=$(CASES) cargo test --locked --package holdpoint-importers --package holdpoint-checklist \
	  --package holdpoint-patch --package holdpoint-report

dev: ## build and start, and again whenever a file changes
	@.ci/need rust wasm
	cargo xtask dev

shots: ## pictures of every page: light, dark, 390 px wide, into target/shots
	@.ci/need rust wasm node chromium
	SHOTS=1 cargo xtask test --e2e shots

budget: ## the shipped site's size after brotli; fails over the budget
	@.ci/need rust wasm
	cargo xtask budget

site: ## the site as it is shipped, into target/site
	@.ci/need rust wasm
	cargo xtask wasm --release

image: ## the container image
	docker build --tag holdpoint .
