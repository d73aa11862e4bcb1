"""What `Seal` promises: no program reaches a handler outside of the wall around it but by an effect that is allowed.

Each attempt stands here twice: behind a wall, and without it, where it does reach the handler. So no attempt is idle.
"""

import contextlib

import pytest

from segue import (
    Ask,
    Call,
    CreateContinuation,
    Delegate,
    Discontinue,
    Discontinued,
    Effect,
    Handler,
    Inherit,
    Listen,
    Local,
    Pass,
    Pure,
    Put,
    Resume,
    ResumeThrow,
    Seal,
    Tell,
    Transfer,
    Try,
    UnhandledEffectError,
    WithHandler,
    WithIntercept,
    answers,
    bracket,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
    writer,
)
from vocabulary import Ping, Pong, pong


class Secret(Effect[str]):
    """What the wall does not let pass."""


class Vault(Handler):
    """Answers `Secret`, outside of the wall."""

    def __init__(self, reached):
        self.reached = reached

    @answers(Secret)
    def secret(self, effect):
        self.reached.append(effect)
        return "secret"


def reached_by(program, *, walled):
    """The secrets that were given away while the program ran, and how it ended."""
    reached = []
    inside = Seal([Pong], program) if walled else program
    result = run(inside, handlers=[Vault(reached), pong])
    return reached, result


# Programs that try.


@do
def steals():
    return (yield Secret())


@do
def steals_in_finally():
    try:
        yield Ping()
    finally:
        yield Secret()


@do
def steals_when_ended():
    with contextlib.suppress(Discontinued):
        yield Ping()
    return (yield Secret())


@do
def steals_when_thrown_into():
    try:
        yield Ping()
    except ValueError:
        yield Secret()


@do
def steals_when_resumed():
    yield Ping()
    return (yield Secret())


class Hooks(Handler):
    """A handler one of whose hooks performs."""

    def __init__(self, hook):
        self.hook = hook

    def tries(self, hook):
        return Secret() if hook == self.hook else Pure(None)

    def enter(self):
        yield self.tries("enter")

    def result(self, value):
        yield self.tries("result")

    def error(self, error):
        yield self.tries("error")

    def exit(self):
        yield self.tries("exit")


def under(clause, program, mark=None):
    """The program inside a handler with this clause, a control clause for `Ping` unless marked otherwise."""
    return WithHandler((mark or handles(Ping))(clause), program)


def value_clause(e):
    return (yield Secret())


def control_clause(e, k):
    return Resume(k, (yield Secret()))


def delegates(e):
    return (yield Delegate())


def passes(e, k):
    return Pass()


def ends(e, k):
    return "ended"


def discontinues(e, k):
    yield Discontinue(k)


def throws(e, k):
    return ResumeThrow(k, ValueError())


def resumes(e, k):
    return Resume(k, 1)


def keeps_and_drops(e, k):
    k.keep()


def inherits(e, k):
    return Resume(k, (yield Inherit(k, Secret())))


def transfers_to_a_made_one(e, k):
    made = yield CreateContinuation(steals(), [])
    yield Transfer(made, None)


@do
def resumes_a_kept_one():
    kept = []

    def keeps(e, k):
        kept.append(k.keep())

    yield under(keeps, steals_when_resumed())
    return (yield Resume(kept[0], 1))


@do
def resumes_a_made_one(*handlers):
    return (yield Resume((yield CreateContinuation(steals(), handlers)), None))


@do
def steals_after_a_refusal():
    try:
        yield Secret()
    except UnhandledEffectError as error:
        return (yield error.effect)


