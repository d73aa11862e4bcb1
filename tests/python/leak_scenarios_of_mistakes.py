"""Scenarios of what goes wrong, or is looked at from outside: where a reference is dropped on the way out, or not."""

import asyncio
import contextlib
import copy
import pickle
import signal
import threading

import segue
from leak_vocabulary import Ping, Token, ask, echo, raises, scenario, unraisable_ignored
from segue import (
    Call,
    Discontinue,
    FlatMap,
    Get,
    GetContinuation,
    GetExecutionContext,
    GetHandlers,
    Handler,
    LimitExceeded,
    Limits,
    Modify,
    Put,
    PythonAsyncSyntaxEscape,
    PyVM,
    Resume,
    ResumeThrow,
    Tell,
    TransferThrow,
    Try,
    WithHandler,
    WithIntercept,
    answers,
    async_run,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
    writer,
)

NODES = [
    segue.Call,
    segue.CreateContinuation,
    segue.Discontinue,
    segue.FlatMap,
    segue.Inherit,
    segue.Limits,
    segue.Listen,
    segue.Local,
    segue.Map,
    segue.Perform,
    segue.PythonAsyncSyntaxEscape,
    segue.Resume,
    segue.ResumeThrow,
    segue.Seal,
    segue.Transfer,
    segue.TransferThrow,
    segue.Try,
    segue.WithHandler,
    segue.WithIntercept,
]


class Hostile:
    """Answers no question about itself."""

    def __init__(self, payload):
        self.payload = payload

    def __repr__(self):
        raise ValueError(self.payload)

    __hash__ = None

    def __eq__(self, other):
        raise ValueError(self.payload)


@scenario
def refused_arguments(x):
    for node in NODES:
        for args in (), (x,), (x, x), (x, x, x, x, x):
            with contextlib.suppress(TypeError):
                node(*args)
    for wrong in {"handlers": x}, {"handlers": [x]}, {"env": x}, {"store": x}, {"limits": x}, {"other": x}:
        with contextlib.suppress(TypeError):
            run(ask(x), **wrong)
    with contextlib.suppress(TypeError):
        run(x)


@scenario
def yields_no_program(x):
    @do
    def body():
        with contextlib.suppress(TypeError):
            yield x
        yield x

    run(body())


@scenario
def functions_that_give_no_program(x):
    run(Try(FlatMap(ask(x), lambda v: v)), handlers=[echo])
    run(Try(Call(lambda v: v, x)))
    run(WithIntercept(lambda e: x, ask(x)), handlers=[echo])


@scenario
def do_function_called_wrongly(x):
    run(Try(ask(x, x, x)))
    run(Try(Call(ask, other=x)))


@scenario
def foreign_and_used_continuations(x):
    used = []

    @handles(Ping)
    def keeps(e, k):
        used.append(k.keep())
        return (yield Resume(k, e.payload))

    run(ask(x), handlers=[keeps])
    for node in Resume(used[0], x), ResumeThrow(used[0], ValueError(x)), Discontinue(used[0]), used[0].resume(x):
        run(node)


@scenario
def thrown_outward(x):
    def clause(e, k):
        yield TransferThrow(k, ValueError(x))

    run(Try(ask(x)), handlers=[clause])
    run(raises(x), handlers=[lambda e, k: k.throw(KeyError(x))])


@scenario
def failing_hooks(x):
    class Fails(Handler):
        def __init__(self, hook):
            self.hook = hook

        def at(self, hook):
            if self.hook == hook:
                raise ValueError(x)

        def enter(self):
            self.at("enter")

        def result(self, value):
            self.at("result")
            return value

        def error(self, exc):
            self.at("error")
            raise exc

        def exit(self):
            self.at("exit")

    for hook in "enter", "result", "error", "exit":
        for program in ask(x), raises(x):
            run(program, handlers=[echo, Fails(hook)])


@scenario
def failing_clean_up(x):
    @do
    def body():
        try:
            yield Ping(x)
        finally:
            raise ValueError(x)

    with unraisable_ignored():
        run(body(), handlers=[lambda e, k: x])
        run(body(), handlers=[lambda e, k: (yield Discontinue(k))])


@scenario
def clean_up_that_performs(x):
    @do
    def body():
        try:
            yield Ping(x)
        finally:
            yield Put("x", (yield Ping(x)))

    run(body(), handlers=[state, echo, lambda e, k: x])


@scenario
def failing_updates(x):
    def fails(old):
        raise ValueError(old)

    run(Try(Put("x", x).flat_map(lambda _: Modify("x", fails))), handlers=[state])
    run(Try(Get(x)), handlers=[state])
    run(Try(Get(Hostile(x))), handlers=[state])


@scenario
def cycle_of_lazy_values(x):
    env = {"a": lazy(segue.Ask("b")), "b": lazy(segue.Ask("a")), "x": x}
    run(Try(segue.Ask("a")), handlers=[reader(env)])


