"""Semantics 2: interceptors see every effect of an extent; walls let only listed classes past."""

import pytest

from segue import (
    CreateContinuation,
    Delegate,
    GetExecutionContext,
    GetHandlers,
    Handler,
    Inherit,
    Pass,
    Perform,
    Pure,
    Resume,
    Seal,
    Tell,
    Try,
    UnhandledEffectError,
    WithHandler,
    WithIntercept,
    answers,
    do,
    handles,
    run,
    writer,
)
from vocabulary import Fork, Ping, Pong, ask, echo, pong, twice


class Louder(Ping):
    pass


@do
def caught(program):
    """What `program` comes to, or the effect that was unhandled."""
    try:
        return (yield program)
    except UnhandledEffectError as e:
        return ("unhandled", e.effect)


def spy(seen, name=None):
    """An interceptor that notes each effect and lets it be."""

    def f(e):
        seen.append(e if name is None else (name, e))
        return e

    return f


# Interceptors.


def test_interceptor_sees_each_effect_once():
    seen = []
    assert run(WithIntercept(spy(seen), twice()), handlers=[echo]).value == (1, 2)
    assert seen == [Ping(1), Ping(2)]


def test_interceptor_may_change_the_effect():
    program = WithIntercept(lambda e: Ping(e.n * 10), twice())
    assert run(program, handlers=[echo]).value == (10, 20)


def test_interceptor_may_answer_with_a_program_and_no_handler_is_needed():
    assert run(WithIntercept(lambda e: Pure(e.n * 10), twice())).value == (10, 20)


def test_interceptor_may_run_a_whole_program_around_the_effect():
    @do
    def doubled(e):
        yield Tell("before")
        v = yield e
        yield Tell("after")
        return v * 2

    r = run(WithIntercept(doubled, ask(3)), handlers=[writer, echo])
    assert (r.value, list(r.log)) == (6, ["before", "after"])


def test_innermost_interceptor_is_first_and_what_it_performs_is_seen_by_the_outer_one():
    seen = []
    program = WithIntercept(spy(seen, "outer"), WithIntercept(spy(seen, "inner"), ask(1)))
    assert run(program, handlers=[echo]).value == 1
    assert seen == [("inner", Ping(1)), ("outer", Ping(1))]


def test_outer_interceptor_sees_what_the_inner_one_made_of_the_effect():
    seen = []

    def silences(e):
        return Pure(0) if e.n == 1 else Ping(e.n + 1)

    program = WithIntercept(spy(seen), WithIntercept(silences, twice()))
    assert run(program, handlers=[echo]).value == (0, 3)
    assert seen == [Ping(3)]


def test_the_program_of_an_interceptor_is_not_seen_by_itself():
    """Semantics 2: `f` is skipped by what its own program performs."""
    seen = []

    def f(e):
        seen.append(e)
        return asks(e)

    @do
    def asks(e):
        return (yield Ping(e.n + 1)) + (yield nested())

    @do
    def nested():
        return (yield Ping(100))

    assert run(WithIntercept(f, ask(1)), handlers=[echo]).value == 102
    assert seen == [Ping(1)]


def test_clauses_of_handlers_inside_the_extent_are_seen():
    """Semantics 2: handlers running inside the extent included, even while they answer `f`'s own program."""
    seen = []

    @answers(Ping)
    def asks_pong(e):
        return (yield Pong())

    program = WithIntercept(spy(seen), WithHandler(asks_pong, ask()))
    assert run(program, handlers=[pong]).value == "pong"
    assert seen == [Ping(), Pong()]


def test_clauses_of_handlers_outside_the_extent_are_not_seen():
    seen = []

    @answers(Ping)
    def asks_pong(e):
        return (yield Pong())

    program = WithHandler(asks_pong, WithIntercept(spy(seen), ask()))
    assert run(program, handlers=[pong]).value == "pong"
    assert seen == [Ping()]


