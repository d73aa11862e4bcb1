"""Semantics 8: programs that use real clients and servers of asyncio and trio, over the loopback."""

import asyncio
import functools

import anyio
import anyio.lowlevel
import pytest
import trio

from async_vocabulary import TRIO, asyncios
from segue import (
    Acquire,
    Await,
    Cancel,
    CreateSemaphore,
    Get,
    Modify,
    Release,
    Spawn,
    Try,
    Wait,
    acontext,
    aiter,  # noqa: A004 - what Python calls it
    answers,
    async_run,
    bracket,
    do,
    scheduler,
    state,
    timeout,
)
from tasks_vocabulary import spawn_all
from vocabulary import Ping

aiohttp = pytest.importorskip("aiohttp")
httpx = pytest.importorskip("httpx")
applications = pytest.importorskip("starlette.applications")
responses = pytest.importorskip("starlette.responses")
routing = pytest.importorskip("starlette.routing")

COUNT = 1000
TOGETHER = 100
STUCK = COUNT // 2


@do
def limited(semaphore, program):
    """Run a program while holding a permit: so many connections at a time."""
    return (yield bracket(Acquire(semaphore), lambda _: program, lambda _: Release(semaphore)))


@do
def crowd(fetch, stuck):
    """A thousand requests of as many tasks; the one that is not answered is cancelled once the server has it."""
    semaphore = yield CreateSemaphore(TOGETHER)
    programs = [limited(semaphore, fetch(n)).flat_map(counted) for n in range(COUNT)]
    tasks = yield spawn_all(*programs)
    yield Await(stuck.wait())
    yield Cancel(tasks[STUCK])
    outcomes = []
    for task in tasks:
        got = yield Try(Wait(task))
        outcomes.append(got)
    return [outcome.value if outcome.is_ok() else type(outcome.error).__name__ for outcome in outcomes], (
        yield Get("n")
    )


def counted(value):
    return Modify("n", lambda n: n + 1).map(lambda _: value)


EXPECTED = ["TaskCancelledError" if n == STUCK else f"answer {n}" for n in range(COUNT)], COUNT - 1


class Service:
    """Answers what it is asked; one request it keeps, until whoever asked is gone."""

    def __init__(self, loop):
        self.stuck, self.never, self.gone = loop.event(), loop.event(), loop.event()

    async def answer(self, n):
        if n == STUCK:
            self.stuck.set()
            await self.never.wait()
        return f"answer {n}"


@asyncios
def test_aiohttp_answers_a_thousand_requests_of_a_program_and_one_is_cancelled(loop):
    async def main():
        service = Service(loop)

        async def handle(request):
            try:
                return aiohttp.web.Response(text=await service.answer(int(request.match_info["n"])))
            except asyncio.CancelledError:
                service.gone.set()
                raise

        import aiohttp.web

        application = aiohttp.web.Application()
        application.router.add_get("/{n}", handle)
        runner = aiohttp.web.AppRunner(application, handler_cancellation=True)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"

        def use(session):
            def fetch(n):
                return acontext(session.get(f"{url}/{n}"), lambda response: Await(response.text()))

            return crowd(fetch, service.stuck)

        program = acontext(aiohttp.ClientSession(), use)
        try:
            result = await async_run(program, handlers=[state({"n": 0}), scheduler])
            await asyncio.wait_for(service.gone.wait(), 20)
        finally:
            await runner.cleanup()
        return result

    result = loop.run(main)
    assert result.value == EXPECTED
    assert result.unobserved == ()


