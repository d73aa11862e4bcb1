#!/bin/sh
# Builds for, and runs the Python tests on, every CPython that is installed and new enough, each in an environment of
# its own. Called by `make test-all-pythons`.
set -eu
cd "$(dirname "$0")/.."

usable='import ensurepip, sys, venv; sys.exit(sys.implementation.name != "cpython" or sys.version_info[:2] != ('

tested=""
for minor in 11 12 13; do
    for python in "python3.$minor" "$HOME"/.pyenv/versions/3."$minor".*/bin/python3; do
        "$python" -c "${usable}3, $minor))" 2>/dev/null || continue
        venv=".venv-3.$minor"
        echo "== $("$python" --version) =="
        test -x "$venv/bin/python" || "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
        VIRTUAL_ENV="$PWD/$venv" "$venv/bin/maturin" develop --release --locked --quiet
        "$venv/bin/python" -m pytest
        tested="$tested 3.$minor"
        break
    done
done

test -n "$tested" || { echo "no CPython 3.11 to 3.13 was found" >&2; exit 1; }
echo "tested on:$tested"
