"""Who answers in the end: the network, in the event loop that runs, or a dictionary, in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import aiohttp

from segue import Await, Handler, Sleep, VirtualClock, answers, scheduler, writer

from .crawl import Answer, Fetch, FetchError, Jitter


def jitter(seed: int) -> Handler[Jitter]:
    """Draws from a seed: the same for the same attempt, in whatever order the tasks run."""

    @answers(Jitter)
    def drawn(effect: Jitter) -> float:
        digest = sha256(f"{seed} {effect.attempt} {effect.url}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64

    return drawn


# Over HTTP.


async def get(session: aiohttp.ClientSession, url: str) -> Answer:
    """One request, with the body when that is a page."""
    async with session.get(url, allow_redirects=False) as response:
        body = await response.text(errors="replace") if response.content_type == "text/html" else ""
        return Answer(response.status, body, response.headers.get("Location"))


class OverHttp(Handler[Fetch]):
    """Asks the network, with one session for all requests."""

    def enter(self) -> None:
        """Open the session; it sets no time limit of its own."""
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))

    @answers(Fetch)
    def fetch(self, effect: Fetch) -> Generator[Any, Any, Answer]:
        """Await the answer."""
        try:
            answer: Answer = yield from Await(get(self.session, effect.url))
        except (aiohttp.ClientError, OSError) as error:
            raise FetchError(str(error) or type(error).__name__) from error
        return answer

    def exit(self) -> Generator[Any, Any, None]:
        """Close the session, however the crawl ended."""
        yield from Await(self.session.close())


def over_http(seed: int) -> list[Handler[Any]]:
    """The handlers for a real site, under `async_run`."""
    return [writer, scheduler, jitter(seed), OverHttp()]


# From a dictionary.


class Reply(NamedTuple):
    """What a request comes to, and after how many seconds."""

    outcome: Answer | FetchError
    after: float = 0.0


class Scripted(Handler[Fetch]):
    """Gives the replies of an address in their order, and the last one again and again."""

    def __init__(self, replies: Mapping[str, Sequence[Reply]]) -> None:
        self.replies = replies

    def enter(self) -> None:
        """Nothing was asked for yet."""
        self.asked: Counter[str] = Counter()

    @answers(Fetch)
    def fetch(self, effect: Fetch) -> Generator[Any, Any, Answer]:
        """The next reply, in its time."""
        replies = self.replies.get(effect.url, [Reply(Answer(404))])
        reply = replies[min(self.asked[effect.url], len(replies) - 1)]
        self.asked[effect.url] += 1
        yield from Sleep(reply.after)
        if isinstance(reply.outcome, FetchError):
            raise reply.outcome
        return reply.outcome


def scripted(replies: Mapping[str, Sequence[Reply]], seed: int = 0, *, order: int | None = None) -> list[Handler[Any]]:
    """The handlers for a site in a dictionary, in virtual time. `order` draws the order of the tasks."""
    return [writer, scheduler(seed=order, clock=VirtualClock()), jitter(seed), Scripted(replies)]
