"""What the tests of the table of ends have in common: each takes the names `ns` of an implementation."""

import importlib
import types

import pytest


def namespace(name):
    """The public names of an implementation, and two effects."""
    module = importlib.import_module(name)

    class Ping(module.Effect[int]):
        n: int = 0

    class Pong(module.Effect[int]):
        n: int = 0

    return types.SimpleNamespace(**vars(module), Ping=Ping, Pong=Pong)


def guarded(ns, log, effect=None, mark="cleaned"):
    """Performs, and then marks its clean-up by telling and in the log."""

    @ns.do
    def body():
        try:
            return (yield effect or ns.Ping(1))
        finally:
            log.append(mark)

    return body()


def hooked(ns, log, clause, answer=None):
    """A handler of Ping that logs its hooks. `answer` is what `error` answers."""

    class Hooked(ns.Handler):
        ping = ns.handles(ns.Ping)(clause)

        def enter(self):
            log.append("enter")

        def result(self, value):
            log.append("result")
            return ("mapped", value)

        def error(self, exc):
            log.append(f"error {exc!r}")
            if answer is None:
                raise exc
            return answer

        def exit(self):
            log.append("exit")

    return Hooked()


def unasked(self, e, k):
    pytest.fail("nobody performs")


def resumer(ns):
    """Resumes each Ping with its number, and returns what the body comes to."""
    return ns.handles(ns.Ping)(lambda e, k: ns.Resume(k, e.n))


def keeper(ns, kept, value="later"):
    def keep(e, k):
        kept.append(k.keep())
        return value

    return ns.handles(ns.Ping)(keep)


def suspended(ns, program):
    """A kept continuation, at the first Ping of a program."""
    kept = []
    return keeper(ns, kept)(program).map(lambda _: kept.pop())


def failing(ns, log, exc):
    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        finally:
            log.append("cleaned")
            raise exc

    return body()


def caught_at_the_perform(ns, log):
    @ns.do
    def body():
        try:
            yield ns.Ping(1)
        except KeyError as e:
            yield ns.Pure(None)
            return ("caught", e.args)

    return body()
