"""Effects, programs and handlers that many tests speak of."""

from segue import Effect, Handler, Inherit, Resume, Tell, answers, do, handles, run, writer


class Ping(Effect[int]):
    n: int = 0


class Pong(Effect[str]):
    text: str = ""


class Fork(Effect[object]):
    program: object


@do
def ask(n=0):
    return (yield Ping(n))


@do
def twice():
    return (yield Ping(1)), (yield Ping(2))


@answers(Ping)
def echo(e):
    return e.n


@answers(Pong)
def pong(e):
    return "pong"


@handles(Ping)
def stop(e, k):
    return "stopped"


@handles(Fork)
def forks(e, k):
    value = yield Inherit(k, e.program)
    return Resume(k, value)


def keeper(kept):
    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    return keeps


class Tally(Handler):
    def enter(self):
        self.seen = []

    @answers(Ping)
    def ping(self, e):
        self.seen.append(e.n)
        return e.n

    def result(self, value):
        return (self.seen, value)


@do
def guarded(log, name="body"):
    try:
        return (yield Ping())
    finally:
        log.append(name)


@do
def then_tell(program):
    """Tell what `program` comes to, after whatever its unwinding told."""
    value = yield program
    yield Tell(value)
    return value


def told(program, *handlers):
    """What `program` and its unwinding told, in order, its value last."""
    return list(run(then_tell(program), handlers=[writer, *handlers]).log)


class Fetch(Effect[bytes]):
    url: str
    retries: int = 0
