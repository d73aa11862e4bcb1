"""Semantics 5: what threads share, and what one drops that another made (T-rows). The same must hold without a GIL."""

import threading
import weakref

import pytest

from segue import Ask, Get, Pure, Put, PyVM, do, lazy, reader, run, state
from threads_vocabulary import at_once, elsewhere, helped_by, quick_switches
from vocabulary import Ping, Tally, ask, echo, guarded, keeper, twice

# Made here, run there, dropped elsewhere.


def test_t105_program_made_in_one_thread_runs_in_four_and_dies_in_another():
    def made():
        program = ask(1)
        for _ in range(20_000):
            program = program.map(lambda n: n + 1)
        return [program]

    held = elsewhere(made)
    gone = weakref.ref(held[0])
    assert at_once(4, lambda _: run(held[0], handlers=[echo]).value) == [20_001] * 4
    elsewhere(held.clear)
    assert gone() is None


def test_t106_machine_dropped_in_another_thread_is_closed():
    """By that thread; or, without a GIL, by its maker, to whom the interpreter gives the last reference."""
    places = []

    @do
    def program():
        try:
            yield Ping(1)
            yield Ping(2)
        finally:
            places.append(threading.current_thread())
            places.append((yield Ping(3)))

    held = [PyVM()]
    held[0].start_program(program(), handlers=[echo])
    for _ in range(3):
        assert held[0].step_once() == ("continue",)

    def drop():
        held.clear()
        return threading.current_thread()

    dropper = elsewhere(drop)
    assert places[0] in (dropper, threading.current_thread())
    assert places[1:] == [3]


def test_t107_kept_continuation_dropped_in_another_thread_is_unwound_once_by_its_run():
    kept, log = [], []

    @do
    def program():
        yield keeper(kept)(guarded(log))
        elsewhere(kept.clear)
        assert log == []  # A finalizer runs no user code.
        yield Pure(None)
        return list(log)

    assert run(program()).value == ["body"]
    assert log == ["body"]


# Shared by many.


def test_t108_handler_object_shared_by_runs_of_many_threads_is_copied_for_each():
    shared = Tally()

    def work(i):
        return {run(ask(i), handlers=[shared]).value == ([i], i) for _ in range(50)}

    with quick_switches():
        assert at_once(8, work) == [{True}] * 8
    assert not hasattr(shared, "seen")


def test_t109_settings_and_lazy_values_are_shared_and_evaluated_once_a_run():
    evaluated = []

    def count():
        evaluated.append(None)
        return Pure("made")

    handlers = [reader({"x": lazy(Pure(None).flat_map(lambda _: count()))}), state({"n": 0})]

    @do
    def program(i):
        for _ in range(20):
            yield Put("n", (yield Get("n")) + i)
        return (yield Ask("x")), (yield Ask("x")), (yield Get("n"))

    with quick_switches():
        results = at_once(16, lambda i: run(program(i), handlers=handlers).value)
    assert results == [("made", "made", 20 * i) for i in range(16)]
    assert len(evaluated) == 16


def test_t109_mapping_that_another_thread_changes_is_copied_whole():
    env = {n: n for n in range(50)}
    env["fixed"] = "value"

    def changes(i):
        own = range(100 * i + 100, 100 * i + 150)
        env.update((n, n) for n in own)
        for n in own:
            del env[n]

    with quick_switches(), helped_by(2, changes):
        for _ in range(500):
            result = run(Ask("fixed"), handlers=[reader, state], env=env, store=env)
            assert result.value == "value"
            assert result.raw_store["fixed"] == "value"


def test_t113_node_and_result_read_by_many_threads():
    """One error, one object, whoever raises it again."""
    error = ValueError("once")

    @do
    def program():
        yield Pure(None)
        raise error

    result, node = run(program()), twice()

    def work(_):
        for _ in range(200):
            with pytest.raises(ValueError, match="once") as caught:
                result.value
            assert caught.value is error
            assert "twice" in repr(node)
        return True

    with quick_switches():
        assert at_once(8, work) == [True] * 8
