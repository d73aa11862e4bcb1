"""The effects of a crawl, what it tells, and the program that follows links."""

from __future__ import annotations

from collections.abc import Generator
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from segue import Effect, TaskGroup, Tell, do, task_group


class FetchError(Exception):
    """There was no answer at all."""


class Answer(NamedTuple):
    """What a server said; `location` is where a redirect leads."""

    status: int
    body: str = ""
    location: str | None = None


# The effects.


class Fetch(Effect[Answer]):
    """Ask for a page. Raises `FetchError` when there is no answer, `TimeoutError` when there is none in time."""

    url: str


class Jitter(Effect[float]):
    """A number from 0 to 1 that lengthens the pause after an attempt."""

    url: str
    attempt: int


# What is told.


class Page(NamedTuple):
    """A page that is there."""

    url: str


class Broken(NamedTuple):
    """A link that leads nowhere, and the first page it was found on; `None` for where the crawl started."""

    url: str
    why: str
    found_on: str | None


class Retry(NamedTuple):
    """A request that will be tried again after a pause."""

    url: str
    why: str
    pause: float


# The program.


class Links(HTMLParser):
    """Collects what a page leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the target of a link or an image."""
        wanted = {"a": "href", "img": "src"}.get(tag)
        self.found += [target for name, target in attrs if name == wanted and target]


def leads_to(url: str, answer: Answer) -> list[str]:
    """The addresses that an answer leads to, each once, without what comes after a `#`."""
    parser = Links()
    parser.feed(answer.body)
    targets = [answer.location] if answer.location else parser.found
    return list(dict.fromkeys(urldefrag(urljoin(url, target)).url for target in targets))


@do
def crawl(start: str) -> Generator[Any, Any, None]:
    """Visit what can be reached on one host, a task for each address, and tell of it."""
    place = urlsplit(start)
    host = place.scheme, place.netloc
    seen = {start}

    @do
    def visit(group: TaskGroup, url: str, found_on: str | None) -> Generator[Any, Any, None]:
        try:
            answer = yield from Fetch(url)
        except (FetchError, TimeoutError) as error:
            yield from Tell(Broken(url, str(error), found_on))
            return
        if answer.status // 100 in {4, 5}:
            yield from Tell(Broken(url, f"status {answer.status}", found_on))
            return
        yield from Tell(Page(url))
        for link in leads_to(url, answer):
            if link not in seen and urlsplit(link)[:2] == host:
                seen.add(link)
                yield from group.spawn(visit(group, link, url), name=link)

    yield from task_group(lambda group: visit(group, start, None))
