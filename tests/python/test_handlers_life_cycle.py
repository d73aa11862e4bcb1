"""Semantics 2: class handlers, their life cycle and their forks (H-rows of the faults)."""

import pytest

from segue import (
    Get,
    Handler,
    Inherit,
    Pure,
    Put,
    Resume,
    TaskEndedError,
    Tell,
    WithHandler,
    answers,
    do,
    handles,
    run,
    state,
    writer,
)
from vocabulary import Fork, Ping, Pong, Tally, ask, echo, forks, twice

# Class handlers and their life cycle.


class Recorder(Handler):
    """Notes each part of its life in a list that all its copies share."""

    def __init__(self, log):
        self.log = log

    def enter(self):
        self.log.append("enter")

    @answers(Ping)
    def ping(self, e):
        self.log.append("ping")
        return e.n

    @handles(Pong)
    def pong(self, e, k):
        self.log.append("pong")
        return "ended"

    def result(self, value):
        self.log.append("result")
        return ("result", value)

    def error(self, exc):
        self.log.append("error")
        raise exc

    def exit(self):
        self.log.append("exit")
        return "ignored"


def test_life_cycle_of_a_body_that_returns():
    log = []
    assert run(ask(3), handlers=[Recorder(log)]).value == ("result", 3)
    assert log == ["enter", "ping", "result", "exit"]


def test_life_cycle_of_a_body_that_raises():
    log = []
    error = ValueError("x")

    @do
    def raises():
        yield Ping()
        raise error

    assert run(raises(), handlers=[Recorder(log)]).error is error
    assert log == ["enter", "ping", "error", "exit"]


def test_life_cycle_of_a_body_that_is_ended():
    """Semantics 2: a value with which a clause ends the block does not pass `result`."""
    log = []
    assert run(Pong(), handlers=[Recorder(log)]).value == "ended"
    assert log == ["enter", "pong", "exit"]


def test_life_cycle_of_a_body_left_by_a_base_exception():
    """Semantics 4: `error` sees only Exceptions."""
    log = []

    @do
    def exits():
        yield Ping()
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        run(exits(), handlers=[Recorder(log)])
    assert log == ["enter", "ping", "exit"]


def test_error_may_answer():
    class Forgiving(Recorder):
        def error(self, exc):
            self.log.append("error")
            return ("forgiven", str(exc))

    log = []

    @do
    def raises():
        yield Ping()
        raise ValueError("x")

    assert run(raises(), handlers=[Forgiving(log)]).value == ("forgiven", "x")
    assert log == ["enter", "ping", "error", "exit"]


def test_error_of_result_is_not_an_error_of_the_body():
    class Fails(Recorder):
        def result(self, value):
            raise ValueError("result failed")

    log = []
    assert str(run(ask(), handlers=[Fails(log)]).error) == "result failed"
    assert log == ["enter", "ping", "exit"]


def test_exit_that_fails_keeps_the_other_error_as_context():
    class Fails(Recorder):
        def exit(self):
            raise KeyError("exit failed")

    @do
    def raises():
        yield Ping()
        raise ValueError("body failed")

    error = run(raises(), handlers=[Fails([])]).error
    assert type(error) is KeyError
    assert type(error.__context__) is ValueError


def test_exit_that_fails_after_a_result_is_the_error():
    class Fails(Recorder):
        def exit(self):
            raise KeyError("exit failed")

    assert isinstance(run(ask(), handlers=[Fails([])]).error, KeyError)


def test_methods_of_the_class_itself_change_nothing():
    class Calls(Handler):
        @answers(Ping)
        def ping(self, e):
            return e.n

        def result(self, value):
            return "result", super().result(value)

        def error(self, exc):
            return super().error(exc)

    error = ValueError("x")

    @do
    def raises():
        yield Ping()
        raise error

    assert run(ask(3), handlers=[Calls()]).value == ("result", 3)
    assert run(raises(), handlers=[Calls()]).error is error


def test_life_cycle_methods_may_perform():
    """Semantics 2: all of them run outside the prompt and may perform."""

    class Performs(Handler):
        def enter(self):
            self.start = yield Ping(100)
            yield Tell("enter")

        @answers(Ping)
        def ping(self, e):
            return self.start + e.n

        def result(self, value):
            yield Tell("result")
            return (value, (yield Ping(5)))

        def exit(self):
            yield Tell("exit")

    r = run(ask(1), handlers=[writer, echo, Performs()])
    assert (r.value, list(r.log)) == ((101, 5), ["enter", "result", "exit"])


