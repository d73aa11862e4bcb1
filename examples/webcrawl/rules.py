"""Manners: handlers around each `Fetch` that ask the next one outside, wait before that, or ask again."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from segue import CreateSemaphore, Delegate, Handler, HandlerStack, Now, Sleep, Tell, answers, timeout, using

from .crawl import Answer, Fetch, FetchError, Jitter, Retry


@dataclass(frozen=True)
class Manners:
    """How patient and how polite a crawl is; times are in seconds."""

    patience: float = 5.0
    per_second: float = 20.0
    burst: int = 1
    at_once: int = 8
    retries: int = 3
    pause: float = 0.25
    longest_pause: float = 60.0


def limited(seconds: float) -> Handler[Fetch]:
    """Gives each request so many seconds."""

    @answers(Fetch)
    def rule(_: Fetch) -> Generator[Any, Any, Answer]:
        try:
            answer: Answer = yield from timeout(seconds, Delegate())
        except TimeoutError:
            raise TimeoutError(f"no answer in {seconds:g} s") from None
        return answer

    return rule


class Paced(Handler[Fetch]):
    """A bucket of tokens for each host: it holds `burst` of them, and gets `per_second`."""

    def __init__(self, per_second: float, burst: int) -> None:
        self.interval = 1 / per_second
        self.slack = (burst - 1) * self.interval

    def enter(self) -> None:
        """All buckets are full."""
        self.full_at: dict[str, float] = {}

    @answers(Fetch)
    def pace(self, effect: Fetch) -> Generator[Any, Any, Answer]:
        """Take a token, which may have to be waited for. Nobody else runs in between, so this needs no lock."""
        host = urlsplit(effect.url).netloc
        now = yield from Now()
        full_at = max(now, self.full_at.get(host, now))
        self.full_at[host] = full_at + self.interval
        if full_at - self.slack > now:
            yield from Sleep(full_at - self.slack - now)
        answer: Answer = yield from Delegate()
        return answer


class Bounded(Handler[Fetch]):
    """Lets so many requests run at once."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once

    def enter(self) -> Generator[Any, Any, None]:
        """One semaphore for all tasks."""
        self.permits = yield from CreateSemaphore(self.at_once)

    @answers(Fetch)
    def bound(self, _: Fetch) -> Generator[Any, Any, Answer]:
        """Hold a permit while the next handler outside answers."""
        answer: Answer = yield from using(self.permits, Delegate())
        return answer


def retried(manners: Manners) -> Handler[Fetch]:
    """Tries again, after pauses that double, what may go better the next time."""

    @answers(Fetch)
    def rule(effect: Fetch) -> Generator[Any, Any, Answer]:
        answer: Answer
        for attempt in range(manners.retries):
            try:
                answer = yield from Delegate()
            except (FetchError, TimeoutError) as error:
                why = str(error)
            else:
                if answer.status not in {429, 500, 502, 503, 504}:
                    return answer
                why = f"status {answer.status}"
            longest = min(manners.longest_pause, manners.pause * 2**attempt)
            pause = longest * (1 + (yield from Jitter(effect.url, attempt))) / 2
            yield from Tell(Retry(effect.url, why, pause))
            yield from Sleep(pause)
        answer = yield from Delegate()
        return answer

    return rule


def rules(manners: Manners) -> HandlerStack[Any]:
    """All of them; the last sees a request first. So a pause holds no permit, and a token is used when it is taken."""
    return (
        limited(manners.patience)
        | Paced(manners.per_second, manners.burst)
        | Bounded(manners.at_once)
        | retried(manners)
    )
