"""Semantics 7 and 8: context variables around and inside of awaits, of the root and of tasks."""

import contextvars

import pytest

from async_vocabulary import Trio, after, done, forever, loops, value
from segue import (
    Await,
    CreateExternalPromise,
    Effect,
    Gather,
    Handler,
    Sleep,
    Spawn,
    Try,
    Wait,
    acontext,
    aiter,  # noqa: A004 - what Python calls it
    answers,
    async_run,
    await_handler,
    do,
    run,
    scheduler,
    timeout,
)
from tasks_vocabulary import spawn_all

NAME = contextvars.ContextVar("NAME", default="nobody")


async def sets(loop, name):
    await loop.sleep(0)
    NAME.set(name)
    await loop.sleep(0)


async def reads(loop):
    await loop.sleep(0)
    return NAME.get()


@do
def speaks(loop, name):
    """What the program and what it awaits see of each other, before and after several waits."""
    seen = [(yield Await(reads(loop)))]
    NAME.set(f"{name} in the program")
    seen.append((yield Await(reads(loop))))
    yield Await(sets(loop, f"{name} awaited"))
    seen.append(NAME.get())
    yield Sleep(0.001)
    seen.extend([NAME.get(), (yield Await(reads(loop)))])
    return seen


def expected(before, name):
    return [before, f"{name} in the program", *[f"{name} awaited"] * 3]


@loops
def test_root_and_caller_share_their_variables(loop):
    """A07: as a coroutine and the coroutine that awaits it: both ways, and they stay."""

    async def main():
        NAME.set("caller")
        seen = (await async_run(speaks(loop, "root"), handlers=[scheduler])).value
        return seen, NAME.get()

    assert loop.run(main) == (expected("caller", "root"), "root awaited")
    assert NAME.get() == "nobody"


@loops
def test_each_task_has_a_copy_from_where_it_was_spawned(loop):
    """Semantics 7: "a task's code always runs in that task's context, copied at `Spawn`", also what it awaits."""

    @do
    def program():
        NAME.set("root")
        tasks = yield spawn_all(speaks(loop, "a"), speaks(loop, "b"))
        NAME.set("root later")
        mine = yield Await(reads(loop))
        return [*(yield Gather(*tasks)), mine, NAME.get()]

    assert value(loop, program()) == [expected("root", "a"), expected("root", "b"), "root later", "root later"]


@loops
def test_task_of_a_task_copies_what_was_set_by_an_await(loop):
    @do
    def parent():
        yield Await(sets(loop, "parent"))
        task = yield Spawn(speaks(loop, "child"))
        return (yield Wait(task)), NAME.get()

    assert value(loop, Spawn(parent()).flat_map(Wait)) == (expected("parent", "child"), "parent")


@loops
def test_variable_that_is_set_before_an_await_that_fails_or_is_cancelled_stays(loop):
    async def sets_and_fails():
        NAME.set("failed")
        raise ValueError

    async def sets_and_waits():
        NAME.set("cancelled")
        await forever(loop)

    @do
    def program():
        yield Try(Await(sets_and_fails()))
        first = NAME.get()
        yield Try(timeout(0.002, Await(sets_and_waits())))
        return first, NAME.get()

    assert value(loop, program()) == ("failed", "cancelled")
    assert value(loop, Spawn(program()).flat_map(Wait)) == ("failed", "cancelled")


@loops
def test_token_of_an_await_resets_in_the_next(loop):
    """A token belongs to the context in which it was made: of one task all awaits are in the same."""
    tokens = []

    async def enters():
        tokens.append(NAME.set("inside"))

    async def leaves():
        NAME.reset(tokens.pop())

    @do
    def program():
        yield Await(enters())
        inside = NAME.get()
        yield Sleep(0)
        yield Await(leaves())
        return inside, NAME.get()

    assert value(loop, program()) == ("inside", "nobody")
    assert value(loop, Spawn(program()).flat_map(Wait)) == ("inside", "nobody")


