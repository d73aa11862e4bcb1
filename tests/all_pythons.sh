#!/bin/sh
# Builds for, and runs the Python tests on, every CPython that is installed and new enough, the free-threaded one too, each
# in an environment of its own. Called by `make test-all-pythons`; PYTHONS names interpreters that stand elsewhere.
set -eu
cd "$(dirname "$0")/.."

name='import ensurepip, sys, sysconfig, venv
free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print(sys.implementation.name, "%d.%d%s" % (*sys.version_info[:2], free))'

tested=""
for version in 3.11 3.12 3.13 3.14t; do
    for python in "python$version" "$HOME/.pyenv/versions/${version%t}".*/bin/python3 ${PYTHONS:-}; do
        test "$("$python" -c "$name" 2>/dev/null)" = "cpython $version" || continue
        venv=".venv-$version"
        echo "== $("$python" -VV) =="
        test -x "$venv/bin/python" || "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
        VIRTUAL_ENV="$PWD/$venv" "$venv/bin/maturin" develop --release --locked --quiet
        "$venv/bin/python" -m pytest
        tested="$tested $version"
        break
    done
done

test -n "$tested" || { echo "no CPython 3.11 to 3.13, or 3.14t, was found" >&2; exit 1; }
echo "tested on:$tested"
