"""Semantics 6: state, reader, writer, Try, Local, Listen, bracket (B-rows of the faults), and what `run` gives them."""

import pytest

from segue import (
    Ask,
    Call,
    CycleError,
    Discontinued,
    Effect,
    Err,
    Get,
    Handler,
    Listen,
    Local,
    MissingKeyError,
    Modify,
    Ok,
    Pass,
    Pure,
    Put,
    Resume,
    Tell,
    Try,
    UnhandledEffectError,
    WithHandler,
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


class Ping(Effect[int]):
    n: int = 0


@handles(Ping)
def stop(e, k):
    return "stopped"


@do
def sequence(*programs):
    """The results of several programs or effects, one after the other."""
    results = []
    for program in programs:
        result = yield program
        results.append(result)
    return results


@do
def caught(program, *types):
    """What `program` comes to, or the error of one of the types."""
    try:
        return (yield program)
    except types as e:
        return e


@do
def raises(error):
    yield Pure(None)
    raise error


# State.


def test_get_put_modify():
    """Put evaluates to None, Modify to the old value."""
    program = sequence(Put("n", 1), Get("n"), Modify("n", lambda n: n + 1), Get("n"))
    r = run(program, handlers=[state])
    assert r.value == [None, 1, 1, 2]
    assert r.raw_store == {"n": 2}


def test_state_starts_from_its_settings():
    r = run(sequence(Get("n"), Put("m", 2)), handlers=[state({"n": 1})])
    assert r.value == [1, None]
    assert r.raw_store == {"n": 1, "m": 2}


def test_state_starts_from_store():
    assert run(Get("n"), handlers=[state], store={"n": 1}).value == 1


def test_mapping_that_was_given_is_copied():
    """Semantics 5: mappings are copied."""
    store, settings = {"n": 1}, {"n": 1}
    run(Put("n", 2), handlers=[state], store=store)
    handler = state(settings)
    settings["n"] = 100
    assert run(sequence(Get("n"), Put("n", 2)), handlers=[handler]).value[0] == 1
    assert store == {"n": 1}
    assert settings == {"n": 100}


def test_result_store_is_a_mapping_of_its_own():
    r = run(Put("n", 1), handlers=[state])
    again = run(Get("n"), handlers=[state], store=r.raw_store)
    assert again.value == 1
    assert r.raw_store == {"n": 1}


def test_b01_state_belongs_to_the_installation():
    """No state leaks from run to run, bare or with settings."""
    for handler in (state, state({})):
        assert run(Put("n", 1), handlers=[handler]).is_ok()
        assert isinstance(run(Get("n"), handlers=[handler]).error, MissingKeyError)


def test_nested_states_are_separate_and_the_inner_one_answers():
    inner = state({"n": 10})
    program = sequence(inner(sequence(Get("n"), Put("n", 11), Get("n"))), Get("n"))
    assert run(program, handlers=[state({"n": 1})]).value == [[10, None, 11], 1]


def test_raw_store_is_that_of_the_outermost_state_given_to_run():
    program = sequence(Put("n", 1), WithHandler(state, Put("n", 100)))
    assert run(program, handlers=[state, state({"m": 2})]).raw_store == {}
    assert run(program, handlers=[state]).raw_store == {"n": 1}


def test_b03_get_of_a_missing_key_is_a_key_error_that_names_close_matches():
    """At the perform, catchable there, never None."""
    program = caught(Get("cuont"), KeyError)
    error = run(program, handlers=[state({"count": 1, "other": 2})]).value
    assert isinstance(error, MissingKeyError)
    assert "cuont" in str(error)
    assert "count" in str(error)


def test_b03_modify_of_a_missing_key():
    assert isinstance(run(Modify("n", str), handlers=[state]).error, MissingKeyError)


def test_b03_missing_key_that_is_like_no_other():
    for key in (("a", 1), 3, None, object()):
        assert isinstance(run(Get(key), handlers=[state({"n": 1})]).error, MissingKeyError)


def test_none_is_a_value():
    assert run(Get("n"), handlers=[state({"n": None})]).value is None


def test_b04_failure_in_the_middle_of_writes_rolls_nothing_back():
    error = ValueError("x")
    r = run(sequence(Put("a", 1), Put("b", 2), raises(error), Put("c", 3)), handlers=[state])
    assert r.error is error
    assert r.raw_store == {"a": 1, "b": 2}


def test_error_of_the_function_of_modify_is_raised_at_the_perform_and_changes_nothing():
    program = sequence(caught(Modify("n", lambda n: n / 0), ZeroDivisionError), Get("n"))
    error, value = run(program, handlers=[state({"n": 1})]).value
    assert isinstance(error, ZeroDivisionError)
    assert value == 1


def test_any_hashable_object_is_a_key():
    class Key:
        pass

    key = Key()
    program = sequence(Put(key, 1), Put((1, "a"), 2), Put(1, 3), Get(key), Get((1, "a")), Get(True))
    assert run(program, handlers=[state]).value[3:] == [1, 2, 3]


def test_unhashable_key_is_a_type_error_at_the_perform():
    program = sequence(caught(Put([], 1), TypeError), caught(Get([]), TypeError))
    assert all(isinstance(e, TypeError) for e in run(program, handlers=[state]).value)


def test_key_whose_hash_runs_a_program():
    """Semantics 5: `run` inside a `__hash__` works."""

    class Key:
        def __hash__(self):
            return run(Get("h"), store={"h": 7}).value

        def __eq__(self, other):
            return isinstance(other, Key)

    program = sequence(Put(Key(), "found"), Get(Key()))
    assert run(program, handlers=[state]).value == [None, "found"]


def test_key_whose_hash_fails_is_an_error_at_the_perform():
    class Key:
        def __hash__(self):
            raise ValueError("no hash")

    program = caught(Put(Key(), 1), ValueError)
    assert str(run(program, handlers=[state]).value) == "no hash"


def test_values_are_the_same_objects():
    value = object()
    r = run(sequence(Put("v", value), Get("v")), handlers=[state])
    assert r.value[1] is value
    assert r.raw_store["v"] is value


def test_put_of_a_program_stores_it():
    inner = Pure(1)
    assert run(sequence(Put("p", inner), Get("p")), handlers=[state]).value[1] is inner


def test_subclass_of_a_built_in_effect_is_answered():
    class Fetch(Get):
        pass

    assert run(Fetch("n"), handlers=[state({"n": 1})]).value == 1


def test_users_handler_may_stand_in_for_state():
    @answers(Get)
    def fixed(e):
        return f"fixed {e.key}"

    assert run(sequence(Get("n"), Put("m", 1)), handlers=[state, fixed]).value == ["fixed n", None]


# Reader.


def test_ask_gives_the_value_of_the_environment():
    assert run(Ask("who"), handlers=[reader], env={"who": "me"}).value == "me"
    assert run(Ask("who"), handlers=[reader({"who": "me"})]).value == "me"


def test_ask_of_a_missing_key_is_a_key_error_that_names_close_matches():
    error = run(caught(Ask("usr"), KeyError), handlers=[reader({"user": 1})]).value
    assert isinstance(error, MissingKeyError)
    assert "user" in str(error)


def test_environment_is_copied():
    env = {"who": "me"}

    @do
    def program():
        env["who"] = "changed"
        return (yield Ask("who"))

    assert run(program(), handlers=[reader], env=env).value == "me"


def test_program_in_the_environment_is_given_as_it_is():
    inner = Pure(1)
    assert run(Ask("p"), handlers=[reader({"p": inner})]).value is inner


def test_lazy_value_is_evaluated_at_the_first_ask_and_once():
    @do
    def costly():
        yield Tell("evaluated")
        return object()

    program = sequence(Tell("before"), Ask("v"), Ask("v"))
    r = run(program, handlers=[writer, reader({"v": lazy(costly())})])
    assert list(r.log) == ["before", "evaluated"]
    assert r.value[1] is r.value[2]


def test_lazy_value_that_nobody_asks_for_is_not_evaluated():
    ran = []
    assert run(Pure(1), handlers=[reader({"v": lazy(Call(lambda: ran.append(1)))})]).value == 1
    assert ran == []


def test_lazy_value_is_evaluated_once_per_installation():
    ran = []

    @do
    def costly():
        ran.append(1)
        return len(ran)

    handler = reader({"v": lazy(costly())})
    assert [run(Ask("v"), handlers=[handler]).value for _ in range(3)] == [1, 2, 3]


def test_lazy_value_may_ask_this_reader():
    env = {"a": 1, "b": lazy(Ask("a").map(lambda a: a + 1)), "c": lazy(Ask("b").map(lambda b: b + 1))}
    assert run(Ask("c"), handlers=[reader(env)]).value == 3


def test_lazy_value_does_not_see_handlers_inside_the_reader():
    """Semantics 6: evaluated under this reader and the handlers outside it."""

    @answers(Ping)
    def outside(e):
        return "outside"

    @answers(Ping)
    def inside(e):
        return "inside"

    handlers = [outside, reader({"v": lazy(Ping())}), inside]
    assert run(sequence(Ask("v"), Ping()), handlers=handlers).value == ["outside", "inside"]


def test_failure_of_a_lazy_value_is_raised_at_that_ask_and_not_kept():
    attempts = []

    @do
    def flaky():
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("first")
        return "second"

    program = sequence(caught(Ask("v"), ValueError), Ask("v"), Ask("v"))
    error, *values = run(program, handlers=[reader({"v": lazy(flaky())})]).value
    assert error.args == ("first",)
    assert values == ["second", "second"]


def test_lazy_value_that_asks_for_itself_is_a_cycle():
    env = {"a": lazy(Ask("b")), "b": lazy(Ask("a")), "c": 3}
    program = sequence(caught(Ask("a"), CycleError), Ask("c"))
    error, value = run(program, handlers=[reader(env)]).value
    assert isinstance(error, CycleError)
    assert value == 3


def test_lazy_takes_a_program():
    with pytest.raises(TypeError):
        lazy(3)


def test_nested_readers_do_not_add_up():
    """The nearest reader answers, for every key."""
    inner = reader({"b": 2})
    program = inner(sequence(Ask("b"), caught(Ask("a"), MissingKeyError)))
    b, error = run(program, handlers=[reader({"a": 1})]).value
    assert b == 2
    assert isinstance(error, MissingKeyError)


# Local.


def test_local_overrides_inside_and_not_after():
    program = sequence(Ask("a"), Local({"a": 2}, Ask("a")), Ask("a"))
    assert run(program, handlers=[reader({"a": 1})]).value == [1, 2, 1]


def test_local_leaves_other_keys():
    program = Local({"a": 2}, sequence(Ask("a"), Ask("b")))
    assert run(program, handlers=[reader({"a": 1, "b": 10})]).value == [2, 10]


def test_local_nests():
    program = Local({"a": 2, "b": 2}, sequence(Local({"a": 3}, sequence(Ask("a"), Ask("b"))), Ask("a")))
    assert run(program, handlers=[reader({})]).value == [[3, 2], 2]


def test_local_copies_its_overrides():
    overrides = {"a": 2}
    program = Local(overrides, Ask("a"))
    overrides["a"] = 3
    assert run(program, handlers=[reader({"a": 1})]).value == 2


def test_local_is_left_by_errors_and_by_ended_bodies():
    program = sequence(
        Try(Local({"a": 2}, raises(ValueError("x")))).map(lambda r: r.is_err()),
        stop(Local({"a": 2}, Ping())),
        Ask("a"),
    )
    assert run(program, handlers=[reader({"a": 1})]).value == [True, "stopped", 1]


def test_handlers_around_local_stay_visible():
    @answers(Ping)
    def echo(e):
        return e.n

    program = Local({"a": 2}, sequence(Ping(5), Tell("x"), Ask("a")))
    r = run(program, handlers=[reader({}), writer, echo])
    assert (r.value, list(r.log)) == ([5, None, 2], ["x"])


def test_local_may_override_with_a_lazy_value():
    program = Local({"a": lazy(Ask("b"))}, sequence(Ask("a"), Ask("a")))
    assert run(program, handlers=[reader({"b": 7})]).value == [7, 7]


# Writer and Listen.


def test_tell_is_none_and_keeps_the_order():
    r = run(sequence(Tell("a"), Tell("b"), Tell("a")), handlers=[writer])
    assert r.value == [None] * 3
    assert list(r.log) == ["a", "b", "a"]


def test_log_is_there_after_an_error():
    assert list(run(sequence(Tell("a"), raises(ValueError("x"))), handlers=[writer]).log) == ["a"]


def test_log_starts_empty_each_time():
    assert [list(run(Tell("a"), handlers=[writer]).log) for _ in range(2)] == [["a"], ["a"]]


def test_log_is_that_of_the_outermost_writer():
    program = sequence(Tell("inner"), WithHandler(writer, Tell("innermost")))
    assert list(run(program, handlers=[writer]).log) == ["inner"]
    assert list(run(program, handlers=[writer, writer]).log) == []


def listened(pair):
    value, entries = pair
    return value, list(entries)


def test_listen_gives_value_and_entries_and_they_go_outward_too():
    """Semantics 6: a tee."""
    program = sequence(Tell("before"), Listen(sequence(Tell("a"), Tell("b"))).map(listened), Tell("after"))
    r = run(program, handlers=[writer])
    assert r.value == [None, ([None, None], ["a", "b"]), None]
    assert list(r.log) == ["before", "a", "b", "after"]


def test_listen_nests():
    inner = Listen(Tell("inner")).map(listened)
    program = Listen(sequence(Tell("outer"), inner)).map(listened)
    r = run(program, handlers=[writer])
    assert r.value == ([None, (None, ["inner"])], ["outer", "inner"])
    assert list(r.log) == ["outer", "inner"]


def test_listen_of_a_program_that_tells_nothing():
    assert run(Listen(Pure(1)).map(listened), handlers=[writer]).value == (1, [])


def test_listen_that_fails_has_told():
    r = run(Listen(sequence(Tell("a"), raises(ValueError("x")))), handlers=[writer])
    assert isinstance(r.error, ValueError)
    assert list(r.log) == ["a"]


def test_listen_without_a_writer_is_unhandled_at_the_tell():
    program = Listen(caught(Tell("a"), UnhandledEffectError))
    assert isinstance(run(program).value[0], UnhandledEffectError)


def test_handlers_around_listen_stay_visible():
    program = Listen(sequence(Put("n", 1), Get("n")))
    assert run(program, handlers=[state, writer]).value[0] == [None, 1]


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
