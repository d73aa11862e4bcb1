"""What the scenarios of leaks share, and the table that they enter themselves into."""

import contextlib
import sys

from segue import Effect, Pure, answers, do, handles


class Ping(Effect[object]):
    payload: object = None


class Token:
    """Something whose end can be seen."""


@answers(Ping)
def echo(e):
    return e.payload


@handles(Ping)
def ends(e, k):
    return e.payload


@do
def ask(payload=None):
    try:
        return (yield Ping(payload))
    finally:
        yield Pure(None)


@do
def raises(payload=None):
    local = (yield Ping(payload)), payload
    raise ValueError(local)


@contextlib.contextmanager
def unraisable_ignored():
    hook, sys.unraisablehook = sys.unraisablehook, lambda args: None
    try:
        yield
    finally:
        sys.unraisablehook = hook


SCENARIOS = {}


def scenario(f):
    SCENARIOS[f.__name__] = f
    return f
