"""Semantics 8: what `acontext` enters may hold the loop's own scopes: nurseries, task groups, time limits."""

import asyncio
import math

import anyio
import pytest
import sniffio
import trio

from async_vocabulary import ASYNCIO, TRIO, after, forever, loops, raises, value
from segue import (
    Await,
    Cancel,
    Cancelled,
    CurrentTask,
    Discontinued,
    Effect,
    Pure,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    WithHandler,
    Yield,
    acontext,
    aiter,  # noqa: A004 - what Python calls it
    do,
    handles,
    timeout,
)

GROUPS = {
    "nursery of trio": (TRIO, trio.open_nursery, lambda group, f, *args: group.start_soon(f, *args)),
    "task group of asyncio": (ASYNCIO, asyncio.TaskGroup, lambda group, f, *args: group.create_task(f(*args))),
    "task group of anyio on trio": (TRIO, anyio.create_task_group, lambda group, f, *args: group.start_soon(f, *args)),
    "task group of anyio": (ASYNCIO, anyio.create_task_group, lambda group, f, *args: group.start_soon(f, *args)),
}
groups = pytest.mark.parametrize(("loop", "opened", "start"), GROUPS.values(), ids=GROUPS)


@do
def within(opened, uses):
    """A group is opened in its loop."""
    return (yield acontext(opened(), uses))


@do
def in_a_task(program):
    return (yield Wait((yield Spawn(program))))


@do
def here(program):
    return (yield program)


places = pytest.mark.parametrize("place", [here, in_a_task], ids=["root", "task"])


@places
@groups
def test_group_is_open_around_a_program_that_awaits_and_waits(loop, opened, start, place):
    log = []

    async def child(name):
        await loop.sleep(0.002)
        log.append(name)

    async def starts(group, name):
        start(group, child, name)

    @do
    def uses(group):
        yield Await(starts(group, "first"))
        yield Sleep(0.001)
        yield Await(after(loop, 0.001))
        yield Await(starts(group, "second"))
        return "used"

    assert value(loop, place(within(opened, uses))) == "used"
    assert sorted(log) == ["first", "second"]


@places
@groups
def test_groups_inside_of_each_other_are_left_in_order(loop, opened, start, place):
    log = []

    async def child(name):
        await loop.sleep(0)
        log.append(name)

    async def starts(group, name):
        start(group, child, name)

    @do
    def inner(group, other):
        yield Await(starts(other, "inner"))
        yield Await(starts(group, "outer"))

    program = within(opened, lambda group: within(opened, lambda other: inner(group, other)))
    value(loop, place(program))
    value(loop, place(within(opened, lambda group: Await(starts(group, "again")))))
    assert sorted(log[:2]) == ["inner", "outer"]
    assert log[2:] == ["again"]


@places
@groups
def test_child_that_fails_breaks_off_what_the_program_awaits(loop, opened, start, place):
    async def starts(group):
        start(group, lambda: raises(loop, ValueError("child")))

    @do
    def uses(group):
        yield Await(starts(group))
        yield Await(forever(loop))

    error = value(loop, place(Try(within(opened, uses)))).error
    assert isinstance(error, ExceptionGroup)
    assert [str(one) for one in error.exceptions] == ["child"]


@places
@groups
def test_time_limit_inside_of_a_group_strikes_one_await_and_leaves_the_group(loop, opened, start, place):
    log = []

    async def child():
        await loop.sleep(0.01)
        log.append("child")

    async def starts(group):
        start(group, child)

    @do
    def uses(group):
        yield Await(starts(group))
        limited = yield Try(timeout(0.001, Await(forever(loop))))
        yield Await(after(loop, 0))
        return type(limited.error)

    assert value(loop, place(within(opened, uses))) is TimeoutError
    assert log == ["child"]


def starting(loop, start, log):
    """Starts a child of a group that waits for ever, and tells when it has ended."""

    async def child():
        try:
            await forever(loop)
        finally:
            log.append("child")

    async def starts(group):
        start(group, child)

    return starts


@places
@groups
def test_time_limit_around_a_group_cancels_it_and_is_a_timeout_error(loop, opened, start, place):
    """A nursery makes a group of what ends its body: a cancellation goes on as it is."""
    log = []
    starts = starting(loop, start, log)
    program = within(opened, lambda group: Await(starts(group)).flat_map(lambda _: Await(forever(loop))))
    assert isinstance(value(loop, place(Try(timeout(0.05, program)))).error, TimeoutError)
    assert log == ["child"]


@places
@groups
def test_time_limit_strikes_a_group_that_waits_for_its_children(loop, opened, start, place):
    log = []
    starts = starting(loop, start, log)
    program = within(opened, lambda group: Await(starts(group)))
    assert isinstance(value(loop, place(Try(timeout(0.05, program)))).error, TimeoutError)
    assert log == ["child"]


