"""Semantics 2: a clause hands its effect outward, with its `k` or without."""

import pytest

from control_vocabulary import catches, guarded, refused
from segue import (
    ContinuationError,
    CreateContinuation,
    Delegate,
    GetContinuation,
    GetHandlers,
    Pass,
    Pure,
    Resume,
    SegueError,
    Transfer,
    UnhandledEffectError,
    WithHandler,
    answers,
    do,
    handles,
    run,
)
from vocabulary import Ping, ask, echo, pong, twice

# Pass.


def tagging(name, log):
    @handles(Ping)
    def clause(e, k):
        log.append(name)
        return Pass()

    return clause


def test_pass_hands_effect_and_k_outward():
    def clause(e, k):
        yield Pass()

    def plain(e, k):
        return Pass()

    assert run(twice(), handlers=[echo, clause, plain]).value == (1, 2)


def test_pass_through_the_middle_of_three():
    log = []

    def nontail(e, k):
        return ("outer", (yield Resume(k, e.n)))

    @handles(Ping)
    def inner(e, k):
        log.append("inner")
        v = yield Delegate()
        return Resume(k, v + 100)

    assert run(ask(1), handlers=[nontail, tagging("middle", log), inner]).value == ("outer", 101)
    assert log == ["inner", "middle"]


def test_handler_that_passed_is_still_there_after_the_outer_one_resumes():
    log = []
    assert run(twice(), handlers=[echo, tagging("middle", log)]).value == (1, 2)
    assert log == ["middle", "middle"]


def test_k_that_was_passed_contains_the_handlers_between():
    """Semantics 2: Pass hands the clause's own `k` outward; its chain grows by the segments between."""
    found = []

    @handles(Ping)
    def outer(e, k):
        found.extend((yield GetHandlers(k)))
        return Resume(k, 1)

    log = []
    middle = tagging("middle", log)
    run(ask(), handlers=[outer, pong, middle])
    assert [h is g for h, g in zip(found, [middle, pong, outer], strict=True)] == [True] * 3


def test_pass_runs_the_clauses_blocks_first():
    log = []

    @handles(Ping)
    def clause(e, k):
        try:
            yield Pass()
            log.append("never")
        finally:
            log.append("clause")

    @answers(Ping)
    def outer(e):
        log.append("outer")
        return 1

    assert run(guarded(log), handlers=[outer, clause]).value == ("body", 1)
    assert log == ["clause", "outer", ("body", 1), ("body", "closed")]


def test_error_of_the_clauses_blocks_stops_the_pass_and_reaches_the_performer():
    @handles(Ping)
    def clause(e, k):
        try:
            yield Pass()
        finally:
            raise ValueError("clumsy")

    assert run(catches(), handlers=[echo, clause]).value == "ValueError: clumsy"


def test_pass_with_nobody_outside_is_unhandled_at_the_performer():
    def clause(e, k):
        try:
            yield Pass()
        except UnhandledEffectError:
            pytest.fail("not here")

    assert run(catches(), handlers=[clause]).value.startswith("UnhandledEffectError")


@pytest.mark.parametrize("use", ["resume", "keep"])
def test_pass_of_a_k_that_is_used_or_kept_is_an_error_at_its_yield(use):
    @handles(Ping)
    def clause(e, k):
        r = (yield Resume(k, 1)) if use == "resume" else k.keep()
        try:
            yield Pass()
        except ContinuationError:
            return ("refused", r)

    assert run(ask(), handlers=[echo, clause]).value[0] == "refused"


# Delegate.


def test_delegate_transforms_the_outer_answer_in_chains_of_three():
    def outer(e, k):
        return Resume(k, 2)

    def doubles(e, k):
        v = yield Delegate()
        return Resume(k, v * 2)

    def increments(e, k):
        v = yield Delegate()
        return Resume(k, v + 1)

    assert run(ask(), handlers=[outer, doubles, increments]).value == 5
    assert run(ask(), handlers=[outer, increments, doubles]).value == 6


def test_delegate_through_plain_value_and_generator_clauses_mixed():
    @answers(Ping)
    def squares(e):
        return (yield Delegate()) ** 2

    @handles(Ping)
    def around(e, k):
        v = yield Delegate()
        r = yield Resume(k, v + 1)
        return ("around", r)

    @do
    def body():
        return (yield Ping(2)), (yield Ping(3))

    assert run(body(), handlers=[echo, squares, around]).value == ("around", ("around", (5, 10)))


