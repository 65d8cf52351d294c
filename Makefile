# `make help` lists the targets. All of them run without a terminal and in a fresh clone.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The compiler, linker and browser that scripts/setup found on this machine.
-include .env.build
FOUND := RUSTC RUSTDOC CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER LOOPIQ_CHROMIUM
# cargo does not read an empty variable as its default, so only variables with a value are exported.
export $(foreach name,$(FOUND),$(if $($(name)),$(name)))

# Leptos reads this when the server is compiled. Without it, pages request `loopiq_bg.wasm`, which does not exist.
export LEPTOS_OUTPUT_NAME := loopiq

# README and tests contain the paths below, so another target folder is not supported.
unexport CARGO_TARGET_DIR
SITE := $(CURDIR)/target/site
WASM := --package=loopiq-app --lib --target=wasm32-unknown-unknown --no-default-features --features=hydrate
VERIFIER := --package=loopiq-verifier --lib --target=wasm32-unknown-unknown --no-default-features
JOBS := $(shell nproc 2>/dev/null || echo 2)

.PHONY: help run test build bench profile dev lint fuzz mutants fmt clean
.PHONY: run-built test-built build-built bench-built profile-built lint-built fuzz-built mutants-built wasm-dev wasm-release server server-release server-profiling tests

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: ## build what is missing and start the demo on http://127.0.0.1:3000
	@scripts/setup build
	@$(MAKE) run-built

test: ## all tests, and the formatting
	@scripts/setup test
	@$(MAKE) test-built

build: ## release: target/release/loopiq and its site in target/site
	@scripts/setup release
	@$(MAKE) build-built

dev: ## run the demo and rebuild it on every change (needs cargo-leptos)
	@command -v cargo-leptos >/dev/null || { \
	  echo 'make dev needs cargo-leptos, which takes a while to build: cargo install --locked cargo-leptos' >&2; \
	  echo 'Without it: make run, and again after a change.' >&2; exit 1; }
	@scripts/setup build
	@$(MAKE) dev-built

bench: ## measure the service on both databases, each figure with its floor
	@scripts/setup bench
	@$(MAKE) bench-built

profile: ## CPU, SQL, system calls, WAL frames and a flame graph for each use case, in target/profile
	@scripts/setup build
	@$(MAKE) profile-built

lint: ## formatting, clippy for server and browser, and dependencies (cargo deny)
	@scripts/setup lint
	@$(MAKE) lint-built

fuzz: ## search for inputs that break a parser: FUZZ_SECONDS (60) for each target of FUZZ (all)
	@scripts/setup fuzz
	@$(MAKE) fuzz-built

mutants: ## mutation testing of policy, checks and domain (one hour; MUTANTS for a part)
	@scripts/setup mutants
	@$(MAKE) mutants-built

fmt: ## format all Rust sources
	cargo fmt --all

clean: ## remove the build folder; the demo's data remain
	rm -rf target

# The targets above start these in a second make, which reads the variables that scripts/setup has just written.
#
# The browser's half and the server are built at the same time, each in its own folder below target/ and with its own lock.
# `+` passes make's job slots to cargo, so that both builds together use at most all cores.

run-built:
	@+$(MAKE) -j$(JOBS) wasm-dev server
	@target/debug/xtask site --profile wasm-dev
	@LEPTOS_SITE_ROOT=$(SITE) exec target/debug/loopiq serve --demo

build-built:
	@+$(MAKE) -j$(JOBS) wasm-release server-release
	@target/debug/xtask site --profile wasm-release --optimize

# The measurements use a release build of the server and do not use the bundle.
bench-built:
	@+$(MAKE) wasm-dev
	+$(BUILD) --package xtask
	+$(BUILD) --release --package loopiq-server --package loopiq-bench
	@target/debug/xtask site --profile wasm-dev
	cargo bench --package loopiq-bench
	@target/release/loopiq-bench target/release/loopiq $(SITE)
	+$(BUILD) --release --package loopiq-audit-log --example bundle_speed
	@target/release/examples/bundle_speed

# perf and strace are optional: without them the table has none of their figures. PROFILE passes options, such as `--requests 1000`.
profile-built:
	@+$(MAKE) wasm-dev
	+$(BUILD) --package xtask
	@+$(MAKE) server-profiling
	@target/debug/xtask site --profile wasm-dev
	@target/profiling/loopiq-bench profile target/profiling/loopiq $(SITE) target/profile $(PROFILE)

dev-built:
	cargo leptos watch -- serve --demo

# `make -n` also runs lines with `+`, which then only print their commands.
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

# With frame pointers, from which perf finds the callers of a function.
server-profiling: export RUSTFLAGS := $(RUSTFLAGS) -C force-frame-pointers=yes
server-profiling: export CFLAGS := $(CFLAGS) -fno-omit-frame-pointer
server-profiling:
	+$(BUILD) --profile profiling --package loopiq-server --package loopiq-bench

# All test programs, and the binary that the browser tests start.
tests:
	+$(BUILD) --workspace --bins --tests

# Runs a command with a temporary PostgreSQL cluster.
POSTGRES := $(CURDIR)/target/debug/with-postgres
BROWSER := LOOPIQ_BIN=$(CURDIR)/target/debug/loopiq LEPTOS_SITE_ROOT=$(SITE)
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)

test-built:
	@if cargo fmt --version >/dev/null 2>&1; then cargo fmt --all --check; else echo 'no rustfmt: formatting is not checked' >&2; fi
	@+$(MAKE) -j$(JOBS) wasm-dev tests
	@target/debug/xtask site --profile wasm-dev
	# The domain has to compile for browsers without the engine.
	cargo check --package loopiq --no-default-features --target wasm32-unknown-unknown --profile wasm-dev
	# A build of the whole workspace enables the engine and the server half of the pages, because the server does.
ifneq ($(NEXTEST),)
	cargo nextest run --workspace
	$(POSTGRES) cargo nextest run --workspace -E 'package(loopiq) & kind(test) | package(loopiq-server)'
	cargo test --workspace --doc
else
	cargo test --workspace
	$(POSTGRES) cargo test --workspace
endif
	cd end2end && $(BROWSER) npx playwright test
	cd end2end && $(BROWSER) $(POSTGRES) npx playwright test tests/journey tests/production

# A second make, for the compiler that scripts/setup has found.
fuzz-built:
	@scripts/fuzz $(FUZZ)

mutants-built:
	@scripts/mutants $(MUTANTS)

# Clippy must have the compiler's version. Debian's compiler has its own, which rustup's `cargo clippy` does not find.
CLIPPY := cargo clippy
ifeq ($(RUSTC),/usr/bin/rustc)
CLIPPY := /usr/bin/cargo-clippy clippy
endif

lint-built:
	cargo fmt --all --check
	$(CLIPPY) --workspace --all-targets -- -D warnings
	$(CLIPPY) $(WASM) --profile wasm-dev -- -D warnings
	$(CLIPPY) $(VERIFIER) --profile wasm-dev -- -D warnings
	cargo deny --workspace --locked check bans licenses sources
	@scripts/advisories