ATTEMPTS = {
    "perform": Secret(),
    "program": steals(),
    "again, by the effect of the error": steals_after_a_refusal(),
    "Try": Try(steals()),
    "Call": Call(steals),
    "flat_map": Pure(None).flat_map(lambda _: Secret()),
    "Local": Local({"a": 1}, steals()),
    "Listen": Listen(steals()),
    "bracket, acquire": bracket(Secret(), Pure, Pure),
    "bracket, use": bracket(Pure(1), lambda _: Secret(), Pure),
    "bracket, release": bracket(Pure(1), Pure, lambda _: Secret()),
    "lazy value of a reader": WithHandler(reader({"a": lazy(steals())}), Ask("a")),
    "lazy value of Local": Local({"a": lazy(steals())}, Ask("a")),
    "value clause": under(value_clause, Ping(), answers(Ping)),
    "control clause": under(control_clause, Ping()),
    "Delegate in a clause": under(delegates, Secret(), answers(Secret)),
    "Pass in a clause": under(passes, Secret(), handles(Secret)),
    "interceptor": WithIntercept(lambda e: Secret() if type(e) is Pong else e, Pong()),
    "hook enter": Hooks("enter")(Pure(1)),
    "hook result": Hooks("result")(Pure(1)),
    "hook error": Hooks("error")(Call(lambda: Pure(1 / 0))),
    "hook exit": Hooks("exit")(Pure(1)),
    "finally of an ended body": under(ends, steals_in_finally()),
    "finally of a discontinued body": under(discontinues, steals_in_finally()),
    "body that goes on when it is ended": under(ends, steals_when_ended()),
    "body that is thrown into": under(throws, steals_when_thrown_into()),
    "body that is resumed": under(resumes, steals_when_resumed()),
    "kept continuation": resumes_a_kept_one(),
    "made continuation": resumes_a_made_one(),
    "made continuation with handlers": resumes_a_made_one(state, reader({})),
    "Transfer to a made continuation": under(transfers_to_a_made_one, Ping()),
    "Inherit": under(inherits, Ping()),
    "wall inside": Seal([Secret], steals()),
}
each_attempt = pytest.mark.parametrize("program", ATTEMPTS.values(), ids=ATTEMPTS)


@each_attempt
def test_no_program_behind_the_wall_reaches_a_handler_outside(program):
    assert reached_by(program, walled=True)[0] == []


@each_attempt
def test_each_attempt_reaches_the_handler_without_the_wall(program):
    assert len(reached_by(program, walled=False)[0]) >= 1


def test_clean_up_of_a_lost_continuation_reaches_nobody_at_the_root(unraisable):
    """It is unwound outside of the wall, where only the handlers that it contains are left (semantics 3)."""
    reached, result = reached_by(under(keeps_and_drops, steals_in_finally()), walled=True)
    assert reached == []
    (error,) = [error for error, _ in result.unobserved]
    assert isinstance(error, UnhandledEffectError)


# Continuations from outside, used inside.


@do
def waits_then_steals():
    yield Ping()
    return (yield Secret())


def use_inside(use):
    """Behind a wall, use a continuation that a handler outside kept; what it reached, and how the run ended."""
    reached, kept = [], []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())

    @handles(Pong)
    def inside(e, k):
        return (yield use(kept[0]))

    @do
    def program():
        yield WithHandler(keeps, waits_then_steals())
        return (yield Seal([], WithHandler(inside, Pong())))

    return reached, run(program(), handlers=[Vault(reached)])


@pytest.mark.parametrize(
    "use",
    [
        lambda k: Resume(k, 1),
        lambda k: Transfer(k, 1),
        lambda k: Inherit(k, Secret()),
        lambda k: CreateContinuation(Resume(k, 1), []).flat_map(lambda made: Resume(made, None)),
    ],
    ids=["Resume", "Transfer", "Inherit", "made"],
)
def test_continuation_from_outside_goes_on_behind_the_wall_where_it_is_used(use):
    reached, result = use_inside(use)
    assert reached == []
    assert isinstance(result.error, UnhandledEffectError)
    assert result.error.effect == Secret()


@pytest.mark.parametrize("end", [ends, discontinues, throws], ids=["ended", "discontinued", "thrown into"])
def test_body_that_a_clause_outside_ends_is_still_behind_its_wall(end):
    for body in (steals_in_finally(), steals_when_ended(), steals_when_thrown_into()):
        reached = []
        run(under(end, Seal([Ping], body)), handlers=[Vault(reached)])
        assert reached == []


def test_body_that_a_clause_outside_forks_takes_its_wall_along():
    reached = []
    result = run(under(inherits, Seal([Ping], Ping())), handlers=[Vault(reached)])
    assert reached == []
    assert isinstance(result.error, UnhandledEffectError)


# Built-in programs: their own way outward stops at the wall too.


@pytest.mark.parametrize(
    ("program", "effect"),
    [(Local({"a": 1}, Ask("b")), Ask("b")), (Listen(Tell("x")), Tell("x"))],
    ids=["Local", "Listen"],
)
def test_local_and_listen_ask_outside_only_for_what_is_allowed(program, effect):
    handlers = [writer, reader({"b": "outside"})]
    result = run(Seal([Put], program), handlers=handlers)
    assert isinstance(result.error, UnhandledEffectError)
    assert result.error.effect == effect
    assert list(result.log) == []
    assert run(Seal([type(effect)], program), handlers=handlers).is_ok()
