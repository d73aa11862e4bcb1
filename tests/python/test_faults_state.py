"""Faults of state (B-rows), as far as they do not stand with the laws of the built-ins."""

import pytest

from builtins_vocabulary import caught, raises, sequence
from segue import Ask, Get, Modify, Put, PyVM, Resume, Tell, handles, reader, run, state, writer
from vocabulary import Ping, Tally, ask


def test_b01_one_handler_object_in_two_runs_shares_nothing():
    tally = Tally()
    assert [run(ask(n), handlers=[tally]).value for n in (1, 2)] == [([1], 1), ([2], 2)]
    with pytest.raises(AttributeError):
        tally.seen


def test_b01_one_handler_object_in_two_runs_at_once_shares_nothing():
    handler = state({"n": 0})

    @handles(Ping)
    def runs_inside(e, k):
        inner = run(sequence(Put("n", 5), Get("n")), handlers=[handler])
        return Resume(k, (inner.value[1], (yield Get("n"))))

    assert run(sequence(Put("n", 1), Ping()), handlers=[handler, runs_inside]).value == [None, (5, 1)]


def test_b01_one_machine_keeps_no_state_between_its_runs():
    vm = PyVM()
    assert vm.run(Put("n", 1), handlers=[state]).raw_store == {"n": 1}
    assert isinstance(vm.run(Get("n"), handlers=[state]).error, KeyError)


def test_b01_state_goes_on_where_that_is_asked_for():
    store = {"n": 0}
    for _ in range(3):
        store = run(Modify("n", lambda n: n + 1), handlers=[state], store=store).raw_store
    assert store == {"n": 3}


@pytest.mark.parametrize(("effect", "handler"), [(Get("z"), state), (Modify("z", str), state), (Ask("z"), reader)])
def test_b03_missing_key_names_the_known_keys_when_none_is_close(effect, handler):
    error = run(caught(effect, KeyError), handlers=[handler({"apple": 1, "plum": 2})]).value
    assert error.key == "z"
    assert "'apple'" in str(error)
    assert "'plum'" in str(error)


def test_b03_missing_key_says_when_there_are_no_keys():
    assert "no keys" in str(run(Get("z"), handlers=[state]).error)


def test_b03_known_keys_of_a_big_store_are_bounded_in_the_message():
    error = run(Get("z"), handlers=[state({("key", n): n for n in range(10_000)})]).error
    assert len(str(error)) < 1000
    assert "10000" in str(error)


def test_b04_store_and_log_are_those_of_the_moment_of_the_failure():
    error = ValueError("x")
    program = sequence(Put("a", 1), Tell("one"), Modify("a", lambda n: n + 1), raises(error), Put("a", 9), Tell("two"))
    result = run(program, handlers=[state({"kept": 0}), writer])
    assert result.error is error
    assert (result.raw_store, list(result.log)) == ({"kept": 0, "a": 2}, ["one"])


def test_b04_writes_stay_when_the_program_goes_on_after_the_failure():
    error = ValueError("x")
    program = sequence(caught(sequence(Put("a", 1), raises(error), Put("a", 2)), ValueError), Get("a"))
    assert run(program, handlers=[state]).value == [error, 1]


def test_b04_writes_of_the_clean_up_count():
    def clean_up(e, k):
        yield Put("released", True)
        raise ValueError("x")

    result = run(Ping(), handlers=[state, handles(Ping)(clean_up)])
    assert result.is_err()
    assert result.raw_store == {"released": True}
