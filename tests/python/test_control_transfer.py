"""Semantics 3: a clause transfers to a continuation, or discontinues it."""

from control_vocabulary import Results, catches, guarded, refused
from segue import (
    ContinuationError,
    CreateContinuation,
    Discontinue,
    Discontinued,
    Pure,
    Resume,
    Tell,
    Transfer,
    TransferThrow,
    Try,
    WithHandler,
    do,
    handles,
    run,
    writer,
)
from vocabulary import Ping, keeper, twice

# Transfer.


def test_transfer_never_comes_back():
    """Semantics 2: Transfer finishes the clause: Discontinued runs its blocks, then control moves."""
    log = []

    def clause(e, k):
        try:
            yield Transfer(k, "moved")
            log.append("never")
        except Discontinued:
            log.append("discontinued")
            raise
        finally:
            log.append("finally")

    assert run(guarded(log), handlers=[clause]).value == ("body", "moved")
    assert log == ["discontinued", "finally", ("body", "moved"), ("body", "closed")]


def test_effects_of_the_clauses_blocks_are_handled_before_control_moves():
    @handles(Ping)
    def clause(e, k):
        try:
            yield Transfer(k, 1)
        finally:
            yield Tell("clause")

    @do
    def body():
        yield Ping()
        yield Tell("body")

    assert list(run(body(), handlers=[writer, clause]).log) == ["clause", "body"]


def test_transfer_from_a_helper_finishes_helper_and_clause():
    log = []

    @do
    def helper(k):
        try:
            yield Transfer(k, 1)
        finally:
            log.append("helper")

    def clause(e, k):
        try:
            yield helper(k)
        finally:
            log.append("clause")

    assert run(guarded(log), handlers=[clause]).value == ("body", 1)
    assert log[:2] == ["helper", "clause"]


def test_value_of_a_transfer_passes_result_once():
    class Maps(Results):
        @handles(Ping)
        def ping(self, e, k):
            yield Transfer(k, e.n)

    assert run(twice(), handlers=[Maps()]).value == ("result", (1, 2))


def test_error_of_the_clauses_own_blocks_stops_the_transfer_and_reaches_the_performer():
    def clause(e, k):
        try:
            yield Transfer(k, 1)
        finally:
            raise ValueError("clumsy")

    assert run(catches(), handlers=[clause]).value == "ValueError: clumsy"


def test_transfer_to_another_continuation_unwinds_the_own_one_first():
    """Semantics 2: first the clause's blocks, then its own `k`, then control moves."""
    log = []
    kept = []

    @handles(Ping)
    def switch(e, k):
        try:
            yield Transfer(kept[0], 5)
        finally:
            log.append("clause closed")

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log, "a"))
        r = yield WithHandler(switch, guarded(log, "b"))
        log.append("program")
        return r

    assert run(program()).value == ("a", 5)
    assert log == ["clause closed", ("b", "closed"), ("a", 5), ("a", "closed"), "program"]


def test_transfer_to_another_continuation_leaves_a_kept_k_alone():
    log = []
    kept = []

    @handles(Ping)
    def switch(e, k):
        kept.append(k.keep())
        yield Transfer(kept[0], 5)

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log, "a"))
        first = yield WithHandler(switch, guarded(log, "b"))
        second = yield Resume(kept[1], 6)
        return first, second

    assert run(program()).value == (("a", 5), ("b", 6))
    assert log == [("a", 5), ("a", "closed"), ("b", 6), ("b", "closed")]


def test_transfer_throw_to_another_continuation():
    log = []
    kept = []

    @handles(Ping)
    def switch(e, k):
        yield TransferThrow(kept[0], KeyError("thrown"))

    @do
    def program():
        yield WithHandler(keeper(kept), catches())
        return (yield WithHandler(switch, guarded(log)))

    assert run(program()).value == "KeyError: 'thrown'"
    assert log == [("body", "closed")]


def test_foreign_k_of_a_transfer_that_did_not_happen_is_lost():
    """The performer gets the clause's error; the continuation that was to run is unwound."""
    log = []
    kept = []

    @handles(Ping)
    def switch(e, k):
        try:
            yield Transfer(kept.pop(), 5)
        finally:
            raise ValueError("clumsy")

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log, "a"))
        return (yield WithHandler(switch, catches()))

    assert run(program()).value == "ValueError: clumsy"
    assert log == [("a", "closed")]


def test_transfer_in_the_clean_up_of_a_transfer_takes_its_place():
    """The clause has its own `k` again: control moves elsewhere, so its body is unwound."""
    log = []
    kept = []

    @handles(Ping)
    def wavers(e, k):
        try:
            yield Transfer(k, 5)
        finally:
            yield Transfer(kept[0], 6)

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log, "a"))
        return (yield WithHandler(wavers, guarded(log, "b")))

    assert run(program()).value == ("a", 6)
    assert log == [("b", "closed"), ("a", 6), ("a", "closed")]


def test_transfer_outside_any_clause_is_an_error_at_that_yield():
    @do
    def program():
        k = yield CreateContinuation(Pure(1), [])
        return (yield refused(Transfer(k, None))), (yield refused(TransferThrow(k, ValueError())))

    assert run(program()).value == (ContinuationError, ContinuationError)


# Discontinue.


def test_discontinue_unwinds_and_gives_none():
    log = []

    def clause(e, k):
        given = yield Discontinue(k)
        log.append(given)
        return "value"

    assert run(guarded(log), handlers=[clause]).value == "value"
    assert log == [("body", "closed"), None]


def test_discontinue_then_raise_fails_outward():
    """Semantics 3: to fail outward, `yield Discontinue(k)`, then raise."""
    log = []

    def clause(e, k):
        yield k.discontinue()
        raise ValueError("outward")

    assert str(run(Try(WithHandler(clause, guarded(log)))).value.error) == "outward"
    assert log == [("body", "closed")]


def test_returned_discontinue_is_evaluated_in_the_clauses_place():
    log = []

    def clause(e, k):
        return Discontinue(k)

    assert run(guarded(log), handlers=[clause]).value is None
    assert log == [("body", "closed")]


def test_error_of_a_clean_up_is_raised_at_the_discontinue():
    def clause(e, k):
        try:
            yield Discontinue(k)
        except ValueError as error:
            return str(error)

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise ValueError("clean-up")

    assert run(body(), handlers=[clause]).value == "clean-up"
