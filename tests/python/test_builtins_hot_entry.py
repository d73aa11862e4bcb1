"""State and reader keep the entry that was read last at hand: nobody can tell (semantics 6)."""

from __future__ import annotations

import signal
import weakref

import pytest

from segue import (
    Ask,
    Err,
    Get,
    LimitExceeded,
    Limits,
    Local,
    Modify,
    Put,
    Spawn,
    Try,
    Wait,
    do,
    reader,
    run,
    scheduler,
    state,
)


class Plain:
    pass


def of_state(program, **entries):
    done = run(program(), handlers=[state(entries)])
    return done.value, done.raw_store


def test_reads_and_writes_of_one_entry_and_of_others():
    @do
    def program():
        seen = []
        for n in range(4):
            seen.append((yield Get("a")))
            yield Put("a", n)
            seen.append((yield Get("a")))
            yield Put("b", n * 10)
            seen.append((yield Get("b")))
            yield Put("a", n + 100)
            seen.append((yield Get("a")))
        return seen

    seen, entries = of_state(program, a=-1, b=-2)
    assert seen == [-1, 0, 0, 100, 100, 1, 10, 101, 101, 2, 20, 102, 102, 3, 30, 103]
    assert entries == {"a": 103, "b": 30}


def test_a_change_by_modify_is_read():
    @do
    def program():
        before = yield Get("a")
        yield Modify("a", lambda n: n + 1)
        between = yield Get("a")
        yield Put("a", between * 10)
        yield Modify("a", lambda n: n + 1)
        return before, between, (yield Get("a"))

    assert of_state(program, a=1) == ((1, 2, 21), {"a": 21})


def test_equal_keys_are_one_entry():
    name = "a key"[2:]

    @do
    def program():
        first = yield Get("key")
        yield Put(name, 2)
        second = yield Get("key")
        yield Put("key", 3)
        return first, second, (yield Get(name))

    assert of_state(program, key=1) == ((1, 2, 3), {"key": 3})


def test_a_value_that_is_replaced_goes_at_once():
    @do
    def program():
        value = Plain()
        watched = weakref.ref(value)
        yield Put("a", value)
        yield Get("a")
        del value
        there = watched() is not None
        yield Put("a", 1)
        return there, watched() is None, (yield Get("a"))

    assert of_state(program, a=0) == ((True, True, 1), {"a": 1})


def test_a_key_that_only_its_own_code_can_compare():
    class Odd:
        def __hash__(self):
            return hash("a")

        def __eq__(self, other):
            return other == "a"

    @do
    def program():
        first = yield Get("a")
        yield Put(Odd(), 5)
        second = yield Get("a")
        yield Put("a", 6)
        return first, second, (yield Get(Odd()))

    assert of_state(program, a=1) == ((1, 5, 6), {"a": 6})


def test_an_environment_inside_another_is_read():
    @do
    def program():
        seen = [(yield Ask("a")), (yield Ask("b"))]
        seen.append((yield Local({"a": 3}, Ask("a"))))
        seen.append((yield Local({"a": 3}, Ask("b"))))
        return [*seen, (yield Ask("a")), (yield Ask("a")), (yield Ask("b"))]

    assert run(program(), handlers=[reader({"a": 1, "b": 2})]).value == [1, 2, 3, 2, 1, 1, 2]


def test_what_was_put_off_is_there_at_each_end_of_a_run():
    """L6: the entries at the end are those of the last `Put`, however the run ends."""

    @do
    def counts(ends):
        for n in range(5):
            yield Put("a", (yield Get("a")) + n)
        yield from ends()

    @do
    def nothing():
        return None
        yield

    @do
    def never_ends():
        try:
            while True:
                yield nothing()
        finally:
            yield Put("a", (yield Get("a")) + 100)
            while True:
                yield nothing()

    def fails():
        raise ValueError("at the end")
        yield

    def plainly():
        return
        yield

    assert run(counts(plainly), handlers=[state({"a": 1})]).raw_store == {"a": 11}
    assert run(counts(fails), handlers=[state({"a": 1})]).raw_store == {"a": 11}
    bounded = run(never_ends(), handlers=[state({"a": 1})], limits=Limits(steps=500, grace=200))
    assert isinstance(bounded.error, LimitExceeded)
    assert bounded.raw_store == {"a": 101}


def test_what_was_put_off_is_there_when_a_run_is_broken_off():
    """L6: a second Ctrl-C ends the clean-up too, and what was put by then is told."""
    last = 0

    def puts(first):
        nonlocal last
        for n in range(first, first + 1000):
            yield Get("a")
            yield Put("a", n)
            last = n
            if n == first + 500:
                signal.raise_signal(signal.SIGINT)

    @do
    def program():
        try:
            yield from puts(1000)
        except KeyboardInterrupt:
            yield from puts(3000)

    with pytest.raises(KeyboardInterrupt) as raised:
        run(program(), handlers=[state({"a": 1})])
    assert last >= 3500
    assert raised.value.run_result.raw_store["a"] - last in (0, 1)


@pytest.mark.parametrize("look", ["modify", "another key", "an equal key", "a fork", "a missing key"])
def test_whoever_looks_sees_what_was_put_off(look):
    """L6: a number that was put is read by each way to the entries."""

    @do
    def reads():
        return (yield Get("a"))

    @do
    def program():
        yield Get("a")
        yield Put("a", 2)
        if look == "modify":
            return (yield Modify("a", lambda n: n))
        if look == "another key":
            yield Get("b")
        elif look == "an equal key":
            return (yield Get("xa"[1:]))
        elif look == "a fork":
            return (yield Wait((yield Spawn(reads()))))
        else:
            seen = yield Try(Get("nothing"))
            assert isinstance(seen, Err)
        return (yield Get("a"))

    done = run(program(), handlers=[scheduler, state({"a": 1, "b": 1})])
    assert (done.value, done.raw_store) == (2, {"a": 2, "b": 1})


def test_what_is_no_number_is_let_go_at_once():
    """Semantics 6: what a `Put` replaces lives no longer than somebody holds it."""

    @do
    def program():
        first = Plain()
        died = weakref.ref(first)
        yield Put("a", first)
        yield Get("a")
        del first
        yield Put("a", 1)
        assert died() is None
        yield Put("a", 2)
        second = Plain()
        died = weakref.ref(second)
        yield Put("a", second)
        del second
        assert died() is not None
        yield Put("a", 3)
        return died() is None

    assert of_state(program, a=0) == (True, {"a": 3})