@loops
def test_context_manager_and_iteration_are_in_the_context_of_the_program(loop):
    class Named:
        async def __aenter__(self):
            self.token = NAME.set("managed")

        async def __aexit__(self, *error):
            NAME.reset(self.token)

    async def names():
        for name in "ab":
            NAME.set(name)
            yield name

    seen = []

    @do
    def program():
        inside = yield acontext(Named(), lambda _: Await(reads(loop)))
        yield aiter(names(), lambda _: Await(reads(loop)).map(seen.append))
        return inside, NAME.get()

    assert value(loop, program()) == ("managed", "b")
    assert seen == ["a", "b"]


@loops
def test_what_wakes_a_task_leaves_it_in_its_own_context(loop):
    """The callback, the timer and the thread that wake it have others."""

    @do
    def waits(name):
        NAME.set(name)
        external = yield CreateExternalPromise()
        loop.soon(lambda: (NAME.set("callback"), external.complete(None)))
        yield Wait(external)
        first = NAME.get()
        yield Sleep(0.001)
        return first, NAME.get()

    @do
    def program():
        task = yield Spawn(waits("task"))
        return (yield waits("root")), (yield Wait(task)), NAME.get()

    assert value(loop, program()) == (("root", "root"), ("task", "task"), "root")


@loops
def test_library_that_asks_for_its_loop_finds_it_in_each_task(loop):
    """sniffio, as anyio and httpx use it, asks for the loop by the context or by the thread."""
    import sniffio

    async def which():
        return sniffio.current_async_library()

    @do
    def program():
        task = yield Spawn(Await(which()))
        return (yield Await(which())), (yield Wait(task))

    name = "trio" if isinstance(loop, Trio) else "asyncio"
    assert value(loop, program()) == (name, name)


@pytest.mark.parametrize("spawned", [False, True], ids=["root", "task"])
def test_await_handler_goes_both_ways_too(spawned):
    """A07, in a plain `run`."""
    from async_vocabulary import ASYNCIO

    program = speaks(ASYNCIO, "script")
    context = contextvars.copy_context()
    handlers = [scheduler, await_handler()]
    result = context.run(lambda: run(Spawn(program).flat_map(Wait) if spawned else program, handlers=handlers))
    assert result.value == expected("nobody", "script")


@loops
def test_nothing_leaks_into_the_next_run(loop):
    async def main():
        results = []
        for name in "ab":
            program = Spawn(speaks(loop, name)).flat_map(Wait)
            results.append((await async_run(program, handlers=[scheduler])).value)
        return results, NAME.get()

    assert loop.run(main) == ([expected("nobody", "a"), expected("nobody", "b")], "nobody")
    assert done(loop, Await(after(loop, 0, 1))).value == 1


class Asks(Effect):
    name: str


class Keeps(Handler):
    """Stands outside of the scheduler, and keeps in a variable who asked last."""

    def __init__(self, loop):
        self.loop = loop

    @answers(Asks)
    def asks(self, effect):
        before = NAME.get()
        NAME.set(f"asked by {effect.name}")
        yield Await(after(self.loop, 0))
        return before, NAME.get()


@loops
def test_a_clause_outside_of_the_scheduler_has_one_context_whichever_task_performs(loop):
    """It is the root's, whoever drives the run meanwhile; no task sees what it sets."""

    @do
    def task(name):
        NAME.set(name)
        seen = []
        for _ in range(3):
            yield Await(after(loop, 0))
            before, now = yield Asks(name)
            seen.append(before)
            assert (now, NAME.get()) == (f"asked by {name}", name)
        return seen

    @do
    def program():
        NAME.set("root")
        return (yield Gather(*(yield spawn_all(task("a"), task("b")))))

    first, second = value(loop, program(), outside=[Keeps(loop)])
    seen = [*first, *second]
    assert seen.count("root") == 1
    assert set(seen) == {"root", "asked by a", "asked by b"}
