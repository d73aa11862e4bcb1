"""Programs that the tests of runs have in common."""

from segue import Tell, do
from vocabulary import Ping


@do
def pings(count):
    for n in range(count):
        yield Ping(n)


@do
def forever():
    while True:
        yield Ping()


@do
def raises(error):
    yield Tell("told")
    raise error


def step(vm):
    """The first event that is not `continue`."""
    while (event := vm.step_once()) == ("continue",):
        pass
    return event


def action():
    raise AssertionError("stepping never calls the action")
