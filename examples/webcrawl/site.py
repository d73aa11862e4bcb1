"""A small site with faults, to be crawled on loopback."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

PAGES = {
    "/": '<a href="/tea">tea</a> <a href="/cups#big">cups</a> <a href="http://example.com/">elsewhere</a>',
    "/tea": '<a href="/">home</a> <a href="/busy">busy</a> <img src="/leaf.png">',
    "/cups": '<a href="/old">old</a> <a href="/gone">gone</a> <a href="/slow">slow</a> <a href="/down">down</a>',
    "/busy": "refuses twice, and then is here",
    "/slow": "takes a minute the first time",
}


class Site:
    """What the site says to its requests, which it counts."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        """The answer to one."""
        path = request.path
        self.asked[path] += 1
        if path == "/down" or (path == "/busy" and self.asked[path] in {1, 2}):
            raise web.HTTPServiceUnavailable
        if path == "/slow" and self.asked[path] == 1:
            await asyncio.sleep(60)
        if path == "/old":
            raise web.HTTPMovedPermanently("/tea")
        if path == "/leaf.png":
            return web.Response(body=b"a leaf", content_type="image/png")
        if path not in PAGES:
            raise web.HTTPNotFound
        return web.Response(text=PAGES[path], content_type="text/html")


@asynccontextmanager
async def on_loopback() -> AsyncGenerator[str]:
    """The site on a free port; gives the address of its first page."""
    application = web.Application()
    application.router.add_get("/{path:.*}", Site().answer)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()
