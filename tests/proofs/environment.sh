# What the proof tools share. Each has an environment of its own, with an extension of its own build installed in it:
# the one that `make build` puts beside the package's sources stays as it is.
set -eu
cd "$(dirname "$0")/../.."

# missing WHAT...: says what this machine lacks.
missing() {
    echo "$(basename "$0"): $*" >&2
    exit 2
}

# environment NAME INTERPRETER: makes .venv-NAME, with what builds the extension and runs the tests.
environment() {
    name=$1
    VIRTUAL_ENV="$PWD/.venv-$name"
    export VIRTUAL_ENV
    python="$VIRTUAL_ENV/bin/python"
    test -x "$python" || "$2" -m venv "$VIRTUAL_ENV"
    "$python" -m pip install --quiet --disable-pip-version-check --requirement requirements-proof.txt
}

# install [OPTION...]: builds the extension, with its checks and its symbols, and installs it.
install() {
    wheels="target/$name/installed"
    rm -rf "$wheels"
    "$VIRTUAL_ENV/bin/maturin" build --quiet --locked --profile dev --strip false --interpreter "$python" \
        --target-dir "target/$name" --out "$wheels" "$@"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$wheels"/*.whl
}
