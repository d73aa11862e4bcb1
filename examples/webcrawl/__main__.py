"""The command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from segue import acontext, async_run

from . import Manners, Report, on_loopback, over_http, survey


def show(report: Report) -> str:
    """A report for people."""
    end = "" if report.complete else ", when the time was over"
    lines = [f"{len(report.pages)} pages in {report.seconds:.1f} s{end}"]
    lines += [f"  {url}" for url in report.pages]
    lines.append(f"{len(report.broken)} broken links")
    lines += [f"  {url}: {why}, found on {found_on or 'the command line'}" for url, why, found_on in report.broken]
    lines.append(f"{len(report.retries)} requests tried again")
    lines += [f"  {url}: {why}, after {pause:.2f} s" for url, why, pause in report.retries]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when all of the site was seen."""
    usual = Manners(patience=1.0)
    parser = argparse.ArgumentParser(description="Crawl a web site, or a small one on loopback.")
    parser.add_argument("url", nargs="?", help="where to start; only this host is crawled")
    parser.add_argument("--seconds", type=float, default=60.0, help="for the whole (%(default)s)")
    parser.add_argument("--patience", type=float, default=usual.patience, help="seconds for a request (%(default)s)")
    parser.add_argument("--per-second", type=float, default=usual.per_second, help="requests (%(default)s)")
    parser.add_argument("--at-once", type=int, default=usual.at_once, help="requests (%(default)s)")
    parser.add_argument("--retries", type=int, default=usual.retries, help="of a request (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="for the pauses (%(default)s)")
    options = vars(parser.parse_args(arguments))

    url, seconds, seed = options.pop("url"), options.pop("seconds"), options.pop("seed")
    manners = Manners(**options)
    job = survey(url, seconds, manners) if url else acontext(on_loopback(), lambda url: survey(url, seconds, manners))
    report = asyncio.run(async_run(job, handlers=over_http(seed))).value
    print(show(report))
    return 0 if report.complete else 1


if __name__ == "__main__":
    sys.exit(main())
