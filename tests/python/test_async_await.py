"""Semantics 8: what `Await` evaluates to and raises, where it may stand, and who answers it."""

import types

import pytest

from async_vocabulary import after, awaits, done, frames, loops, raises, value
from segue import (
    Ask,
    Await,
    Pure,
    Put,
    Spawn,
    Tell,
    Try,
    UnhandledEffectError,
    Wait,
    WithIntercept,
    answers,
    async_run,
    bracket,
    do,
    handles,
    lazy,
    reader,
    run,
    scheduler,
    state,
    writer,
)
from vocabulary import Ping, ask

pytestmark = loops


def test_value_of_a_coroutine(loop):
    assert value(loop, Await(after(loop, 0, "value"))) == "value"


def test_await_needs_no_scheduler_where_only_the_root_awaits(loop):
    """Semantics 8: `async_run` itself answers it, outermost."""

    async def main():
        first = await async_run(Await(after(loop, 0, 1)))
        second = await async_run(Await(after(loop, 0, 2)), handlers=[writer])
        return first.value, second.value

    assert loop.run(main) == (1, 2)


def test_scheduler_inside_or_outside_of_other_handlers(loop):
    @do
    def program():
        got = yield Await(after(loop, 0, 1))
        yield Tell(got)
        yield Put("n", got)
        return got

    result = done(loop, program(), state, outside=[writer])
    assert (result.value, list(result.log)) == (1, [1])


def test_object_with_await_method(loop):
    class Twice:
        def __await__(self):
            yield from after(loop, 0).__await__()
            yield from after(loop, 0).__await__()
            return "twice"

    assert value(loop, Await(Twice())) == "twice"


def test_coroutine_made_of_a_generator(loop):
    @types.coroutine
    def old():
        yield from after(loop, 0).__await__()
        return "old"

    assert value(loop, Await(old())) == "old"


def test_awaitable_that_never_suspends(loop):
    async def at_once():
        return "at once"

    assert value(loop, Await(at_once())) == "at once"
    assert value(loop, Spawn(Await(at_once())).flat_map(Wait)) == "at once"


def test_many_awaits_one_after_the_other(loop):
    @do
    def program():
        total = 0
        for n in range(3000):
            total += yield Await(after(loop, 0, n))
        return total

    assert value(loop, program()) == sum(range(3000))
    assert value(loop, Spawn(program()).flat_map(Wait)) == sum(range(3000))


@pytest.mark.parametrize("given", [Pure(1), Ping(1), None, ValueError("a value")], ids=repr)
def test_result_is_given_as_it_is(loop, given):
    """A program, an effect or an exception is a value like any other."""
    assert value(loop, Await(after(loop, 0, given))) is given


class Odd(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("x"), StopAsyncIteration(), Odd("odd")], ids=repr)
@pytest.mark.parametrize("spawned", [False, True], ids=["root", "task"])
def test_error_is_raised_at_the_yield_and_can_be_caught(loop, error, spawned):
    @do
    def program():
        try:
            yield Await(raises(loop, error))
        except BaseException as caught:
            return caught

    assert value(loop, Spawn(program()).flat_map(Wait) if spawned else program()) is error


def test_error_that_is_no_exception_leaves_async_run_with_the_result(loop):
    """Semantics 4: as from `run`."""
    error = Odd("odd")

    async def main():
        with pytest.raises(Odd) as caught:
            await async_run(Tell("told").flat_map(lambda _: Await(raises(loop, error))), handlers=[writer, scheduler])
        assert caught.value is error
        return list(error.run_result.log)

    assert loop.run(main) == ["told"]


@pytest.mark.parametrize("handlers", [[], [scheduler]], ids=["alone", "scheduler"])
def test_traceback_goes_from_the_yield_into_the_awaitable(loop, handlers):
    """Semantics 4, 8: the user's frames, none of the library's."""

    @do
    def root():
        yield Await(raises(loop, ValueError("x")))

    async def main():
        return await async_run(root(), handlers=handlers)

    assert frames(loop.run(main).error) == ["root", "raises"]


def test_traceback_of_a_task_that_awaits(loop):
    @do
    def spawned():
        yield Await(raises(loop, ValueError("x")))

    @do
    def root():
        task = yield Spawn(spawned())
        yield Wait(task)

    assert frames(done(loop, root()).error) == ["root", "spawned", "raises"]


@pytest.mark.parametrize("wrong", [3, None, "text", Pure(1), async_run], ids=["int", "None", "str", "Pure", "function"])
@pytest.mark.parametrize("handlers", [[], [scheduler]], ids=["alone", "scheduler"])
def test_what_cannot_be_awaited_is_a_type_error_at_the_yield(loop, wrong, handlers):
    @do
    def program():
        try:
            yield Await(wrong)
        except TypeError:
            return "caught"

    async def main():
        return await async_run(program(), handlers=handlers)

    assert loop.run(main).value == "caught"


# Where it stands.


def test_clause_may_await(loop):
    @answers(Ping)
    def fetches(e):
        return (yield Await(after(loop, 0, e.n + 1)))

    @handles(Ping)
    def resumes(e, k):
        got = yield Await(after(loop, 0, e.n + 2))
        return (yield k.resume(got))

    assert value(loop, ask(5), fetches) == 6
    assert value(loop, ask(5), resumes) == 7
    assert value(loop, Spawn(ask(5)).flat_map(Wait), resumes) == 7


def test_interceptor_sees_it_and_may_replace_it(loop):
    seen = []

    @do
    def watch(effect):
        seen.append(type(effect))
        return (yield Await(after(loop, 0, "replaced")) if isinstance(effect, Ping) else effect)

    @do
    def program():
        return (yield Ping(1)), (yield Await(after(loop, 0, "awaited")))

    assert value(loop, WithIntercept(watch, program())) == ("replaced", "awaited")
    assert seen == [Ping, Await]


def test_try_bracket_and_lazy_values_may_await(loop):
    log = []
    resource = bracket(
        Await(after(loop, 0, "resource")),
        lambda got: Await(raises(loop, ValueError(got))),
        lambda got: Await(after(loop, 0)).map(lambda _: log.append(f"released {got}")),
    )
    env = {"config": lazy(Await(after(loop, 0, "read")))}

    @do
    def program():
        return (yield Ask("config")), (yield Try(resource)).error.args

    assert value(loop, program(), outside=[reader(env)]) == ("read", ("resource",))
    assert log == ["released resource"]


def test_handler_of_the_user_answers_it_instead_of_the_loop(loop):
    """Await is an effect like any other: a test may answer it."""

    @answers(Await)
    def canned(e):
        return f"canned {e.awaitable}"

    assert value(loop, Await("url"), canned) == "canned url"
    assert run(Await("url"), handlers=[canned]).value == "canned url"


def test_runs_nest_in_what_is_awaited(loop):
    """Semantics 5, 8: a run inside of what is awaited sees no outer handlers and awaits in the same loop."""

    @do
    def inner(n):
        task = yield Spawn(awaits(loop, n))
        return (yield Wait(task)) + (yield Await(after(loop, 0, 10)))

    async def nested(n):
        assert isinstance(run(Ping(1)).error, UnhandledEffectError)
        return (await async_run(inner(n), handlers=[scheduler])).value

    @do
    def outer():
        task = yield Spawn(Await(nested(1)))
        return (yield Await(nested(2))), (yield Wait(task))

    assert value(loop, outer()) == (12, 11)