def test_effect_that_a_clause_performs_again_is_seen_again():
    seen = []

    @answers(Ping)
    def again(e):
        return (yield Ping(e.n + 1))

    program = WithIntercept(spy(seen), WithHandler(again, ask(1)))
    assert run(program, handlers=[echo]).value == 2
    assert seen == [Ping(1), Ping(2)]


def test_delegate_is_seen():
    """Semantics 2: Delegate is a perform."""
    seen = []

    @answers(Ping)
    def delegates(e):
        return (yield Delegate())

    program = WithIntercept(spy(seen), WithHandler(delegates, ask(1)))
    assert run(program, handlers=[echo]).value == 1
    assert seen == [Ping(1), Ping(1)]


def test_pass_is_not_seen():
    seen = []

    @handles(Ping)
    def passes(e, k):
        return Pass()

    program = WithIntercept(spy(seen), WithHandler(passes, ask(1)))
    assert run(program, handlers=[echo]).value == 1
    assert seen == [Ping(1)]


def test_extent_ends_with_the_program():
    seen = []

    @do
    def program():
        yield Ping(1)
        yield WithIntercept(spy(seen), ask(2))
        yield Ping(3)

    run(program(), handlers=[echo])
    assert seen == [Ping(2)]


def test_extent_of_a_continuation_goes_with_it():
    """The rest of the body is inside the extent, wherever it is resumed."""
    seen = []

    @handles(Ping)
    def clause(e, k):
        return ("handled", (yield Resume(k, e.n)))

    program = WithHandler(clause, WithIntercept(spy(seen), twice()))
    assert run(program).value == ("handled", ("handled", (1, 2)))
    assert seen == [Ping(1), Ping(2)]


def test_error_of_the_interceptor_is_raised_at_the_perform():
    def fails(e):
        raise ValueError(f"no {e.n}")

    @do
    def body():
        try:
            yield Ping(1)
        except ValueError as e:
            return str(e)

    assert run(WithIntercept(fails, body()), handlers=[echo]).value == "no 1"


def test_guard_does_not_leak_after_an_exception():
    """Semantics 2: the guard never leaks."""
    seen = []

    @do
    def fails(e):
        seen.append(e)
        yield Pong()
        raise ValueError("no")

    @do
    def body():
        for n in (1, 2, 3):
            yield Try(Ping(n))

    run(WithIntercept(fails, body()), handlers=[echo, pong])
    assert seen == [Ping(1), Ping(2), Ping(3)]


def test_guard_does_not_leak_when_the_interceptors_program_is_ended():
    seen = []

    @handles(Pong)
    def ends(e, k):
        return "ended"

    def f(e):
        seen.append(e)
        return Pong() if e == Ping(1) else e

    @do
    def body():
        first = yield WithHandler(ends, ask(1))
        return first, (yield Ping(2))

    assert run(WithIntercept(f, body()), handlers=[echo]).value == ("ended", 2)
    assert seen == [Ping(1), Ping(2)]


def test_guard_is_copied_to_what_the_interceptors_program_opens():
    """Semantics 2: guard state is copied to segments that `f`'s program opens."""
    seen = []

    @do
    def f(e):
        seen.append(e)
        return (yield WithHandler(pong, ask(5)))

    assert run(WithIntercept(f, ask(1)), handlers=[echo]).value == 5
    assert seen == [Ping(1)]


@pytest.mark.parametrize("given", [3, None, "text", ask])
def test_interceptor_must_give_a_program_or_an_effect(given):
    """Semantics 1: anything else is a TypeError at the yield."""

    @do
    def body():
        try:
            yield Ping()
        except TypeError:
            return "caught"

    assert run(WithIntercept(lambda e: given, body()), handlers=[echo]).value == "caught"


def test_interceptor_takes_the_result_of_its_program_as_a_value():
    inner = Pure(1)
    assert run(WithIntercept(lambda e: Pure(inner), ask())).value is inner


