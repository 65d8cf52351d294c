# `make help` lists what there is. Everything runs without a terminal and in a fresh clone.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Which compiler, linker and browser scripts/setup found on this machine.
-include .env.build
FOUND := RUSTC RUSTDOC CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER LOOPIQ_CHROMIUM
# An empty one would not mean "the usual one" to cargo, so only those that have a value are handed on.
export $(foreach name,$(FOUND),$(if $($(name)),$(name)))

# Read when the server is compiled: without it pages ask for `loopiq_bg.wasm`, which isn't there.
export LEPTOS_OUTPUT_NAME := loopiq

# The paths below are also those in README and tests, so a target folder elsewhere is not followed.
unexport CARGO_TARGET_DIR
SITE := $(CURDIR)/target/site
WASM := --package=loopiq-app --lib --target=wasm32-unknown-unknown --no-default-features --features=hydrate
JOBS := $(shell nproc 2>/dev/null || echo 2)

.PHONY: help run test build bench dev lint fuzz fmt clean
.PHONY: run-built test-built build-built bench-built lint-built fuzz-built wasm-dev wasm-release server server-release tests

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: ## build what is missing and start the demo on http://127.0.0.1:3000
	@scripts/setup build
	@$(MAKE) run-built

test: ## every test there is, formatting too
	@scripts/setup test
	@$(MAKE) test-built

build: ## release: target/release/loopiq and its site in target/site
	@scripts/setup release
	@$(MAKE) build-built

dev: ## the demo, rebuilt on every change (needs cargo-leptos)
	@command -v cargo-leptos >/dev/null || { \
	  echo 'make dev needs cargo-leptos, which takes a while to build: cargo install --locked cargo-leptos' >&2; \
	  echo 'Without it: make run, and again after a change.' >&2; exit 1; }
	@scripts/setup build
	@$(MAKE) dev-built

bench: ## how fast it is, each figure beside its floor, on both databases
	@scripts/setup bench
	@$(MAKE) bench-built

lint: ## formatting, clippy for server and browser, and what is built in (cargo deny)
	@scripts/setup lint
	@$(MAKE) lint-built

fuzz: ## try inputs that nobody thought of, FUZZ_SECONDS (60) for each target of FUZZ (all)
	@scripts/setup fuzz
	@$(MAKE) fuzz-built

fmt: ## put all Rust sources into the common format
	cargo fmt --all

clean: ## remove what was built; the demo's data stay
	rm -rf target

# The rest is for the targets above: a make of its own reads what scripts/setup has just written.
#
# Browser's half and server are built at the same time, each in its folder below target/ and so with its own lock; `+`
# hands make's job slots to cargo, so that the two together use no more cores than there are.

run-built:
	@+$(MAKE) -j$(JOBS) wasm-dev server
	@target/debug/xtask site --profile wasm-dev
	@LEPTOS_SITE_ROOT=$(SITE) exec target/debug/loopiq serve --demo

build-built:
	@+$(MAKE) -j$(JOBS) wasm-release server-release
	@target/debug/xtask site --profile wasm-release --optimize

# The bundle plays no part in what is measured; the server is that of a release.
bench-built:
	@+$(MAKE) wasm-dev
	+$(BUILD) --package xtask
	+$(BUILD) --release --package loopiq-server --package loopiq-bench
	@target/debug/xtask site --profile wasm-dev
	cargo bench --package loopiq-bench
	@target/release/loopiq-bench target/release/loopiq $(SITE)

dev-built:
	cargo leptos watch -- serve --demo

# Lines with `+` run under `make -n` too, where they must only say what they would do.
DRY := $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
BUILD := $(if $(DRY),@echo )cargo build

wasm-dev:
	+$(BUILD) $(WASM) --profile wasm-dev

wasm-release:
	+$(BUILD) $(WASM) --profile wasm-release

server:
	+$(BUILD) --package loopiq-server --package xtask

server-release:
	+$(BUILD) --package xtask
	+$(BUILD) --package loopiq-server --release

# All test programs, and the binary the browser tests start, in one go.
tests:
	+$(BUILD) --workspace --bins --tests

# Runs a command beside a PostgreSQL cluster of its own.
POSTGRES := $(CURDIR)/target/debug/with-postgres
BROWSER := LOOPIQ_BIN=$(CURDIR)/target/debug/loopiq LEPTOS_SITE_ROOT=$(SITE)
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)

test-built:
	@if cargo fmt --version >/dev/null 2>&1; then cargo fmt --all --check; else echo 'no rustfmt: formatting is not checked' >&2; fi
	@+$(MAKE) -j$(JOBS) wasm-dev tests
	@target/debug/xtask site --profile wasm-dev
	# The domain must build for browsers without the engine.
	cargo check --package loopiq --no-default-features --target wasm32-unknown-unknown --profile wasm-dev
	# The whole workspace at once has the engine and the pages' server half on, through the server.
ifneq ($(NEXTEST),)
	cargo nextest run --workspace
	$(POSTGRES) cargo nextest run --workspace -E 'package(loopiq) & kind(test) | package(loopiq-server)'
	cargo test --workspace --doc
else
	cargo test --workspace
	$(POSTGRES) cargo test --workspace
endif
	cd end2end && $(BROWSER) npx playwright test
	cd end2end && $(BROWSER) $(POSTGRES) npx playwright test journey

# A make of its own, for the compiler that scripts/setup has found.
fuzz-built:
	@scripts/fuzz $(FUZZ)

# Clippy must be of the version of the compiler: Debian's has its own, which rustup's `cargo clippy` would not find.
CLIPPY := cargo clippy
ifeq ($(RUSTC),/usr/bin/rustc)
CLIPPY := /usr/bin/cargo-clippy clippy
endif

lint-built:
	cargo fmt --all --check
	$(CLIPPY) --workspace --all-targets -- -D warnings
	$(CLIPPY) $(WASM) --profile wasm-dev -- -D warnings
	cargo deny --workspace --locked check bans licenses sources
	@scripts/advisories
