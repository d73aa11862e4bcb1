"""Semantics 3: one owner, one place, one use (K-rows of the faults)."""

import contextlib
import copy
import gc
import pickle
import re
import threading
import weakref

import pytest

from segue import (
    ContinuationError,
    CreateContinuation,
    Delegate,
    Discontinue,
    K,
    Pass,
    Pure,
    Resume,
    ResumeThrow,
    Tell,
    Transfer,
    TransferThrow,
    WithHandler,
    answers,
    do,
    handles,
    run,
    writer,
)
from vocabulary import Ping, ask, guarded, keeper


@do
def refused(node):
    """Gives the ContinuationError that `node` raises at its yield."""
    try:
        yield node
    except ContinuationError as e:
        return e
    pytest.fail("the continuation was used a second time")


# One use.


def test_k01_second_resume_is_an_error_at_the_yield():
    log = []

    def resumes_twice(e, k):
        first = yield Resume(k, 1)
        return first, (yield refused(Resume(k, 2)))

    first, error = run(guarded(log), handlers=[resumes_twice]).value
    assert first == 1
    assert log == ["body"]  # the body did not run a second time
    assert "resumed" in str(error)
    assert "resumes_twice" in str(error)
    assert "internal" not in str(error).lower()


def test_k01_uncaught_second_resume_leaves_the_clause():
    def resumes_twice(e, k):
        yield Resume(k, 1)
        yield Resume(k, 2)

    assert isinstance(run(ask(), handlers=[resumes_twice]).error, ContinuationError)


@pytest.mark.parametrize(
    ("use", "became"),
    [
        (lambda k: Resume(k, 1), "resumed"),
        (lambda k: k.resume(1), "resumed"),
        (lambda k: ResumeThrow(k, ValueError("x")), "thrown into"),
        (Discontinue, "discontinued"),
    ],
)
@pytest.mark.parametrize(
    "again",
    [
        lambda k: Resume(k, 1),
        lambda k: Transfer(k, 1),
        lambda k: ResumeThrow(k, ValueError("x")),
        lambda k: TransferThrow(k, ValueError("x")),
        Discontinue,
    ],
)
def test_k01_second_use_says_what_became_of_k(use, became, again):
    """Semantics 3: the error says what became of `k` and by which clause."""

    def first_clause(e, k):
        with contextlib.suppress(ValueError):
            yield use(k)
        return (yield refused(again(k)))

    message = str(run(ask(), handlers=[first_clause]).value)
    assert became in message
    assert "first_clause" in message


def test_k17_resume_after_a_transfer_of_the_same_k():
    kept = []

    def moving_clause(e, k):
        kept.append(k)
        return Transfer(k, 1)

    @do
    def body():
        yield Ping()
        return (yield refused(Resume(kept[0], 2)))

    message = str(run(body(), handlers=[moving_clause]).value)
    assert "transferred" in message
    assert "moving_clause" in message


def test_k21_after_pass_it_is_used_and_after_delegate_it_is_not():
    kept = []

    @handles(Ping)
    def passing_clause(e, k):
        kept.append(k)
        return Pass()

    @handles(Ping)
    def delegating(e, k):
        v = yield Delegate()
        return Resume(k, v)

    @answers(Ping)
    def echo(e):
        return e.n

    @do
    def body():
        v = yield Ping(3)
        return v, (yield refused(Resume(kept[0], 2)))

    value, error = run(body(), handlers=[echo, passing_clause]).value
    assert value == 3
    assert "passed" in str(error)
    assert "passing_clause" in str(error)
    assert run(ask(3), handlers=[echo, delegating]).value == 3


def test_k_of_a_clause_that_finished_without_keep_is_ended():
    kept = []

    @handles(Ping)
    def careless(e, k):
        kept.append(k)
        return "value"

    @do
    def program():
        value = yield WithHandler(careless, ask())
        return value, kept[0].used, (yield refused(Resume(kept[0], 1)))

    value, used, error = run(program()).value
    assert (value, used) == ("value", True)
    assert "keep()" in str(error)
    assert "careless" in str(error)


def test_k_of_a_clause_that_raised_says_where_the_error_went():
    kept = []

    @handles(Ping)
    def clumsy(e, k):
        kept.append(k)
        raise ValueError("x")

    @do
    def body():
        with contextlib.suppress(ValueError):
            yield Ping()
        return (yield refused(Resume(kept[0], 1)))

    message = str(run(body(), handlers=[clumsy]).value)
    assert "raised, and the exception was delivered at the perform" in message
    assert "clumsy" in message


def test_use_through_a_node_that_was_built_before():
    """One-shot is decided when the node is evaluated, not when it is built."""

    def clause(e, k):
        first, second = Resume(k, 1), Resume(k, 2)
        assert not k.used
        r = yield second
        return r, (yield refused(first))

    value, error = run(ask(), handlers=[clause]).value
    assert value == 2
    assert isinstance(error, ContinuationError)


def test_one_node_evaluated_twice_is_a_second_use():
    def clause(e, k):
        node = Resume(k, 1)
        yield node
        return (yield refused(node))

    assert isinstance(run(ask(), handlers=[clause]).value, ContinuationError)


def test_k16_k_sent_into_its_own_program():
    def clause(e, k):
        return Resume(k, k)

    @do
    def body():
        me = yield Ping()
        return (yield refused(Resume(me, 1)))

    assert isinstance(run(body(), handlers=[clause]).value, ContinuationError)


