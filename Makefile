# The only recipes of this project; continuous integration calls them too. A fresh machine needs a Rust
# toolchain and CPython 3.11 or newer with venv and pip; everything else is set up by the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Shells that are not login shells often lack cargo's directory.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# The interpreter to build for: the first that is new enough and can make virtual environments.
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(shell $(name) -c '$(USABLE)' >/dev/null 2>&1 && command -v $(name))))

# The peers' interpreter: the newest, as some of them are for newer ones only.
NEWEST := $(foreach version,3.14 3.13 3.12,python$(version) $(wildcard $(HOME)/.pyenv/versions/$(version).*/bin/python3))
PEERS_PYTHON ?= $(or $(firstword $(foreach name,$(NEWEST),\
	$(shell $(name) -c '$(USABLE)' >/dev/null 2>&1 && command -v $(name)))),$(PYTHON))

VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/.stamp-tools
BUILT := $(VENV)/.stamp-built
SEMGREP_VENV := .venv-semgrep
SEMGREP := $(SEMGREP_VENV)/.stamp-tools
FLOOR := $(VENV)/.stamp-floor
BENCH_VENV := .venv-bench
BENCH := $(BENCH_VENV)/.stamp-built
PEERS_VENV := .venv-peers
PEERS := $(PEERS_VENV)/.stamp-built
BESIDE := $(PEERS_VENV)/.stamp-segue

