#!/bin/sh
# References on a CPython that counts them and checks its own objects. Called by `make refleak`; the arguments go to
# refleak.py. Where the interpreter is missing it comes from Debian's packages, if they can be installed.
. "$(dirname "$0")/environment.sh"

usable='import ensurepip, sys, venv; sys.exit(not hasattr(sys, "gettotalrefcount") or sys.version_info < (3, 11))'
debug_python() {
    for found in python3-dbg python3.13-dbg python3.12-dbg python3.11-dbg; do
        "$found" -c "$usable" 2>/dev/null && echo "$found" && return
    done
}

python=$(debug_python || true)
if test -z "$python"; then
    command -v apt-get >/dev/null && test "$(id -u)" = 0 ||
        missing "a debug build of CPython 3.11 or newer is missing (Debian: python3-dbg python3-venv)"
    apt-get update -qq
    apt-get install -y -qq python3-dbg python3-venv >/dev/null
    python=$(debug_python || true)
    test -n "$python" || missing "the system's packages hold no debug build of CPython 3.11 or newer"
fi

echo "== $("$python" --version), debug build =="
environment refleak "$python"
install
# Memory that malloc keeps for a thread's next request would count as in use.
GLIBC_TUNABLES=glibc.malloc.tcache_count=0 "$VIRTUAL_ENV/bin/python" -X dev tests/proofs/refleak.py "$@"
