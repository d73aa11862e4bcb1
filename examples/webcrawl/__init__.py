"""Crawl a web site: its pages, its broken links, what had to be tried again, and how long all that took.

    python -m examples.webcrawl                            # crawls a small site that it starts itself, on loopback
    python -m examples.webcrawl http://localhost:8000/

The program that crawls knows nothing of manners: how long a request may take, how many there may be in a second and at
once, and which are tried again after what pause, are rules around it. Neither knows of the network. Under `over_http` a
request is awaited in the event loop that runs; under `scripted` it is an entry of a dictionary, on a clock where an
hour's pauses take no time.

The modules, each of which uses only those above it:

- `crawl`: the effects, and the program that follows links.
- `rules`: manners, each a handler of a few lines around `Fetch`.
- `survey`: the whole job, within a time, and its report.
- `network`: who answers in the end.
- `site`: a small site with faults.
"""

from .crawl import Answer, Broken, Fetch, FetchError, Jitter, Page, Retry, crawl
from .network import Reply, jitter, over_http, scripted
from .rules import Manners, Paced, rules
from .site import on_loopback
from .survey import Report, survey

__all__ = [
    "Answer",
    "Broken",
    "Fetch",
    "FetchError",
    "Jitter",
    "Manners",
    "Paced",
    "Page",
    "Reply",
    "Report",
    "Retry",
    "crawl",
    "jitter",
    "on_loopback",
    "over_http",
    "rules",
    "scripted",
    "survey",
]
