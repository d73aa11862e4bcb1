#!/bin/sh
# Which lines of both languages the tests run. Called by `make coverage`. The core's tests and the Python tests run on
# builds that count; their counts are put together, and every line that never ran must be explained in docs/coverage.md.
. "$(dirname "$0")/environment.sh"

# The tools that read the counts must be of the compiler's own LLVM.
tools=$(rustc --print target-libdir)/../bin
if ! test -x "$tools/llvm-cov"; then
    command -v rustup >/dev/null || missing "llvm-cov is missing: it is the component llvm-tools of the toolchain, which rustup installs"
    rustup --quiet component add llvm-tools || missing "llvm-cov is missing: rustup component add llvm-tools"
fi

counts="$PWD/target/coverage/counts"
rm -rf "$counts"
mkdir -p "$counts"
RUSTFLAGS="-Cinstrument-coverage"
LLVM_PROFILE_FILE="$counts/build-%4m.profraw" # build scripts count too; nobody asks them
COVERAGE_FILE="$counts/python"
export RUSTFLAGS LLVM_PROFILE_FILE COVERAGE_FILE

echo "== the core's tests =="
core_tests() {
    cargo test --locked --no-default-features --target-dir target/coverage --lib --test core "$@"
}
objects=$(core_tests --no-run --message-format json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/--object \1/p')
LLVM_PROFILE_FILE="$counts/core-%4m.profraw" core_tests --quiet

echo "== the Python tests =="
failed=
environment coverage "$PYTHON"
install
extension=$("$python" -c "import importlib.util as i; print(i.find_spec('segue._vm').origin)")
# Not here: what reads sources and compiles; depths by the million and measured memory, which run no other lines.
LLVM_PROFILE_FILE="$counts/extension-%4m.profraw" SEGUE_EXAMPLES="${SEGUE_EXAMPLES:-1000}" \
    PYTHONPATH=tests/proofs "$python" -m coverage run --parallel-mode -m pytest tests/python --pyargs segue --quiet \
    -p no:cacheprovider -p keeps_counting --timeout 900 \
    --ignore-glob '*/test_typing.py' --ignore-glob '*/test_stubs.py' --ignore-glob '*/test_semgrep_rules.py' \
    --ignore-glob '*/test_growth.py' --ignore-glob '*/test_depth.py' --ignore-glob '*/test_faults_depth.py' \
    --ignore-glob '*/test_faults_memory.py' --ignore-glob '*/test_crash_classes.py' "$@" ||
    failed="some of the Python tests failed: what they would have run is not counted"

"$tools/llvm-profdata" merge --sparse --output "$counts/rust.profdata" "$counts"/core-*.profraw "$counts"/extension-*.profraw
# shellcheck disable=SC2086 - several options
"$tools/llvm-cov" export --format lcov --instr-profile "$counts/rust.profdata" $objects --object "$extension" \
    >"$counts/rust.lcov"
"$python" -m coverage combine --quiet "$counts"
"$python" -m coverage lcov --quiet -o "$counts/python.lcov"
"$python" tests/proofs/coverage_report.py docs/coverage.md "$counts/rust.lcov" "$counts/python.lcov"
test -z "$failed" || missing "$failed"