def test_created_continuation_has_one_use():
    @do
    def program():
        k = yield CreateContinuation(Pure(1), [])
        return (yield Resume(k, None)), (yield refused(Resume(k, None)))

    assert run(program()).value[0] == 1


def test_used_and_kept_flags():
    flags = []

    def clause(e, k):
        flags.append((k.used, k.kept))
        k.keep()
        flags.append((k.used, k.kept))
        yield Resume(k, 1)
        flags.append(k.used)

    run(ask(), handlers=[clause])
    assert flags == [(False, False), (False, True), True]


# One run, one thread.


def test_k02_k_of_a_finished_run_that_was_used():
    kept = []

    def clause(e, k):
        kept.append(k)
        return Resume(k, 1)

    assert run(ask(), handlers=[clause]).value == 1

    @do
    def later():
        error = yield refused(Resume(kept[0], 2))
        return error, (yield Tell("alive"))

    r = run(later(), handlers=[writer])
    assert isinstance(r.value[0], ContinuationError)
    assert list(r.log) == ["alive"]


def test_k03_kept_k_that_escapes_its_run():
    kept = []
    log = []
    assert run(WithHandler(keeper(kept), guarded(log))).value == "kept"
    assert log == ["body"]  # unwound before run returned

    def other_clause(e, k):
        error = yield refused(Resume(kept[0], 1))
        return Resume(k, error)

    assert isinstance(run(ask(), handlers=[other_clause]).value, ContinuationError)
    assert log == ["body"]


def test_k03_k_of_a_run_that_is_still_going_is_refused_in_a_nested_run():
    log = []

    def clause(e, k):
        inner = run(refused(Resume(k, "merged"))).value
        assert isinstance(inner, ContinuationError)
        assert not k.used
        return Resume(k, "own")

    assert run(guarded(log), handlers=[clause]).value == "own"


def test_k04_kept_k_that_escapes_its_run_in_another_thread():
    kept = []
    run(WithHandler(keeper(kept), ask()))
    errors = []
    thread = threading.Thread(target=lambda: errors.append(run(refused(Resume(kept[0], 1))).value))
    thread.start()
    thread.join()
    assert isinstance(errors[0], ContinuationError)


def test_k04_k_of_a_run_that_is_still_going_is_refused_in_another_thread():
    errors = []

    def clause(e, k):
        thread = threading.Thread(target=lambda: errors.append(run(refused(Resume(k, 1))).value))
        thread.start()
        thread.join()
        return Resume(k, "own")

    assert run(ask(), handlers=[clause]).value == "own"
    assert isinstance(errors[0], ContinuationError)


def test_k_dropped_in_another_thread_is_unwound_in_its_own_run():
    where = []

    @do
    def body():
        try:
            yield Ping()
        finally:
            where.append(threading.get_ident())

    kept = []

    @do
    def program():
        yield WithHandler(keeper(kept), body())
        thread = threading.Thread(target=kept.clear)
        thread.start()
        thread.join()
        yield Pure(None)

    assert run(program()).is_ok()
    assert where == [threading.get_ident()]


# What a K is.


def escaped():
    """A K object of a finished run."""
    kept = []
    run(WithHandler(keeper(kept), ask()))
    return kept[0]


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_k12_copy_and_pickle_are_type_errors_that_name_it(make):
    def clause(e, k):
        with pytest.raises(TypeError, match=r"\bK\b"):
            make(k)
        return Resume(k, "still fine")

    assert run(ask(), handlers=[clause]).value == "still fine"
    with pytest.raises(TypeError, match=r"\bK\b"):
        make(escaped())


def test_k13_there_is_no_public_constructor():
    for make in (K, lambda: K.__new__(K), lambda: object.__new__(K), lambda: type("MyK", (K,), {})):
        with pytest.raises(TypeError):
            make()


@pytest.mark.parametrize("wrong", [None, 3, "k", Pure(1), K])
@pytest.mark.parametrize("node", [Resume, Transfer])
def test_k14_resume_of_what_is_no_continuation(node, wrong):
    with pytest.raises(TypeError):
        node(wrong, 1)


@pytest.mark.parametrize("wrong", [42, "text", None])
def test_k10_throwing_what_is_no_exception_names_it_and_leaves_k(wrong):
    def clause(e, k):
        named = f"{re.escape(repr(wrong))}|{type(wrong).__name__}"
        with pytest.raises(TypeError, match=named):
            yield ResumeThrow(k, wrong)
        with pytest.raises(TypeError, match=named):
            yield k.throw(wrong)
        return Resume(k, "usable")

    assert run(ask(), handlers=[clause]).value == "usable"


def test_k_supports_weak_references():
    refs = []

    def clause(e, k):
        refs.append(weakref.ref(k))
        assert refs[0]() is k
        return Resume(k, 1)

    assert run(ask(), handlers=[clause]).value == 1
    gc.collect()
    assert refs[0]() is None


def test_repr_of_k_is_short_and_never_fails():
    def clause(e, k):
        before = repr(k)
        yield Resume(k, 1)
        return before, repr(k)

    for text in run(ask(), handlers=[clause]).value:
        assert "K" in text
        assert len(text) < 200


def test_refusal_says_nothing_of_a_clause_that_is_too_far_to_be_named():
    @do
    def down(n, node):
        return (yield down(n - 1, node) if n else node)

    @handles(Ping)
    def clause(e, k):
        yield down(100, Resume(k, 1))
        return (yield refused(Resume(k, 2)))

    assert str(run(ask(), handlers=[clause]).value) == (
        "this k was already resumed. A k is used once: run the program again"
    )
