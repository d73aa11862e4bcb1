"""Semantics 6: Try and bracket."""

import pytest

from builtins_vocabulary import raises, sequence
from segue import (
    Discontinued,
    Err,
    Ok,
    Pure,
    Put,
    Tell,
    Try,
    UnhandledEffectError,
    answers,
    bracket,
    do,
    handles,
    run,
    state,
    writer,
)
from vocabulary import Ping, stop

# Try.


def test_try_gives_ok_or_err():
    error = ValueError("x")
    assert run(Try(Pure(1))).value == Ok(1)
    result = run(Try(raises(error))).value
    assert type(result) is Err
    assert result.error is error


def test_try_takes_an_effect_and_catches_the_error_of_its_clause():
    @answers(Ping)
    def fails(e):
        raise ValueError("no")

    assert run(Try(Ping()), handlers=[fails]).value.error.args == ("no",)
    assert isinstance(run(Try(Ping())).value.error, UnhandledEffectError)


def test_try_nests_and_the_inner_one_catches():
    assert run(Try(Try(raises(KeyError("x"))))).value.value.is_err()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), Discontinued()])
def test_try_is_for_exceptions_only(error):
    """Semantics 4: Try never swallows what is no Exception."""
    with pytest.raises(type(error)) as caught_error:
        run(Try(raises(error)))
    assert caught_error.value is error


def test_handlers_around_try_stay_visible():
    r = run(Try(sequence(Put("n", 1), Tell("x"), raises(ValueError("x")))), handlers=[state, writer])
    assert r.value.is_err()
    assert (r.raw_store, list(r.log)) == ({"n": 1}, ["x"])


def test_ended_body_leaves_try():
    assert run(stop(Try(Ping()))).value == "stopped"


# bracket.


def resource(log):
    """Acquire and release that tell what they do."""

    @do
    def acquire():
        yield Tell("acquire")
        return "handle"

    @do
    def release(handle):
        yield Tell(("release", handle))
        return "ignored"

    return acquire(), release


ACQUIRE, RELEASE = resource([])


def use_and(program):
    def use(handle):
        return sequence(Tell(("use", handle)), program).map(lambda results: results[1])

    return use


def test_bracket_gives_the_result_of_use_and_releases():
    r = run(bracket(ACQUIRE, use_and(Pure("used")), RELEASE), handlers=[writer])
    assert r.value == "used"
    assert list(r.log) == ["acquire", ("use", "handle"), ("release", "handle")]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_bracket_releases_after_an_error(error):
    @do
    def program():
        try:
            yield bracket(ACQUIRE, use_and(raises(error)), RELEASE)
        except type(error) as e:
            return e

    r = run(program(), handlers=[writer])
    assert r.value is error
    assert list(r.log)[-1] == ("release", "handle")


def test_bracket_releases_before_the_value_of_a_clause_that_ends_it():
    @do
    def program():
        yield Tell((yield stop(bracket(ACQUIRE, use_and(Ping()), RELEASE))))

    assert list(run(program(), handlers=[writer]).log)[2:] == [("release", "handle"), "stopped"]


def test_bracket_whose_acquire_fails_releases_nothing():
    error = ValueError("x")
    r = run(bracket(raises(error), use_and(Pure(1)), RELEASE), handlers=[writer])
    assert r.error is error
    assert list(r.log) == []


def test_bracket_whose_use_function_fails_releases():
    def use(handle):
        raise ValueError("use")

    r = run(bracket(ACQUIRE, use, RELEASE), handlers=[writer])
    assert str(r.error) == "use"
    assert list(r.log) == ["acquire", ("release", "handle")]


def test_error_of_release_replaces_with_the_other_as_context():
    used, released = ValueError("use"), KeyError("release")

    def build(use_error):
        return bracket(ACQUIRE, use_and(raises(use_error) if use_error else Pure(1)), lambda _: raises(released))

    r = run(build(used), handlers=[writer])
    assert r.error is released
    assert released.__context__ is used
    assert run(build(None), handlers=[writer]).error is released


@pytest.mark.parametrize("wrong", [3, None])
def test_functions_of_bracket_must_give_programs(wrong):
    assert isinstance(run(bracket(Pure(1), lambda _: wrong, Pure)).error, TypeError)
    assert isinstance(run(bracket(Pure(1), Pure, lambda _: wrong)).error, TypeError)


def test_brackets_release_in_reverse_order():
    def named(name, inner):
        return bracket(Pure(name), lambda _: inner, Tell)

    r = run(named("outer", named("inner", Pure(1))), handlers=[writer])
    assert list(r.log) == ["inner", "outer"]


def test_bracket_of_a_kept_continuation_is_released_at_the_end():
    kept = []
    log = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    @do
    def release(handle):
        log.append(handle)

    assert run(keeps(bracket(Pure("handle"), lambda _: Ping(), release))).value == "kept"
    assert log == ["handle"]
