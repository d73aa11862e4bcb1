"""The whole job: a crawl with manners, within a time, and its report."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from segue import Err, Listen, Now, Try, do, timeout

from .crawl import Broken, Page, Retry, crawl
from .rules import Manners, rules


@dataclass(frozen=True)
class Report:
    """What was found; `complete` is false when the time was over before the site was."""

    pages: tuple[str, ...]
    broken: tuple[Broken, ...]
    retries: tuple[Retry, ...]
    seconds: float
    complete: bool


@do
def survey(start: str, seconds: float, manners: Manners) -> Generator[Any, Any, Report]:
    """Crawl for so many seconds at most: what is under way then is broken off, and what was found is reported.

    The rules stand inside of `Listen`, which hears what they tell.
    """
    begun = yield from Now()
    polite = rules(manners)(crawl(start))
    tried, told = yield from Listen(Try(timeout(seconds, polite)))
    if isinstance(tried, Err) and not isinstance(tried.error, TimeoutError):
        raise tried.error
    return Report(
        pages=tuple(entry.url for entry in told if isinstance(entry, Page)),
        broken=tuple(entry for entry in told if isinstance(entry, Broken)),
        retries=tuple(entry for entry in told if isinstance(entry, Retry)),
        seconds=(yield from Now()) - begun,
        complete=tried.is_ok(),
    )
