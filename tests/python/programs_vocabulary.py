"""Programs, and what is none, that the tests of programs have in common."""

from segue import do, run
from vocabulary import Ping, echo


@do
def add(a, b):
    return (yield Ping(a)) + (yield Ping(b))


def raw(n=1):
    yield Ping(n)


async def coroutine():
    return 1


async def async_generator():
    yield 1


def error_at_yield(wrong):
    """Yield `wrong` inside a program that catches the TypeError at that yield and gives it."""

    @do
    def program():
        try:
            yield wrong
        except TypeError as e:
            return e, (yield Ping(7))

    error, after = run(program(), handlers=[echo]).value
    assert after == 7  # the program goes on
    return error
