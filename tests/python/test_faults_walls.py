"""Faults of confinement (C-rows): what a walled program may try where a clause or an interceptor stands outside."""

import pytest

from segue import (
    Ask,
    CreateContinuation,
    Delegate,
    Discontinue,
    Effect,
    GetContinuation,
    GetExecutionContext,
    GetHandlers,
    Listen,
    Local,
    Pass,
    Resume,
    Seal,
    Tell,
    Transfer,
    TransferThrow,
    Try,
    WithHandler,
    WithIntercept,
    answers,
    do,
    handles,
    reader,
    run,
    writer,
)
from vocabulary import Ping, Pong, ask, echo, pong

# A program that a clause of an outer handler evaluates behind a wall: the clause itself stands outside.

TRICKS = {
    "perform": Ping(),
    "Delegate": Delegate(),
    "Pass": Pass(),
    "Transfer to a made continuation": CreateContinuation(Ping(), []).flat_map(lambda k: Transfer(k, None)),
    "Transfer by an interceptor": WithIntercept(
        lambda _: CreateContinuation(Ping(), []).flat_map(lambda k: Transfer(k, None)), Pong()
    ),
}


def reached_from_a_clause(trick, *, walled):
    """What reached an outer handler while a clause inside of it evaluated the trick."""
    reached = []

    @answers(Ping)
    def outer(e):
        reached.append(e)
        return "reached"

    @handles(Ping)
    def evaluates(e, k):
        value = yield Seal([Pong], trick) if walled else trick
        return Resume(k, value)

    run(Ping(), handlers=[pong, outer, evaluates])
    return reached


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_c111_program_that_a_clause_seals_does_not_reach_through_the_clause(trick):
    assert reached_from_a_clause(trick, walled=True) == []


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_c111_each_trick_reaches_through_the_clause_without_the_wall(trick):
    assert reached_from_a_clause(trick, walled=False) == [Ping()]


@pytest.mark.parametrize("use", [Discontinue, lambda k: Transfer(k, 1), lambda k: TransferThrow(k, ValueError())])
def test_c112_continuation_of_a_clause_outside_is_not_had_behind_the_wall(use):
    """With it a program would have the handlers that `k` contains, and could end or answer the clause's body."""
    log = []

    @do
    def takes():
        k = yield GetContinuation()
        log.append((yield GetHandlers(k)))
        yield use(k)

    @handles(Ping)
    def evaluates(e, k):
        yield Try(Seal([], takes()))
        assert not k.used
        return Resume(k, "the clause's own answer")

    assert run(WithHandler(evaluates, Ping()), handlers=[pong]).value == "the clause's own answer"
    assert log == []


# Interceptors outside: they see whatever passes the wall.


def delegates(e):
    return (yield Delegate())


def passes(e, k):
    return Pass()


@pytest.mark.parametrize(
    ("program", "passes_as"),
    [
        (Ping(1), Ping(1)),
        (answers(Ping)(delegates)(Ping(1)), Ping(1)),
        (handles(Ping)(passes)(Ping(1)), Ping(1)),
        (Listen(Tell("x")), Tell("x")),
        (Local({}, Ask("a")), Ask("a")),
    ],
    ids=["perform", "Delegate", "Pass", "Listen", "Local"],
)
def test_c113_nothing_passes_the_wall_behind_the_back_of_an_interceptor_outside(program, passes_as):
    """An interceptor outside sees what passes (semantics 2), also what a handler inside hands outward."""
    seen = []

    def audits(e):
        seen.append(e)
        return e

    @answers(Ping)
    def echo(e):
        return e.n

    inside = Seal([Ping, Tell, Ask], program)
    assert run(WithIntercept(audits, inside), handlers=[writer, reader({"a": 1}), echo]).is_ok()
    assert seen == [passes_as]


# What can be asked for behind a wall.


def test_errors_behind_a_wall_hold_no_handler_from_outside():
    """Names at most; and the context of the program outside is not that of the error inside."""

    def objects_of(error):
        return [
            *error.args,
            *vars(error).values(),
            error.__cause__,
            error.__context__,
            getattr(error, "__notes__", None),
        ]

    @do
    def inside():
        found = []
        for effect in (Pong(), Delegate(), Tell("x")):
            outcome = yield Try(effect)
            found.append(objects_of(outcome.error))
        return found

    @do
    def outside():
        try:
            raise KeyError("outside")
        except KeyError:
            return (yield Seal([Tell], inside()))

    for found in run(outside(), handlers=[echo, pong]).value:
        for value in found:
            assert value is None or isinstance(value, str | list | Effect)
            assert not isinstance(value, list) or all(isinstance(name, str) for name in value)


def test_c114_error_behind_a_wall_names_no_handler_from_outside():
    @do
    def inside():
        return (yield Try(Pong())).error, (yield Try(Tell("x"))).error

    errors = run(WithHandler(pong, Seal([Tell], WithHandler(echo, inside())))).value
    assert [error.handlers for error in errors] == [["echo"], ["echo"]]


def test_nothing_outside_the_wall_is_in_handlers_and_context():
    @do
    def inside():
        return (yield GetHandlers()), (yield GetExecutionContext())

    @answers(Ping)
    def clause(e):
        return (yield Seal([], WithHandler(pong, inside())))

    handlers, context = run(ask(), handlers=[echo, clause]).value
    assert list(handlers) == [pong]
    assert [(line.kind, line.name.rpartition(".")[2]) for line in context] == [
        ("program", "inside"),
        ("handler", "pong"),
    ]
