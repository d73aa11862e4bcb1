"""Semantics 7: a scope that nobody can close any more is over.

No public name says who holds an object: only the built-in scheduler can tell.
"""

import math

import pytest

from segue import (
    Cancel,
    Cancelled,
    CloseScope,
    Deadline,
    Effect,
    Now,
    OpenScope,
    Sleep,
    Spawn,
    Try,
    VirtualClock,
    Wait,
    WithHandler,
    do,
    handles,
    run,
    scheduler,
    shield,
    timeout,
)


class Leave(Effect[None]):
    """Whoever handles it ends its block."""


def left(letting_go):
    """A handler that ends its block, and lets go of `k` or leaves that to the machine."""

    @handles(Leave)
    def leave(effect, k):
        if letting_go:
            k.keep()
        del k
        return "left"
        yield

    return leave


LIMITED = {
    "timeout": lambda: timeout(1, Leave()),
    "scope": lambda: OpenScope(1).flat_map(lambda scope: Leave().map(lambda _: scope)),
}


@pytest.mark.parametrize("program", LIMITED.values(), ids=LIMITED)
@pytest.mark.parametrize("letting_go", [False, True], ids=["unwound", "lost"])
def test_scope_whose_continuation_was_lost_is_over(program, letting_go):
    """It was unwound at the root of the run, where nobody answers `CloseScope`."""

    @do
    def root():
        result = yield WithHandler(left(letting_go), program())
        yield Sleep(0.5)
        deadline = yield Deadline()
        yield Sleep(5)
        return result, deadline

    assert run(root(), handlers=[scheduler(clock=VirtualClock())]).value == ("left", math.inf)


def test_shield_whose_continuation_was_lost_keeps_off_nothing():
    @do
    def child(log):
        try:
            yield WithHandler(left(letting_go=True), shield(Leave()))
            yield Sleep(60)
        finally:
            log.append((yield Now()))

    @do
    def root(log):
        task = yield Spawn(child(log))
        yield Sleep(1)
        yield Cancel(task)
        yield Try(Wait(task))

    log = []
    assert run(root(log), handlers=[scheduler(clock=VirtualClock())]).is_ok()
    assert log == [1]


def test_scope_that_somebody_holds_counts_wherever_its_continuation_is():
    @do
    def program():
        scope = yield OpenScope(1)
        with pytest.raises(Cancelled) as caught:
            yield Sleep(5)
        return caught.value.scope is scope, (yield CloseScope(scope))

    assert run(program(), handlers=[scheduler(clock=VirtualClock())]).value == (True, True)