def test_effects_of_clean_up_are_seen():
    seen = []

    @handles(Ping)
    def ends(e, k):
        return "ended"

    @do
    def body():
        try:
            yield Ping()
        finally:
            yield Tell("cleaned")

    program = WithHandler(ends, WithIntercept(spy(seen), body()))
    assert run(program, handlers=[writer]).value == "ended"
    assert seen == [Ping(), Tell("cleaned")]


def test_life_cycle_of_handlers_inside_the_extent_is_seen():
    seen = []

    class Performs(Handler):
        def enter(self):
            yield Pong("enter")

        def exit(self):
            yield Pong("exit")

    run(WithIntercept(spy(seen), Performs()(ask(1))), handlers=[echo, pong])
    assert seen == [Pong("enter"), Ping(1), Pong("exit")]


# Walls.


def test_listed_classes_pass():
    assert run(Seal([Ping], twice()), handlers=[echo]).value == (1, 2)
    assert run(Seal({Ping, Pong}, Pong()), handlers=[pong]).value == "pong"
    assert run(Seal(iter([Ping]), ask(1)), handlers=[echo]).value == 1


def test_the_rest_is_unhandled_at_the_perform():
    """Semantics 2: catchable there, and the program goes on."""

    @do
    def body():
        refused = yield caught(Pong())
        return refused, (yield Ping(1))

    assert run(Seal([Ping], body()), handlers=[echo, pong]).value == (("unhandled", Pong()), 1)


def test_empty_wall_stops_every_effect():
    assert run(Seal([], Pure(1))).value == 1
    assert run(Seal([], caught(ask())), handlers=[echo]).value == ("unhandled", Ping())


def test_c05_wall_allows_by_exact_class():
    """A subclass and a `__class__` that lies get no further."""

    class Liar(Pong):
        @property
        def __class__(self):
            return Ping

    assert run(Seal([Ping], caught(Louder(1))), handlers=[echo]).value == ("unhandled", Louder(1))
    error = run(Seal([Ping], Liar()), handlers=[echo, pong]).error
    assert isinstance(error, UnhandledEffectError)


def test_handlers_inside_the_wall_are_free():
    program = Seal([], WithHandler(echo, twice()))
    assert run(program).value == (1, 2)


def test_clauses_inside_the_wall_stand_behind_it_too():
    @answers(Ping)
    def asks_pong(e):
        return (yield caught(Pong()))

    assert run(Seal([Ping], WithHandler(asks_pong, ask())), handlers=[pong]).value == ("unhandled", Pong())


def test_wall_does_not_change_handlers_outside_of_it():
    @answers(Ping)
    def asks_pong(e):
        return (yield Pong())

    assert run(Seal([Ping], ask()), handlers=[pong, asks_pong]).value == "pong"


def test_walls_nest_and_each_one_counts():
    program = Seal([Ping], Seal([Ping, Pong], caught(Pong())))
    assert run(program, handlers=[pong]).value == ("unhandled", Pong())
    assert run(Seal([Ping, Pong], Seal([Ping], ask(1))), handlers=[echo]).value == 1


def test_wall_ends_with_its_program():
    @do
    def program():
        first = yield Seal([], caught(Pong()))
        return first, (yield Pong())

    assert run(program(), handlers=[pong]).value == (("unhandled", Pong()), "pong")


def test_wall_stops_get_handlers():
    @do
    def body():
        return (yield GetHandlers())

    assert list(run(Seal([Ping], WithHandler(pong, body())), handlers=[echo]).value) == [pong]


def test_wall_stops_get_execution_context():
    @do
    def outside_the_wall():
        return (yield Seal([], inside_the_wall()))

    @do
    def inside_the_wall():
        return (yield GetExecutionContext())

    text = str(run(outside_the_wall(), handlers=[echo]).value)
    assert "inside_the_wall" in text
    assert "outside_the_wall" not in text
    assert "echo" not in text


