"""Semantics 6: state (B-rows of the faults)."""

from builtins_vocabulary import caught, raises, sequence
from segue import Get, MissingKeyError, Modify, Pure, Put, WithHandler, answers, run, state


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
