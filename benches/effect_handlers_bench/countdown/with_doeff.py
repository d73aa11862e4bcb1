"""The built-in state, which is in Rust."""

from doeff import Get, Put, do, run
from doeff_core_effects.handlers import state


@do
def countdown():
    while n := (yield Get("n")):
        yield Put("n", n - 1)
    return n


def main(n):
    return run(state({"n": n})(countdown()))