@scenario
def every_limit(x):
    @do
    def deep(n):
        return (yield deep(n + 1)), x

    @do
    def nests():
        return (yield WithHandler(echo, nests()))

    @do
    def swallows():
        while True:
            with contextlib.suppress(LimitExceeded):
                yield Ping(x)

    for program, limit in (
        (deep(0), {"depth": 20}),
        (nests(), {"segments": 20}),
        (swallows(), {"steps": 50, "grace": 10}),
        (swallows(), {"seconds": 0, "grace": 10}),
    ):
        run(program, handlers=[echo], limits=Limits(**limit))


@scenario
def interrupted(x):
    @do
    def body():
        try:
            signal.raise_signal(signal.SIGINT)
            while True:
                yield Ping(x)
        finally:
            yield Tell(x)

    with contextlib.suppress(KeyboardInterrupt):
        run(body(), handlers=[writer, echo])


@scenario
def results_that_are_read(x):
    with unraisable_ignored():
        for program in ask(x), raises(x), raises(Hostile(x)), Put("x", x):
            r = run(program, handlers=[writer, state, echo], trace=True)
            repr(r), r.display(), r.log, r.raw_store, r.unobserved, r.trace, r.usage, r.reports, repr(r.result)
            for name in "value", "error":
                with contextlib.suppress(Exception):
                    getattr(r, name)


@scenario
def values_of_the_library(x):
    effect = Ping(x)
    assert effect == copy.copy(effect)
    assert Ping((1,)) == pickle.loads(pickle.dumps(Ping((1,))))  # noqa: S301 - its own
    with contextlib.suppress(AttributeError):
        effect.payload = x
    with contextlib.suppress(TypeError):
        Ping(x, x, other=x)
    with contextlib.suppress(ValueError):
        assert Ping(Hostile(x)) == Ping(Hostile(x))
    for value in effect, segue.Ok(x), segue.Err(ValueError(x)), ask(x), Limits(steps=1), Put("x", x):
        assert repr(value)


@scenario
def looked_at_from_inside(x):
    @handles(Ping)
    def clause(e, k):
        mine = yield GetContinuation()
        seen = (yield GetHandlers()), (yield GetHandlers(k)), (yield GetExecutionContext())
        return (yield Resume(mine, seen))

    run(ask(x), handlers=[state({"x": x}), clause])


@scenario
def iterated_and_bare(x):
    @do
    def delegates():
        yield from ask(x)
        return (yield from Ping(x))

    def bare():
        return (yield Ping(x))

    run(delegates(), handlers=[echo])
    once = bare()
    run(once, handlers=[echo])
    with contextlib.suppress(Exception):
        run(once, handlers=[echo])


@scenario
def handlers_put_together(x):
    @answers(Tell)
    def hears(e):
        return x

    run((echo | hears)(Tell(x).flat_map(lambda _: ask(x))))


@scenario
def machine_used_by_two_threads(x):
    vm = PyVM()
    refused = []

    def uses():
        try:
            vm.step_once()
        except Exception as e:
            refused.append(type(e))

    @do
    def body():
        thread = threading.Thread(target=uses)
        thread.start()
        thread.join()
        return (yield Ping(x))

    vm.start_program(body(), handlers=[echo])
    while vm.step_once()[0] == "continue":
        pass
    assert refused


@scenario
def built_here_run_there(x):
    program = ask(x)
    thread = threading.Thread(target=run, args=(program, [echo]))
    del program
    thread.start()
    thread.join()


@scenario
def machine_used_wrongly(x):
    vm = PyVM(trace=True)
    for wrong in vm.step_once, vm.finish, lambda: vm.feed_async_result(x), lambda: vm.feed_async_error(ValueError(x)):
        with contextlib.suppress(Exception):
            wrong()
    vm.start_program(ask(x), handlers=[echo])
    with contextlib.suppress(Exception):
        vm.start_program(ask(x))
    while vm.step_once()[0] == "continue":
        pass
    vm.finish()


@scenario
def cancelled(x):
    async def waits():
        asyncio.current_task().cancel(x)
        await asyncio.sleep(0)

    async def main():
        with contextlib.suppress(asyncio.CancelledError):
            await async_run(PythonAsyncSyntaxEscape(waits), handlers=[echo])

    asyncio.run(main())


@scenario
def failing_awaitables(x):
    async def fails():
        raise ValueError(x)

    @do
    def body():
        for action in fails, lambda: x:
            yield Try(PythonAsyncSyntaxEscape(action))

    asyncio.run(async_run(body()))


@scenario
def programs_never_run(x):
    box = [x]
    program = ask(box)
    box += [
        program.map(lambda v: (v, box)),
        program.flat_map(lambda v: box),
        WithHandler(lambda e, k: box, program),
        segue.Seal([Ping], program),
        segue.Local({"x": box}, segue.Listen(Try(program))),
        segue.bracket(program, lambda v: box, ask),
        reader({"x": lazy(program)}),
    ]


@scenario
def tokens_in_a_deep_nest(x):
    @do
    def deep(n, token):
        return token if n == 0 else (yield WithHandler(echo, deep(n - 1, token)))

    run(deep(30, Token()))
    run(deep(30, Token()), handlers=[echo], limits=Limits(depth=20))
