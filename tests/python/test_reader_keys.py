"""Semantics 6: keys with code of their own are looked up as in a dictionary, in the reader as in the state."""

import pytest

from segue import Ask, Local, MissingKeyError, Pure, do, lazy, reader, run
from vocabulary import Ping, ask, echo


class Named:
    """A key whose comparisons are code of the user's, which may run programs."""

    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return run(ask(hash(self.name)), handlers=[echo]).value

    def __eq__(self, other):
        return isinstance(other, Named) and run(Pure(other.name == self.name)).value


class Fails:
    def __hash__(self):
        raise LookupError("hash")


def test_key_whose_code_runs_programs_is_found():
    assert run(Ask(Named("a")), handlers=[reader({Named("a"): 1})]).value == 1


def test_key_whose_code_runs_programs_is_missed():
    error = run(Ask(Named("b")), handlers=[reader({Named("a"): 1})]).error
    assert isinstance(error, MissingKeyError)


def test_lazy_value_under_such_a_key_is_evaluated_once():
    made = []

    @do
    def program():
        return (yield Ask(Named("a"))), (yield Ask(Named("a")))

    value = lazy(Ping(3).map(lambda n: made.append(n) or n))
    assert run(program(), handlers=[echo, reader({Named("a"): value})]).value == (3, 3)
    assert made == [3]


def test_key_whose_hash_fails_is_an_error_at_the_ask():
    @do
    def program():
        with pytest.raises(LookupError, match="hash"):
            yield Ask(Fails())
        return "caught"

    assert run(program(), handlers=[reader]).value == "caught"


def test_local_overrides_such_a_key():
    program = Local({Named("a"): 2}, Ask(Named("a")))
    assert run(program, handlers=[reader({Named("a"): 1})]).value == 2
