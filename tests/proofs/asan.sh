#!/bin/sh
# The core's tests and the extension under an address sanitizer. Called by `make asan`; the arguments go to pytest.
# Python's own objects come from malloc one by one, so that the sanitizer sees a use of each after its end. Leaks are
# looked for in the core's tests only: an interpreter frees little when it ends, and `make refleak` counts them there.
. "$(dirname "$0")/environment.sh"

RUSTUP_TOOLCHAIN=nightly
RUSTFLAGS="-Zsanitizer=address"
export RUSTUP_TOOLCHAIN RUSTFLAGS
target=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')
test -n "$target" || missing "a nightly toolchain is missing (rustup toolchain install nightly)"
test -f "$(rustc --print target-libdir)"/librustc-nightly_rt.asan.a ||
    missing "the nightly toolchain brings no address sanitizer for $target"
runtime=$(gcc -print-file-name=libasan.so 2>/dev/null || true)
test -f "$runtime" || missing "the sanitizer's shared runtime is missing: it comes with gcc (Debian: gcc, libasan8)"

echo "== the core, address sanitizer and leaks =="
# A sanitized frame is many times as large: the scripted host's programs, which nest in one another, need the stack.
ASAN_OPTIONS=detect_leaks=1 PROPTEST_CASES=64 RUST_MIN_STACK=67108864 \
    cargo test --locked --no-default-features --target "$target" --target-dir target/asan --quiet --lib --test core

echo "== the extension, address sanitizer =="
environment asan "$PYTHON"
install --target "$target"
# Not here: what reads sources and compiles; what is about limits or measures of memory, as the sanitizer reserves a
# table of the whole address space and keeps for a while what was freed; depths by the million and small stacks, where
# checks add up; a crash on purpose, which the sanitizer takes for one; a child that does not get this environment.
LD_PRELOAD="$runtime" PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
    PYTHONPATH=tests/proofs SEGUE_EXAMPLES="${SEGUE_EXAMPLES:-1000}" \
    "$python" -m pytest tests/python --quiet -p no:cacheprovider -p without_memory_limit --timeout 900 \
    --ignore-glob '*/test_typing.py' --ignore-glob '*/test_stubs.py' --ignore-glob '*/test_semgrep_rules.py' \
    --ignore-glob '*/test_growth.py' --ignore-glob '*/test_depth.py' --ignore-glob '*/test_faults_depth.py' \
    --ignore-glob '*/test_faults_memory.py' --ignore-glob '*/test_crash_classes.py' \
    --ignore-glob '*/test_native_stack.py' \
    --deselect 'tests/python/test_snippets.py::test_the_blocks_of_a_document_run[docs/guide.md]' \
    -k "not exhausted_memory and not too_much_memory and not child_that_crashes and not imports_nothing_slow \
        and not less_than_a_kilobyte and not m06_table_of_tasks and not m07_twenty_thousand" "$@"
