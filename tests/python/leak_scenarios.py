"""Scenarios: each takes a payload through one way of running and leaves nothing."""

import asyncio
import contextlib

import leak_scenarios_of_loops  # noqa: F401 - their scenarios enter themselves
import leak_scenarios_of_mistakes  # noqa: F401
import leak_scenarios_of_tasks  # noqa: F401
from leak_vocabulary import SCENARIOS, Ping, Token, ask, echo, ends, raises, scenario
from segue import (
    Ask,
    Call,
    CreateContinuation,
    Delegate,
    Discontinue,
    Get,
    Handler,
    Inherit,
    Limits,
    Listen,
    Local,
    Pass,
    Pure,
    Put,
    PythonAsyncSyntaxEscape,
    PyVM,
    Resume,
    ResumeThrow,
    Seal,
    Tell,
    Transfer,
    Try,
    WithIntercept,
    answers,
    async_run,
    bracket,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
    writer,
)

__all__ = ["SCENARIOS", "Ping", "Token", "ask", "echo", "ends", "raises"]


@scenario
def value_clause(x):
    run(ask(x), handlers=[echo])


@scenario
def plain_clause(x):
    run(ask(x), handlers=[lambda e, k: Resume(k, e.payload)])


@scenario
def generator_clause(x):
    @handles(Ping)
    def clause(e, k):
        yield Tell(x)
        return (yield Resume(k, e.payload))

    run(ask(x), handlers=[writer, clause])


@scenario
def clause_that_waits(x):
    def clause(e, k):
        return (e.payload, (yield Resume(k, e.payload)))

    run(ask(x), handlers=[clause])


@scenario
def transfer(x):
    def clause(e, k):
        try:
            yield Transfer(k, e.payload)
        finally:
            yield Pure(x)

    run(ask(x), handlers=[clause])


@scenario
def pass_and_delegate(x):
    @answers(Ping)
    def delegates(e):
        return (yield Delegate())

    run(ask(x), handlers=[echo, lambda e, k: Pass(), delegates])


@scenario
def ended(x):
    run(ask(x), handlers=[ends])


@scenario
def discontinued(x):
    def clause(e, k):
        yield Discontinue(k)
        return x

    run(ask(x), handlers=[clause])


@scenario
def thrown_into(x):
    run(ask(x), handlers=[lambda e, k: ResumeThrow(k, ValueError(x))])


@scenario
def failing_clause(x):
    @answers(Ping)
    def fails(e):
        raise ValueError(e.payload)

    run(ask(x), handlers=[fails])


@scenario
def failing_body(x):
    run(raises(x), handlers=[echo])


@scenario
def unhandled(x):
    run(ask(x))


@scenario
def base_exception(x):
    @answers(Ping)
    def leaves(e):
        raise SystemExit(e.payload)

    with contextlib.suppress(SystemExit):
        run(ask(x), handlers=[leaves])


@scenario
def kept_and_resumed(x):
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())

    @do
    def program():
        yield keeps(ask(x))
        return (yield Resume(kept[0], x))

    run(program())


@scenario
def kept_and_left(x):
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        kept.append(kept)

    run(keeps(ask(x)))


@scenario
def kept_and_lost(x):
    @handles(Ping)
    def loses(e, k):
        k.keep()

    run(loses(ask(x)).flat_map(Pure))


@scenario
def second_use(x):
    def clause(e, k):
        yield Resume(k, x)
        yield Resume(k, x)

    run(ask(x), handlers=[clause])


@scenario
def created(x):
    @do
    def program():
        started = yield CreateContinuation(ask(x), [echo])
        unstarted = yield CreateContinuation(ask(x), [echo])
        return (yield Resume(started, None)), unstarted

    run(program())


@scenario
def inherited(x):
    @handles(Ping)
    def spawns(e, k):
        return Resume(k, (yield Inherit(k, Get("n"))))

    run(ask(x), handlers=[spawns, state({"n": x})])


@scenario
def intercepted(x):
    run(WithIntercept(lambda e: Ping(x), ask()), handlers=[echo])


@scenario
def sealed(x):
    run(Seal([], Try(ask(x))), handlers=[echo])


@scenario
def class_handler(x):
    class Holds(Handler):
        def enter(self):
            self.x = x

        @answers(Ping)
        def ping(self, e):
            return self.x

        def error(self, exc):
            return exc

        def exit(self):
            yield Pure(None)

    run(raises(x), handlers=[Holds()])


@scenario
def built_in_handlers(x):
    @do
    def program():
        yield Put("x", x)
        yield Tell(x)
        yield Local({"y": x}, Ask("y"))
        yield Listen(Tell(x))
        yield Ask("lazy")
        return (yield Get("x"))

    run(program(), handlers=[state, writer, reader], env={"lazy": lazy(Pure(x))})


@scenario
def failing_lazy(x):
    run(Ask("v"), handlers=[echo, reader({"v": lazy(raises(x))})])


@scenario
def bracketed(x):
    run(bracket(Pure(x), Ping, Pure), handlers=[ends])


@scenario
def limited(x):
    @do
    def forever():
        while True:
            yield Ping(x)

    run(forever(), handlers=[echo], limits=Limits(steps=50))


@scenario
def traced(x):
    run(ask(x), handlers=[echo], trace=True)


@scenario
def nested_run(x):
    run(Call(lambda: Pure(run(ask(x), handlers=[echo]))))


@scenario
def machine_left_in_the_middle(x):
    vm = PyVM()
    vm.start_program(ask(x), handlers=[echo])
    for _ in range(3):
        vm.step_once()


@scenario
def machine_that_waits(x):
    vm = PyVM()
    vm.start_program(PythonAsyncSyntaxEscape(lambda: x))
    while vm.step_once()[0] != "call_async":
        pass


@scenario
def asynchronous(x):
    async def later():
        return x

    asyncio.run(async_run(PythonAsyncSyntaxEscape(later).flat_map(ask), handlers=[echo]))