def test_wall_stops_pass():
    @handles(Ping)
    def passes(e, k):
        return Pass()

    program = Seal([Pong], WithHandler(passes, caught(ask())))
    assert run(program, handlers=[echo]).value == ("unhandled", Ping())
    assert run(Seal([Ping], WithHandler(passes, ask(1))), handlers=[echo]).value == 1


def test_wall_stops_delegate():
    @handles(Ping)
    def delegates(e, k):
        v = yield caught(Delegate())
        return Resume(k, v)

    program = Seal([Pong], WithHandler(delegates, ask()))
    assert run(program, handlers=[echo]).value == ("unhandled", Ping())


def test_interceptor_outside_the_wall_sees_only_what_passes():
    seen = []

    @do
    def body():
        yield caught(Pong())
        yield Ping(1)

    run(WithIntercept(spy(seen), Seal([Ping], body())), handlers=[echo, pong])
    assert seen == [Ping(1)]


def test_interceptor_inside_the_wall_sees_everything_and_stands_behind_it():
    seen = []

    def turns(e):
        seen.append(e)
        return Pong() if e == Ping(2) else e

    @do
    def body():
        return (yield caught(Pong())), (yield Ping(1)), (yield caught(Ping(2)))

    program = Seal([Ping], WithIntercept(turns, body()))
    value = run(program, handlers=[echo, pong]).value
    assert value == (("unhandled", Pong()), 1, ("unhandled", Pong()))
    assert seen == [Pong(), Ping(1), Ping(2)]


def test_interceptor_outside_cannot_reach_around_the_wall():
    """Its program runs where the effect was performed, behind the wall."""
    program = WithIntercept(lambda e: Pong(), Seal([Ping], caught(ask())))
    assert run(program, handlers=[echo, pong]).value == ("unhandled", Pong())


def test_exceptions_pass_the_wall():
    error = ValueError("x")

    @do
    def body():
        yield Ping()
        raise error

    assert run(Try(Seal([Ping], body())), handlers=[echo]).value.error is error


def test_wall_goes_with_a_captured_body():
    """A body resumed by a handler outside is still behind its own wall."""

    @handles(Ping)
    def clause(e, k):
        return (yield WithHandler(pong, Resume(k, e.n)))

    @do
    def body():
        yield Ping()
        return (yield caught(Pong()))

    assert run(WithHandler(clause, Seal([Ping], body()))).value == ("unhandled", Pong())


def test_kept_continuation_resumed_inside_does_not_widen_the_wall():
    """Semantics 2: kept continuations resumed inside do not widen it."""
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    @do
    def body():
        yield Ping()
        return (yield caught(Pong()))

    @do
    def program():
        yield WithHandler(keeps, body())
        return (yield Seal([Ping], Resume(kept[0], 1)))

    assert run(program(), handlers=[pong]).value == ("unhandled", Pong())


def test_created_continuation_resumed_inside_does_not_widen_the_wall():
    @do
    def program():
        k = yield CreateContinuation(caught(Pong()), [])
        return (yield Seal([Ping], Resume(k, None)))

    assert run(program(), handlers=[pong]).value == ("unhandled", Pong())


@handles(Fork)
def spawns(e, k):
    value = yield Inherit(k, e.program)
    return Resume(k, value)


def test_inherit_copies_the_walls_inside_k():
    program = WithHandler(spawns, Seal([Fork, Ping], Perform(Fork(caught(Pong())))))
    assert run(program, handlers=[echo, pong]).value == ("unhandled", Pong())
    program = WithHandler(spawns, Seal([Fork, Ping], Perform(Fork(ask(1)))))
    assert run(program, handlers=[echo, pong]).value == 1


def test_inherit_leaves_the_wall_around_it():
    """Semantics 2: Inherit copies the walls inside `k`, and the one around stays."""
    program = Seal([Ping], WithHandler(spawns, Perform(Fork(caught(Pong())))))
    assert run(program, handlers=[pong]).value == ("unhandled", Pong())
