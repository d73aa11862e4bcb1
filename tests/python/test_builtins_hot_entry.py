"""State and reader keep the entry that was read last at hand: nobody can tell (semantics 6)."""

from __future__ import annotations

import weakref

from segue import Ask, Get, Local, Modify, Put, do, reader, run, state


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