def test_error_method_may_perform():
    class Performs(Handler):
        def error(self, exc):
            yield Tell(str(exc))
            return "forgiven"

    @do
    def raises():
        yield Pure(None)
        raise ValueError("x")

    r = run(raises(), handlers=[writer, Performs()])
    assert (r.value, list(r.log)) == ("forgiven", ["x"])


def test_life_cycles_nest():
    log = []

    class Named(Handler):
        def __init__(self, name):
            self.name = name

        def enter(self):
            log.append(("enter", self.name))

        def result(self, value):
            return (self.name, value)

        def exit(self):
            log.append(("exit", self.name))

    assert run(Pure(1), handlers=[Named("outer"), Named("inner")]).value == ("outer", ("inner", 1))
    assert log == [("enter", "outer"), ("enter", "inner"), ("exit", "inner"), ("exit", "outer")]


def test_exit_travels_with_a_kept_k():
    """Semantics 2: `exit` belongs to the prompt and travels with a kept `k`."""
    log = []
    kept = []

    class Keeper(Recorder):
        @handles(Ping)
        def ping(self, e, k):
            kept.append(k.keep())
            return "kept"

    @do
    def program():
        first = yield WithHandler(Keeper(log), ask())
        log.append("between")
        second = yield Resume(kept[0], 7)
        return first, second

    assert run(program()).value == ("kept", ("result", 7))
    assert log == ["enter", "between", "result", "exit"]


def test_result_is_seen_by_a_clause_that_resumed():
    """Semantics 2: the value of Resume is after `result`; the clause's value does not pass it."""

    class Maps(Handler):
        @handles(Ping)
        def ping(self, e, k):
            return ("clause", (yield Resume(k, e.n)))

        def result(self, value):
            return ("result", value)

    assert run(ask(3), handlers=[Maps()]).value == ("clause", ("result", 3))


def test_class_handler_is_copied_for_each_installation():
    tally = Tally()
    assert run(twice(), handlers=[tally]).value == ([1, 2], (1, 2))
    assert run(ask(5), handlers=[tally]).value == ([5], 5)
    assert not hasattr(tally, "seen")


def test_class_handler_installed_twice_has_two_states():
    tally = Tally()

    @do
    def program():
        inner = yield WithHandler(tally, ask(1))
        return inner, (yield Ping(2))

    assert run(program(), handlers=[tally]).value == ([2], (([1], 1), 2))


def test_copy_is_shallow():
    """Semantics 2: a fresh shallow copy, so what `__init__` made is shared."""
    log = []
    recorder = Recorder(log)
    run(ask(), handlers=[recorder])
    assert recorder.log is log
    assert log[0] == "enter"


def test_class_handlers_inherit_and_override_clauses():
    class Negative(Tally):
        @answers(Ping)
        def ping(self, e):
            self.seen.append(-e.n)
            return -e.n

    assert run(ask(3), handlers=[Negative()]).value == ([-3], -3)


def test_method_that_is_not_marked_is_no_clause():
    class Silent(Handler):
        def ping(self, e):
            return "never"

    assert run(ask(3), handlers=[echo, Silent()]).value == 3


def test_class_handler_with_control_and_value_clauses():
    class Both(Handler):
        @answers(Ping)
        def ping(self, e):
            return e.n

        @handles(Pong)
        def pong(self, e, k):
            r = yield Resume(k, e.text.upper())
            return ("pong", r)

    @do
    def program():
        return (yield Ping(1)), (yield Pong("a"))

    assert run(program(), handlers=[Both()]).value == ("pong", (1, "A"))


def test_reports():
    """Semantics 5: `reports` holds what handlers' report() gave, after an error too."""

    class Reports(Tally):
        def report(self):
            return ("seen", tuple(self.seen))

        def result(self, value):
            return value

    @do
    def raises():
        yield Ping(4)
        raise ValueError("x")

    assert list(run(twice(), handlers=[Reports()]).reports) == [("seen", (1, 2))]
    assert list(run(raises(), handlers=[Reports()]).reports) == [("seen", (4,))]