def test_streams_of_trio_do_the_same():
    """A plain exchange of HTTP/1.0 over `trio.open_tcp_stream`."""

    async def main():
        service = Service(TRIO)

        async def serve(stream):
            async with stream:
                asked = b""
                while not asked.endswith(b"\r\n\r\n"):
                    asked += await stream.receive_some()
                answer = await service.answer(int(asked.split()[1][1:]))
                await stream.send_all(b"HTTP/1.0 200 OK\r\n\r\n" + answer.encode())

        async with trio.open_nursery() as nursery:
            (listener, *_) = await nursery.start(functools.partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
            port = listener.socket.getsockname()[1]

            @do
            def fetch(n):
                stream = yield Await(trio.open_tcp_stream("127.0.0.1", port))  # noqa: ASYNC105 - the loop awaits it
                return (yield acontext(stream, lambda stream: exchange(stream, n)))

            result = await async_run(crowd(fetch, service.stuck), handlers=[state({"n": 0}), scheduler])
            nursery.cancel_scope.cancel()
        return result

    result = trio.run(main)
    assert result.value == EXPECTED
    assert result.unobserved == ()


@do
def exchange(stream, n):
    yield Await(stream.send_all(b"GET /%d HTTP/1.0\r\n\r\n" % n))
    chunks = []
    yield aiter(stream, lambda chunk: Get("n").map(lambda _: chunks.append(chunk)))
    head, _, body = b"".join(chunks).partition(b"\r\n\r\n")
    assert head == b"HTTP/1.0 200 OK"
    return body.decode()


@asyncios
def test_starlette_runs_a_program_for_each_request(loop):
    """Each request has a run of its own, with handlers of its own; a failure is an answer of that one only."""

    @do
    def handler(name):
        task = yield Spawn(Await(asyncio.sleep(0)).flat_map(lambda _: Ping(len(name))))
        if name == "slow":
            yield timeout(0.005, Await(asyncio.Event().wait()))
        return f"{name} {yield Wait(task)} {yield Modify('n', lambda n: n + 1)}"

    @answers(Ping)
    def doubles(e):
        return 2 * e.n

    async def endpoint(request):
        program = handler(request.path_params["name"])
        result = await async_run(program, handlers=[state({"n": 0}), scheduler, doubles])
        if result.is_err():
            return responses.PlainTextResponse(type(result.error).__name__, status_code=500)
        return responses.PlainTextResponse(result.value)

    async def main():
        application = applications.Starlette(routes=[routing.Route("/{name}", endpoint)])
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://segue") as client:
            names = ["a", "bb", "slow", "dddd"]
            got = await asyncio.gather(*(client.get(f"/{name}") for name in names))
        return [(response.status_code, response.text) for response in got]

    assert loop.run(main) == [(200, "a 2 0"), (200, "bb 4 0"), (500, "TimeoutError"), (200, "dddd 8 0")]


def test_program_drives_the_client_of_an_application_in_one_run():
    """Client and application in one program: what the client awaits runs other programs."""

    async def endpoint(request):
        result = await async_run(
            Await(asyncio.sleep(0)).map(lambda _: request.path_params["name"]), handlers=[scheduler]
        )
        return responses.PlainTextResponse(result.value)

    transport = httpx.ASGITransport(app=applications.Starlette(routes=[routing.Route("/{name}", endpoint)]))

    @do
    def fetch_all(client):
        tasks = yield spawn_all(*(Await(client.get(f"/{n}")).map(lambda got: got.text) for n in range(20)))
        texts = []
        for task in tasks:
            got = yield Wait(task)
            texts.append(got)
        return texts

    async def main():
        client = httpx.AsyncClient(transport=transport, base_url="http://segue")
        return await async_run(acontext(client, fetch_all), handlers=[scheduler])

    assert asyncio.run(main()).value == [str(n) for n in range(20)]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_serves_and_asks_on_both_of_its_back_ends(backend):
    """The same program: streams, a task group and a limit of time of anyio, in root and tasks."""

    async def main():
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - no Django

        async def echo(stream):
            async with stream:
                await stream.send((await stream.receive()).upper())

        @do
        def ask(text):
            stream = yield Await(anyio.connect_tcp("127.0.0.1", port))
            return (yield acontext(stream, lambda stream: talk(stream, text)))

        @do
        def talk(stream, text):
            yield Await(stream.send(text))
            return (yield Await(stream.receive()))

        @do
        def program():
            tasks = yield spawn_all(*(ask(b"task %d" % n) for n in range(20)))
            texts = [(yield ask(b"root"))]
            for task in tasks:
                got = yield Wait(task)
                texts.append(got)
            return texts

        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, echo)
            with anyio.fail_after(20):
                result = await async_run(program(), handlers=[scheduler])
            group.cancel_scope.cancel()
        return result.value

    assert anyio.run(main, backend=backend) == [b"ROOT", *(b"TASK %d" % n for n in range(20))]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_scope_of_anyio_around_a_run_cancels_it(backend):
    log = []

    @do
    def program():
        try:
            yield Await(anyio.lowlevel.checkpoint())
            yield Await(anyio.sleep(60))
        finally:
            log.append("finally")

    async def main():
        with anyio.move_on_after(0.01) as scope:
            await async_run(program(), handlers=[scheduler])
        return scope.cancelled_caught

    assert anyio.run(main, backend=backend) is True
    assert log == ["finally"]
