"""Semantics 6: what `run` gives to the built-in handlers, which are handlers like any other."""

import pytest

from builtins_vocabulary import sequence
from segue import (
    Ask,
    Get,
    Handler,
    Pass,
    Pure,
    Put,
    Resume,
    Tell,
    UnhandledEffectError,
    WithHandler,
    do,
    handles,
    reader,
    run,
    state,
    writer,
)
from vocabulary import Ping

# What run gives to the built-in handlers.


def test_env_and_store_without_handlers_install_one_outermost():
    """Semantics 5: when `handlers` holds none and they are given."""
    r = run(sequence(Get("n"), Ask("who"), Put("n", 2)), env={"who": "me"}, store={"n": 1})
    assert r.value == [1, "me", None]
    assert r.raw_store == {"n": 2}


def test_installed_state_is_outermost():
    class Looks(Handler):
        def enter(self):
            self.n = yield Get("n")

        def result(self, value):
            return (self.n, value)

    assert run(Pure(1), handlers=[Looks()], store={"n": 5}).value == (5, 1)


def test_nothing_else_is_installed():
    for effect in (Get("n"), Ask("n"), Tell("n")):
        assert isinstance(run(effect).error, UnhandledEffectError)
    assert isinstance(run(Get("n"), env={"n": 1}).error, UnhandledEffectError)
    assert isinstance(run(Ask("n"), store={"n": 1}).error, UnhandledEffectError)


def test_only_configured_handlers_and_settings_are_a_type_error_that_says_so():
    with pytest.raises(TypeError, match="store"):
        run(Get("n"), handlers=[state({"n": 1})], store={"n": 2})
    with pytest.raises(TypeError, match="env"):
        run(Ask("n"), handlers=[reader({"n": 1})], env={"n": 2})


def test_bare_handler_beside_a_configured_one_takes_the_settings():
    r = run(Get("n"), handlers=[state, state({"n": 1})], store={"n": 2})
    assert (r.value, r.raw_store) == (1, {"n": 2})


def test_bare_handlers_inside_the_program_start_from_env_and_store_too():
    """Semantics 5: what a `reader` and a `state` without settings of their own start from."""
    program = sequence(WithHandler(state, sequence(Get("n"), Put("n", 5))), Get("n"))
    assert run(program, handlers=[state], store={"n": 1}).value == [[1, None], 1]


@pytest.mark.parametrize("settings", [{"env": 3}, {"store": 3}, {"store": ["n"]}])
def test_env_and_store_are_mappings(settings):
    with pytest.raises(TypeError):
        run(Pure(1), **settings)


@pytest.mark.parametrize("make", [state, reader])
def test_settings_are_mappings(make):
    with pytest.raises(TypeError):
        make(3)


@pytest.mark.parametrize("missing", [("state", Get("n")), ("state", Put("n", 1)), ("reader", Ask("n"))])
def test_missing_built_in_handler_is_named_in_the_error(missing):
    name, effect = missing
    assert name in str(run(effect).error)


# They are handlers like any other.


def test_built_in_handlers_compose_and_are_called():
    r = run((state({"n": 1}) | writer)(sequence(Get("n"), Tell("x"))))
    assert r.value == [1, None]
    assert run(state(Get("n")), store={"n": 3}).value == 3


def test_clause_outside_sees_what_a_built_in_does_not_accept():
    def counts(e, k):
        return Resume(k, type(e).__name__)

    assert run(sequence(Get("n"), Ask("x")), handlers=[counts, state({"n": 1})]).value == [1, "Ask"]


def test_effects_pass_through_a_user_handler_to_a_built_in():
    @handles(Get)
    def passes(e, k):
        return Pass()

    assert run(Get("n"), handlers=[state({"n": 1}), passes]).value == 1


def test_built_in_answers_a_body_resumed_elsewhere():
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    @do
    def body():
        yield Put("n", 1)
        yield Ping()
        return (yield Get("n"))

    @do
    def program():
        yield WithHandler(keeps, state(body()))
        return (yield WithHandler(state({"n": 100}), Resume(kept[0], None)))

    assert run(program()).value == 1
