"""Semantics 3: an unwinding passes by a program that has no block of its own, and misses nothing."""

import gc
import traceback
import types

import pytest

from child import run_child
from segue import Discontinued, ResumeThrow, Tell, do, handles, run, writer
from vocabulary import Ping, stop, told


class Local:
    """Says when it goes."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def __del__(self):
        self.log.append(self.name)


def test_what_such_a_program_held_goes_before_the_blocks_around_it_run():
    log = []

    @do
    def without(depth):
        local = Local(depth, log)
        if depth:
            return (yield without(depth - 1))
        return (yield Ping()), local

    @do
    def body():
        try:
            yield without(200)
        finally:
            log.append("block")

    assert run(stop(body())).value == "stopped"
    assert log == [*range(201), "block"]


def test_what_a_program_with_a_block_held_goes_with_it():
    log = []

    @do
    def with_a_block(depth):
        local = Local(depth, log)
        try:
            if depth:
                return (yield with_a_block(depth - 1))
            return (yield Ping()), local
        except Discontinued as error:
            names = [entry.name for entry in traceback.extract_tb(error.__traceback__)]
            log.append(names)
            raise

    assert run(stop(with_a_block(2))).value == "stopped"
    assert log == [["with_a_block"], 0, ["with_a_block"], 1, ["with_a_block"], 2]


class Counted:
    """Knows how many there are."""

    alive = 0

    def __init__(self):
        Counted.alive += 1

    def __del__(self):
        Counted.alive -= 1


def test_what_a_program_with_a_clean_up_that_performs_held_goes_with_it():
    """Nothing of its frame is kept until the unwinding is over, however it is left."""
    seen = []

    @do
    def performs(depth):
        local = Counted()
        try:
            if depth:
                return (yield performs(depth - 1))
            return (yield Ping()), local
        finally:
            yield Tell("clean-up")

    @do
    def body():
        try:
            yield performs(200)
        finally:
            seen.append(Counted.alive)

    result = run(stop(body()), handlers=[writer])
    assert (result.value, len(result.log), seen) == ("stopped", 201, [0])


def test_an_unwinding_inside_of_a_clean_up_does_not_end_the_one_outside():
    seen = []

    @do
    def innermost():
        try:
            return (yield Ping())
        finally:
            yield stop(Ping())

    @do
    def without(depth):
        local = Counted()
        return (yield without(depth - 1) if depth else innermost()), local

    @do
    def body():
        try:
            yield without(200)
        finally:
            seen.append(Counted.alive)

    assert run(stop(body())).value == "stopped"
    assert seen == [0]


def test_clean_ups_that_perform_are_left_on_a_small_stack():
    """In a child process, for a chain of tracebacks that is let go by recursion kills it."""
    run_child(
        """
        import threading
        from segue import *

        class Ping(Effect[int]):
            pass

        @handles(Ping)
        def stop(e, k):
            return "stopped"

        @do
        def performs(depth):
            try:
                return (yield performs(depth - 1) if depth else Ping())
            finally:
                yield Tell(depth)

        results = []
        threading.stack_size(256 * 1024)
        thread = threading.Thread(target=lambda: results.append(run(stop(performs(100_000)), handlers=[writer])))
        thread.start()
        thread.join()
        assert (results[0].value, len(results[0].log)) == ("stopped", 100_001)
        """,
        seconds=60,
    ).ok()


def test_blocks_of_what_it_delegates_to_run():
    seen = []

    def helper():
        try:
            yield Ping()
        except Discontinued:
            seen.append("helper")
            raise

    class Steps:
        """An iterator of the user's own, which is told of an error."""

        def __iter__(self):
            return self

        def __next__(self):
            return Ping()

        def throw(self, error, *_):
            seen.append("steps")
            raise error

    @do
    def by_helper():
        return (yield from helper())

    @do
    def by_steps():
        return (yield from Steps())

    assert run(stop(by_helper())).value == "stopped"
    assert run(stop(by_steps())).value == "stopped"
    assert seen == ["helper", "steps"]


@pytest.mark.parametrize("kind", ["with", "except", "loop"])
def test_each_kind_of_block_is_seen(kind):
    log = []

    class Block:
        def __enter__(self):
            return self

        def __exit__(self, kind, *_):
            log.append(kind)

    def in_with():
        with Block():
            yield Ping()

    def in_except():
        try:
            raise KeyError
        except KeyError:
            try:
                yield Ping()
            except BaseException as error:
                log.append(type(error))
                raise

    def in_loop():
        for _ in range(3):
            try:
                yield Ping()
            finally:
                log.append(Discontinued)

    @do
    def without(program):
        return (yield program)

    block = do({"with": in_with, "except": in_except, "loop": in_loop}[kind])
    assert run(stop(without(without(block())))).value == "stopped"
    assert log == [Discontinued]


def test_effects_of_the_blocks_are_handled_beyond_it():
    @do
    def inner():
        try:
            yield Ping()
        finally:
            yield Tell("inner")

    @do
    def without(program):
        return (yield program)

    @do
    def outer():
        try:
            yield without(without(inner()))
        finally:
            yield Tell("outer")

    assert told(stop(without(outer()))) == ["inner", "outer", "stopped"]


def test_program_that_somebody_else_holds_is_over_too():
    held = []

    @do
    def without():
        yield Ping()

    @handles(Ping)
    def holds(effect, k):
        code = without.__wrapped__.__code__
        held.extend(one for one in gc.get_objects() if isinstance(one, types.GeneratorType) and one.gi_code is code)
        return "stopped"

    assert run(holds(without())).value == "stopped"
    assert [one.gi_frame for one in held] == [None]


def test_an_error_of_the_users_own_goes_through_each_program():
    @do
    def innermost():
        yield Ping()

    @do
    def middle():
        yield innermost()

    @handles(Ping)
    def throws(effect, k):
        return ResumeThrow(k, Discontinued("mine"))

    with pytest.raises(Discontinued, match="mine") as caught:
        run(throws(middle()))
    names = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-2:] == ["middle", "innermost"]
