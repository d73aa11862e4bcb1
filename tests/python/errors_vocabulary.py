"""Programs that fail, and what tells where, that the tests of errors have in common."""

from segue import Effect, answers, do
from vocabulary import Ping


class Load(Effect[bytes]):
    payload: object = None


@answers(Ping)
def fails(e):
    raise ValueError("from the clause")


@do
def inner(error):
    yield Ping()
    raise error


@do
def middle(error):
    return (yield inner(error))


@do
def outer(error):
    return (yield middle(error))