RUST_SOURCES := $(shell find src -name '*.rs' 2>/dev/null) Cargo.toml Cargo.lock pyproject.toml
PYTHON_SOURCES := $(shell find python -name '*.py' -o -name '*.pyi' -o -name py.typed 2>/dev/null)
FLOOR_SOURCES := $(wildcard benches/floor/Cargo.* benches/floor/pyproject.toml benches/floor/src/*.rs)
WHEELS := target/bench/wheels
DEMO := target/demo/lockfile.sqlite
# Without an interpreter: the core and the built-in handlers.
CORE := --locked --no-default-features
# Cargo's own tools, built from crates.io into this folder when a target needs them.
CARGO_TOOLS := target/tools
CARGO_FUZZ := $(CARGO_TOOLS)/bin/cargo-fuzz
CARGO_DENY := $(CARGO_TOOLS)/bin/cargo-deny
FUZZED := operations arena
# What only one of the two lock files needs is no mistake.
DENIED := --hide-inclusion-graph --allow license-not-encountered --allow license-exception-not-encountered
# A wheel as it is to be given away.
build_wheel = $(BIN)/maturin build --release --locked --quiet --compression-level 9 --interpreter $(1)/bin/python --out $(2)
build_floor = CARGO_TARGET_DIR=target/floor $(BIN)/maturin build --release --locked --quiet \
	--manifest-path benches/floor/Cargo.toml --interpreter $(1)/bin/python --out $(2)
MEMCHECK := valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect

.PHONY: help
help: ## list the targets and what each does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: $(BUILT) ## set everything up, import Cargo.lock into a real SQLite file, print a report
	@mkdir -p $(dir $(DEMO))
	$(BIN)/python examples/lockfile.py Cargo.lock $(DEMO)
	@echo "To check it:"
	@echo "  grep -c '^\[\[package\]\]' Cargo.lock"
	@echo "  $(BIN)/python -c \"import sqlite3; print(*sqlite3.connect('$(DEMO)').execute('select * from package'), sep=chr(10))\""

.PHONY: check
check: ## formatting, clippy with and without Python, core tests without an interpreter
	cargo fmt --check
	cargo clippy $(CORE) --all-targets -- -D warnings
	PYO3_PYTHON=$(PYTHON) cargo clippy --locked --all-targets -- -D warnings
	cargo test $(CORE) --quiet

.PHONY: test
test: check lint semgrep types test-python ## set everything up and run every check and test

.PHONY: lint
lint: $(TOOLS) ## ruff: style and formatting of the Python files
	$(BIN)/ruff check
	$(BIN)/ruff format --check

.PHONY: semgrep
semgrep: $(SEMGREP) ## the architecture's rules over the sources
	$(SEMGREP_VENV)/bin/python tests/semgrep/gate.py .

.PHONY: types
types: $(BUILT) ## mypy and pyright, both strict
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

.PHONY: test-python
test-python: $(BUILT) $(SEMGREP) ## the Python tests, doctests, snippets of the documents, the extension's stub
	$(BIN)/python -m pytest

.PHONY: faults
faults: $(BUILT) ## run the tests of every fault, print which are held
	@$(BIN)/python tests/python/faults_table.py

# From a seed on: so many programs (N=...), or for so long (SECONDS=...).
SEED ?= 1
N ?= 100000
.PHONY: soak
soak: $(BUILT) ## random programs on the machine and the oracle: SEED=1 N=100000, or SECONDS=3600
	nice $(BIN)/python tests/python/soak.py --seed $(SEED) $(if $(SECONDS),--seconds $(SECONDS),--programs $(N))

.PHONY: build
build: $(BUILT) ## build the extension into .venv

.PHONY: test-all-pythons
test-all-pythons: $(SEMGREP) ## build for and test on every CPython from 3.11, free-threaded too, that is installed or in PYTHONS
	@PYTHONS="$(PYTHONS)" sh tests/all_pythons.sh

.PHONY: miri
miri: ## the core's tests under Miri (needs a nightly toolchain with the miri component)
	@cargo +nightly miri --version >/dev/null 2>&1 || { \
		echo "Miri is not installed: it is a component of the nightly toolchain, and has to be of the very same day."; \
		echo "  rustup toolchain install nightly --component miri --component rust-src"; \
		echo "Without it: the core has no unsafe code (forbidden in src/core/mod.rs), and 'make memcheck' and 'make fuzz' run"; \
		echo "it under valgrind and under an address sanitizer."; \
		exit 1; } >&2
	MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=8 cargo +nightly miri test $(CORE) --test core

.PHONY: asan
asan: ## the core's tests and the extension's under an address sanitizer (needs a nightly toolchain and gcc)
	@PYTHON=$(PYTHON) sh tests/proofs/asan.sh

.PHONY: refleak
refleak: ## references on a debug build of CPython, which it installs where it can: none may be left by a run
	@sh tests/proofs/refleak.sh

.PHONY: coverage
coverage: ## the lines of both languages that no test runs: each must be explained in docs/coverage.md
	@PYTHON=$(PYTHON) sh tests/proofs/coverage.sh

.PHONY: memcheck
memcheck: ## the core's tests under valgrind: reads and writes of memory, and leaks
	@command -v valgrind >/dev/null || { echo "valgrind is not installed (Debian: apt install valgrind)" >&2; exit 1; }
	PROPTEST_CASES=8 cargo test $(CORE) --config "target.'cfg(all())'.runner='$(MEMCHECK)'" --test core

.PHONY: fuzz
fuzz: $(CARGO_FUZZ) ## look for programs that break the machine, SECONDS=60 a target (needs a nightly toolchain and a C++ compiler)
	@cargo +nightly --version >/dev/null 2>&1 || { \
		echo "The fuzzer needs a nightly toolchain: rustup toolchain install nightly --profile minimal" >&2; exit 1; }
	@set -e; for target in $(FUZZED); do \
		echo "fuzzing $$target for $(or $(SECONDS),60) s; what it finds: target/fuzz/$$target-*"; \
		mkdir -p target/fuzz/corpus/$$target; \
		PATH=$(CURDIR)/$(CARGO_TOOLS)/bin:$$PATH cargo +nightly fuzz run $$target --target-dir target/fuzz \
			target/fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(or $(SECONDS),60) -max_len=600 -timeout=20 -artifact_prefix=target/fuzz/$$target- -print_final_stats=1; \
	done

# What the benchmarks are asked: OPTIONS="--quick --row state", see OPTIONS=--help.
.PHONY: bench
bench: $(BENCH) ## every row of the targets as a ratio to its floor: a table, JSON and a chart under target/bench
	$(BENCH_VENV)/bin/python -m benches $(OPTIONS)

.PHONY: bench-peers
bench-peers: $(BENCH) $(BESIDE) ## the same, and the newest version of each peer beside it (needs the network once)
	$(BENCH_VENV)/bin/python -m benches --peers $(PEERS_VENV)/bin/python $(OPTIONS)

.PHONY: bench-suite
bench-suite: $(BENCH) ## the eleven programs of effect-handlers-bench: Segue, a machine in plain Python, by hand, no effects
	$(BENCH_VENV)/bin/python -m benches.effect_handlers_bench $(OPTIONS)

.PHONY: bench-suite-peers
bench-suite-peers: $(BENCH) $(BESIDE) ## the same, and the programs of the peers beside it (needs the network once)
	$(BENCH_VENV)/bin/python -m benches.effect_handlers_bench --peers $(PEERS_VENV)/bin/python $(OPTIONS)

.PHONY: bench-gate
bench-gate: $(FLOOR) ## instructions of the most important paths, counted by valgrind, against the limits in benches/gate.toml
	$(BIN)/python -m benches.gate

.PHONY: bench-core
bench-core: ## the core's transitions without an interpreter
	cargo bench $(CORE) --bench core -- $(OPTIONS)

.PHONY: deny
deny: $(CARGO_DENY) ## licences, sources and bans of every crate that is locked
	$(CARGO_DENY) --locked check $(DENIED) licenses bans sources
	$(CARGO_DENY) --locked --config deny.toml --manifest-path fuzz/Cargo.toml check $(DENIED) licenses bans sources
	$(CARGO_DENY) --locked --config deny.toml --manifest-path benches/floor/Cargo.toml check $(DENIED) licenses bans sources

.PHONY: advisories
advisories: $(CARGO_DENY) ## known faults of the crates that are locked (needs the network)
	@$(CARGO_DENY) fetch db || { \
		echo "Nothing was checked: the database of advisories, https://github.com/RustSec/advisory-db, was not reached." >&2; \
		exit 1; }
	$(CARGO_DENY) --locked check advisories
	$(CARGO_DENY) --locked --config deny.toml --manifest-path fuzz/Cargo.toml check advisories

.PHONY: sbom
sbom: $(TOOLS) ## a wheel, and the CycloneDX list of what is in it, under target/sbom
	rm -rf target/sbom
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(call build_wheel,$(VENV),target/sbom)
	$(BIN)/python tests/python/sbom.py target/sbom Cargo.lock

.PHONY: format
format: $(TOOLS) ## rewrite the sources in the house's format
	cargo fmt
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: clean
clean: ## remove everything that the targets made
	rm -rf target .venv .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	find python tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f python/segue/_vm*.so

.PHONY: usable-python
usable-python:
	@test -n "$(PYTHON)" || { echo "no CPython 3.11 or newer with venv and ensurepip was found; set PYTHON=..." >&2; exit 1; }

$(TOOLS): requirements-dev.txt | usable-python
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(SEMGREP): requirements-semgrep.txt | usable-python
	test -x $(SEMGREP_VENV)/bin/python || $(PYTHON) -m venv $(SEMGREP_VENV)
	$(SEMGREP_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# The wheel itself is measured, and the floor beside it.
$(BENCH): requirements-bench.txt $(TOOLS) $(RUST_SOURCES) $(PYTHON_SOURCES) $(FLOOR_SOURCES)
	test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	rm -rf $(WHEELS)
	$(call build_wheel,$(BENCH_VENV),$(WHEELS))
	$(call build_floor,$(BENCH_VENV),$(WHEELS))
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(WHEELS)/*.whl
	@touch $@

$(FLOOR): $(BUILT) $(FLOOR_SOURCES)
	rm -rf $(WHEELS)-floor
	$(call build_floor,$(VENV),$(WHEELS)-floor)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(WHEELS)-floor/*.whl
	@touch $@

# A peer that cannot be installed is a line of the table.
$(PEERS): requirements-peers.txt $(TOOLS) $(FLOOR_SOURCES)
	test -x $(PEERS_VENV)/bin/python || $(PEERS_PYTHON) -m venv $(PEERS_VENV)
	@for peer in $$(grep -v '^#' $<); do \
		$(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade $$peer \
			|| echo "$$peer was not installed"; \
	done
	rm -rf $(WHEELS)-peers
	$(call build_floor,$(PEERS_VENV),$(WHEELS)-peers)
	$(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --force-reinstall $(WHEELS)-peers/*.whl
	@touch $@

# Segue on their interpreter.
$(BESIDE): $(PEERS) $(RUST_SOURCES) $(PYTHON_SOURCES)
	rm -rf $(WHEELS)-beside
	CARGO_TARGET_DIR=target/beside $(call build_wheel,$(PEERS_VENV),$(WHEELS)-beside)
	$(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(WHEELS)-beside/*.whl
	@touch $@

$(CARGO_FUZZ):
	cargo install --quiet --locked --root $(CARGO_TOOLS) --version 0.13.2 cargo-fuzz

$(CARGO_DENY):
	cargo install --quiet --locked --root $(CARGO_TOOLS) --version 0.20.2 cargo-deny

$(BUILT): $(TOOLS) $(RUST_SOURCES)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --locked --quiet
	@touch $@
