"""The built-in state."""

from segue import Get, Put, do, run, state


@do
def countdown():
    while n := (yield Get("n")):
        yield Put("n", n - 1)
    return n


def main(n):
    return run(countdown(), handlers=[state({"n": n})]).value
