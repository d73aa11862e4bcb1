"""Past the grace (semantics 5), what is left is closed without effects: each `finally` and `exit` still runs, once."""

import inspect

import pytest

from segue import Effect, Handler, LimitExceeded, Limits, Pure, answers, do, handles, run


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def echo(effect):
    return effect.n


NO_GRACE = Limits(steps=6, grace=0)


def closed(program, *handlers):
    """Runs it into the limit; nothing of it may be left suspended."""
    result = run(program, handlers=[echo, *handlers], limits=NO_GRACE)
    assert isinstance(result.error, LimitExceeded)
    return result


def test_c106_each_finally_runs_though_the_ones_inside_it_perform():
    log, generators = [], []

    def body():
        try:
            yield endless()
        finally:
            try:
                yield Ping(1)
            finally:
                try:
                    yield Ping(2)
                finally:
                    log.append("inner")
            log.append("never: what stands in its way was not answered")

    @do
    def program():
        generators.append(body())
        try:
            yield from generators[0]
        finally:
            log.append("outer")

    closed(program())
    assert log == ["inner", "outer"]
    assert [inspect.getgeneratorstate(each) for each in generators] == [inspect.GEN_CLOSED]


def test_c106_program_that_never_stops_yielding_is_given_up(unraisable):
    @do
    def program():
        while True:
            try:
                yield Ping()
            except BaseException:  # noqa: S112 - a program that nothing stops
                continue

    closed(program())
    assert "ignored GeneratorExit" in str(unraisable[0])


class Resource(Handler):
    def __init__(self, log, name, leave=lambda: None):
        self.log = log
        self.name = name
        self.leave = leave

    def exit(self):
        self.log.append(self.name)
        self.leave()


class Performing(Resource):
    def exit(self):
        try:
            self.log.append(self.name)
            yield Ping()
            self.log.append("never")
        finally:
            self.log.append("closed")


@do
def endless():
    try:
        while True:
            yield Ping()
    except LimitExceeded:
        while True:
            yield Ping()


def test_c107_each_exit_runs_innermost_first():
    log = []
    closed(Resource(log, "inner")(endless()), Resource(log, "outer"), Resource(log, "middle"))
    assert log == ["inner", "middle", "outer"]


def test_c107_exit_that_performs_is_closed_at_its_first_effect():
    log = []
    closed(endless(), Performing(log, "performing"))
    assert log == ["performing", "closed"]


@pytest.mark.parametrize("kind", [Resource, Performing])
def test_c107_exit_of_a_kept_continuation_runs(kind):
    log, held = [], []

    @handles(Ping)
    def keeps(effect, k):
        held.append(k.keep())
        yield endless()

    closed(keeps(kind(log, "kept")(Ping())))
    assert log[0] == "kept"


def test_c107_what_an_exit_raises_is_told_and_the_others_run(unraisable):
    def fails():
        raise ValueError("exit")

    log = []
    closed(Resource(log, "inner", fails)(endless()), Resource(log, "outer"))
    assert log == ["inner", "outer"]
    assert [str(error) for error in unraisable] == ["exit"]


def test_c107_exit_that_has_run_does_not_run_again():
    log = []

    @do
    def program():
        yield Resource(log, "once")(Pure(1))
        yield endless()

    closed(program())
    assert log == ["once"]