class Leave(Effect[None]):
    """Whoever handles it ends its block."""


@handles(Leave)
def leave(effect, k):
    return "left"
    yield


@groups
def test_program_that_is_unwound_passes_a_group_as_it_is(loop, opened, start):
    log = []

    @do
    def uses(_group):
        try:
            yield Leave()
        except BaseException as error:
            log.append(type(error))
            raise

    assert value(loop, WithHandler(leave, within(opened, uses))) == "left"
    assert log == [Discontinued]


@groups
def test_failures_of_children_beside_a_cancellation_are_its_context(loop, opened, start):
    async def child():
        try:
            await forever(loop)
        finally:
            raise KeyError("child")

    async def starts(group):
        start(group, child)

    caught = []

    @do
    def program():
        try:
            yield within(opened, lambda group: Await(starts(group)).flat_map(lambda _: Await(forever(loop))))
        except Cancelled as error:
            caught.append(error)
            raise

    assert isinstance(value(loop, Try(timeout(0.05, program()))).error, TimeoutError)
    chain, error = [], caught[0]
    while error is not None:
        chain.append(error)
        error = error.__context__
    assert any(isinstance(one, BaseExceptionGroup) and "child" in repr(one.exceptions) for one in chain)


@places
@loops
def test_scope_of_anyio_may_be_held_around_a_program(loop, place):
    class Limited:
        """Holds a scope open from its enter to its exit."""

        async def __aenter__(self):
            self.scope = anyio.CancelScope(deadline=math.inf)
            return self.scope.__enter__()

        async def __aexit__(self, *error):
            return self.scope.__exit__(*error)

    @do
    def uses(scope):
        yield Await(cancels(scope))
        yield Await(forever(loop))

    async def cancels(scope):
        scope.cancel()

    assert value(loop, place(acontext(Limited(), uses).map(lambda _: "over"))) == "over"


@places
@loops
def test_code_of_a_program_finds_the_loop_that_it_runs_in(loop, place):
    """What libraries ask for: a task that is running, and which loop it is of."""

    @do
    def program():
        first = which_loop()
        yield Await(after(loop, 0))
        second = which_loop()
        yield Sleep(0.001)
        return {first, second, which_loop()}

    expected = "trio" if loop is TRIO else "asyncio"
    assert value(loop, place(program())) == {expected}


def which_loop():
    """Which loop runs here; anyio asks for its task as well."""
    anyio.get_current_task()
    return sniffio.current_async_library()


class Slow:
    """A manager that says how it is left, which takes some turns of the loop."""

    def __init__(self, loop, log):
        self.loop, self.log = loop, log

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        self.log.append(kind)
        await self.loop.at_rest(after(self.loop, 0.001))
        self.log.append("left")


@places
@loops
def test_manager_is_left_whatever_is_due_when_its_use_has_ended(loop, place):
    """A cancellation that meets the `Await` of `__aexit__` before it was begun: it is begun, with that error."""
    log = []

    @do
    def program():
        yield Try(timeout(0, acontext(Slow(loop, log), lambda _: Pure("used"))))
        yield Sleep(0.005)

    @do
    def cancels_itself(_):
        yield Cancel((yield CurrentTask()))

    value(loop, place(program()))
    value(loop, Spawn(acontext(Slow(loop, log), cancels_itself)).flat_map(lambda task: Try(Wait(task))))
    assert log[-2:] == [Cancelled, "left"]
    assert log[:-2] in ([], [Cancelled, "left"]), "what was not entered is not left"


@places
@loops
def test_manager_is_left_when_its_task_is_cancelled_before_the_loop_heard_of_it(loop, place):
    """The `Await` of `__aexit__` is performed, and the loop had no turn."""
    log = []

    @do
    def program():
        task = yield Spawn(acontext(Slow(loop, log), lambda _: Yield().map(lambda _: "used")))
        while not log and not task.done:
            yield Await(loop.sleep(0))
            yield Yield()
            yield Cancel(task)
        return (yield Try(Wait(task)))

    value(loop, place(program()))
    assert log in ([Cancelled, "left"], [None, "left"], []), "what was not entered is not left"


@loops
def test_generator_is_closed_whatever_is_due_when_the_iteration_has_ended(loop):
    log = []

    async def letters():
        try:
            yield "a"
            yield "b"
        finally:
            log.append("closed")

    @do
    def cancels_itself(_):
        yield Cancel((yield CurrentTask()))
        raise KeyError("the program fails")

    task = Spawn(aiter(letters(), cancels_itself)).flat_map(lambda task: Try(Wait(task)))
    assert isinstance(value(loop, task).error, TaskCancelledError)
    assert log == ["closed"]
