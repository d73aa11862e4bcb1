"""Programs that the tests of clauses and their `k` have in common."""

from segue import Handler, SegueError, do
from vocabulary import Ping


@do
def catches():
    """Gives what an error at the perform says."""
    try:
        return (yield Ping())
    except Exception as e:
        return f"{type(e).__name__}: {e}"


@do
def guarded(log, name="body"):
    """Notes the answer and, in `finally`, that it was closed."""
    try:
        v = yield Ping()
        log.append((name, v))
        return (name, v)
    finally:
        log.append((name, "closed"))


def refused(node):
    """A program that gives the type of the SegueError that `node` raises at its yield."""

    @do
    def program():
        try:
            yield node
        except SegueError as e:
            return type(e)

    return program()


class Results(Handler):
    """Accepts nothing; shows what passes `result`."""

    def result(self, value):
        return ("result", value)