def test_report_that_performs_is_an_unobserved_error(unraisable):
    """The run is over when it is asked for: nothing performs any more."""

    class Performs(Tally):
        def report(self):
            yield Ping()

    r = run(twice(), handlers=[Performs()])
    assert (r.value, r.reports) == (([1, 2], (1, 2)), ())
    assert ["report() returns a value" in str(one.error) for one in r.unobserved] == [True]
    assert unraisable == [one.error for one in r.unobserved]


def test_first_report_that_leaves_the_run_is_raised_and_the_others_are_unobserved(unraisable):
    class Leaves(Tally):
        def __init__(self, error):
            self.error_of_report = error

        def report(self):
            raise self.error_of_report

    first, second = SystemExit(), KeyboardInterrupt()
    with pytest.raises(SystemExit) as caught:
        run(twice(), handlers=[Leaves(first), Leaves(second)])
    assert caught.value is first
    assert [one.error for one in first.run_result.unobserved] == [second] == unraisable


# Forks.


@do
def forked(program):
    before = yield Ping(1)
    child = yield Fork(program)
    after = yield Ping(2)
    return before, child, after


class Counting(Handler):
    def __init__(self, log):
        self.log = log
        self.n = 0

    def enter(self):
        self.log.append("enter")

    @answers(Ping)
    def ping(self, e):
        self.n += 1
        return self.n

    def result(self, value):
        self.log.append("result")
        return value

    def exit(self):
        self.log.append("exit")


def test_fork_shares_the_installation_by_default():
    """Semantics 7: the default fork shares the installation; a fork has no life cycle of its own."""
    log = []
    assert run(forked(ask()), handlers=[forks, Counting(log)]).value == (1, 2, 3)
    assert log == ["enter", "result", "exit"]


def test_fork_may_give_the_child_a_handler_of_its_own():
    class Copies(Counting):
        def fork(self):
            child = Copies(self.log)
            child.n = 100
            return child

    log = []
    assert run(forked(ask()), handlers=[forks, Copies(log)]).value == (1, 101, 2)
    assert log == ["enter", "result", "exit"]


@pytest.mark.parametrize("shared", [lambda handler: None, lambda handler: handler], ids=["none", "itself"])
def test_fork_that_gives_nothing_of_its_own_shares_the_handler(shared):
    class Shares(Counting):
        def fork(self):
            return shared(self)

    log = []
    assert run(forked(ask()), handlers=[forks, Shares(log)]).value == (1, 2, 3)
    assert log == ["enter", "result", "exit"]


def test_fork_that_gives_no_handler_of_its_class_is_a_type_error():
    class Wrong(Counting):
        def fork(self):
            return Counting(self.log)

    log = []
    error = run(forked(ask()), handlers=[forks, Wrong(log)]).error
    assert isinstance(error, TypeError)
    assert str(error).startswith("fork() of Wrong gives another Wrong, or None to share this one, and not <handler ")
    assert "Pure(" not in str(error)  # to wrap it would not help
    assert log == ["enter", "exit"]


def test_state_forks_as_a_copy():
    @do
    def child():
        yield Put("n", (yield Get("n")) + 10)
        return (yield Get("n"))

    @do
    def parent():
        yield Put("n", 1)
        inner = yield Fork(child())
        return inner, (yield Get("n"))

    assert run(parent(), handlers=[forks, state]).value == (11, 1)


def test_clause_that_would_end_the_block_in_a_fork_is_task_ended_error():
    """Semantics 7: the fork is unwound, then TaskEndedError is raised."""
    log = []

    @handles(Pong)
    def ends(e, k):
        return "ended with this"

    @do
    def child():
        try:
            yield Pong()
        finally:
            log.append("cleaned")

    @handles(Fork)
    def catches(e, k):
        try:
            yield Inherit(k, e.program)
        except TaskEndedError as error:
            log.append(error.value)
        return Resume(k, "survived")

    @do
    def parent():
        return (yield Fork(child()))

    assert run(parent(), handlers=[catches, ends]).value == "survived"
    assert log == ["cleaned", "ended with this"]


def test_task_ended_error_shows_the_value():
    message = str(TaskEndedError("with this"))
    assert "'with this'" in message
    assert "fork" in message