def test_delegate_may_be_repeated():
    counter = iter(range(10))

    @answers(Ping)
    def counts(e):
        return next(counter)

    @handles(Ping)
    def sums(e, k):
        a = yield Delegate()
        b = yield Delegate()
        return Resume(k, [a, b])

    assert run(ask(), handlers=[counts, sums]).value == [0, 1]


def test_delegate_leaves_k_with_the_clause():
    """Fault K21: using `k` after Delegate works."""

    @handles(Ping)
    def clause(e, k):
        yield Delegate()
        assert not k.used
        return ("done", (yield Resume(k, "own")))

    assert run(ask(), handlers=[echo, clause]).value == ("done", "own")


def test_error_of_the_outer_clause_is_raised_at_the_delegate():
    @answers(Ping)
    def fails(e):
        raise ValueError("outer")

    @handles(Ping)
    def recovers(e, k):
        try:
            v = yield Delegate()
        except ValueError:
            v = "recovered"
        return Resume(k, v)

    assert run(ask(), handlers=[fails, recovers]).value == "recovered"


def test_delegate_with_nobody_outside_is_unhandled_at_its_own_yield():
    @handles(Ping)
    def clause(e, k):
        try:
            yield Delegate()
        except UnhandledEffectError as error:
            return Resume(k, type(error.effect))

    assert run(ask(), handlers=[clause]).value is Ping


def test_outer_handler_that_ends_its_block_ends_the_delegating_clause_too():
    log = []

    @handles(Ping)
    def ends(e, k):
        return "ended"

    @handles(Ping)
    def delegates(e, k):
        try:
            yield Delegate()
        finally:
            log.append("clause")

    assert run(guarded(log), handlers=[ends, delegates]).value == "ended"
    assert log == ["clause", ("body", "closed")]


def test_returned_delegate_is_the_value_of_the_clause():
    """A value clause answers with it; a control clause, its `k` unused, ends the block with it."""

    @answers(Ping)
    def value(e):
        return Delegate()

    @handles(Ping)
    def control(e, k):
        return Delegate()

    log = []
    assert run(guarded(log), handlers=[echo, value]).value == ("body", 0)
    assert run(ask(7), handlers=[echo, control]).value == 7
    log.clear()
    assert run(guarded(log), handlers=[echo, control]).value == 0
    assert log == [("body", "closed")]


def test_delegate_and_pass_from_a_helper_find_the_nearest_clause():
    @do
    def helper():
        return (yield Delegate())

    @handles(Ping)
    def clause(e, k):
        v = yield helper()
        return Resume(k, v + 1)

    @do
    def passing():
        yield Pass()

    @handles(Ping)
    def hands_on(e, k):
        yield passing()
        pytest.fail("a clause does not go on after Pass")

    assert run(ask(4), handlers=[echo, clause]).value == 5
    assert run(ask(4), handlers=[echo, hands_on]).value == 4


@pytest.mark.parametrize("node", [Pass(), Delegate(), GetContinuation()])
def test_outside_any_clause_they_are_errors_at_that_yield(node):
    assert issubclass(run(refused(node), handlers=[echo]).value, SegueError)


@pytest.mark.parametrize("node", [Pass(), Delegate(), GetContinuation()])
def test_clause_that_resumed_this_very_body_does_not_count(node):
    """A body is not inside the clause that resumed it: its prompt lies between."""

    def clause(e, k):
        return ("handled", (yield Resume(k, None)))

    @do
    def body():
        yield Ping()
        return (yield refused(node))

    _, error = run(body(), handlers=[clause]).value
    assert issubclass(error, SegueError)


def test_transfer_from_a_resumed_body_is_outside_any_clause():
    @do
    def program():
        other = yield CreateContinuation(Pure(1), [])

        def clause(e, k):
            return ("handled", (yield Resume(k, None)))

        @do
        def body():
            yield Ping()
            return (yield refused(Transfer(other, None)))

        return (yield WithHandler(clause, body()))

    assert run(program()).value == ("handled", ContinuationError)


@pytest.mark.parametrize("mark", [answers, handles], ids=["value", "control"])
def test_second_pass_of_a_clause_is_an_error_at_its_yield(mark):
    refused = []

    def clause(effect, *k):
        try:
            yield Pass()
        finally:
            with pytest.raises(ContinuationError):
                yield Pass()
            refused.append(effect)

    if mark is answers:

        def inner(effect):
            yield from clause(effect)

    else:

        def inner(effect, k):
            yield from clause(effect, k)

    assert run(Ping(4), handlers=[echo, mark(Ping)(inner)]).value == 4
    assert refused == [Ping(4)]
