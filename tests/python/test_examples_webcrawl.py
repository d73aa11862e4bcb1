"""`examples/webcrawl`: a site in a dictionary, to the instant of each request in virtual time, and one on loopback."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from segue import Delegate, Now, Tell, answers, async_run, do, run, task_group

pytest.importorskip("aiohttp")

ROOT = Path(__file__).resolve().parents[2]


def load():
    """The package, as a module."""
    spec = importlib.util.spec_from_file_location("segue_example_webcrawl", ROOT / "examples/webcrawl/__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


webcrawl = load()
Answer, Broken, FetchError, Manners, Reply, Retry = (
    getattr(webcrawl, name) for name in ("Answer", "Broken", "FetchError", "Manners", "Reply", "Retry")
)

HOME = "http://site/"
FREE = {"per_second": 1e6, "burst": 1000, "at_once": 1000}  # No rule but the one under test waits.


@answers(webcrawl.Fetch)
def watched(effect):
    """Notes when a request gets to the network, and when it leaves it, however it leaves."""
    yield Tell(("asked", effect.url, (yield Now())))
    try:
        return (yield Delegate())
    finally:
        yield Tell(("left", effect.url, (yield Now())))


@answers(webcrawl.Jitter)
def whole(effect):
    """Pauses are as long as they may be."""
    return 1.0


def links(*paths):
    """A page that leads to some paths."""
    return Answer(200, "".join(f'<a href="{path}">x</a>' for path in paths))


def site(pages):
    """Paths with what they give at each request; one that is no reply comes at once."""
    return {
        HOME + path: [reply if isinstance(reply, Reply) else Reply(reply) for reply in replies]
        for path, replies in pages.items()
    }


def star(count, *replies):
    """A site whose first page leads to many, which all give the same replies."""
    paths = [f"page{number}" for number in range(count)]
    return site({"": [links(*paths)]} | dict.fromkeys(paths, replies))


def surveyed(replies, *inside, seconds=1e9, seed=0, order=None, **manners):
    """The result of a survey, and the requests that got to the network: `[(path, asked, left)]` as they were asked."""
    handlers = [*webcrawl.scripted(replies, seed, order=order), watched, *inside]
    done = run(webcrawl.survey(HOME, seconds, Manners(**{**FREE, **manners})), handlers=handlers)
    assert done.is_err() or not done.unobserved
    asked, left = [], defaultdict(list)
    for entry in done.log:
        match entry:
            case "asked", url, instant:
                asked.append((url, instant))
            case "left", url, instant:
                left[url].append(instant)
    assert Counter(url for url, _ in asked) == {url: len(instants) for url, instants in left.items()}
    return done, [(url.removeprefix(HOME), begun, left[url].pop(0)) for url, begun in asked]


def instants(requests, path=None):
    """When a path was asked for; without one, when any was."""
    return [begun for where, begun, _ in requests if path in {None, where}]


# What is found.


def test_every_page_of_the_host_is_visited_once_and_broken_links_are_told():
    replies = site(
        {
            "": [links("a", "b#part", "/b", "gone", "http://elsewhere/", "mailto:ann@site", "https://site/")],
            "a": [Answer(301, location="/c")],
            "b": [Answer(200, '<p><img src="picture"><a>no target</a><A HREF=" ">')],
            "c": [links("/", "a", "gone", "lost")],
            "picture": [Answer(200)],
            "lost": [FetchError("no route")],
        }
    )
    done, requests = surveyed(replies, retries=0)
    assert sorted(done.value.pages) == sorted(HOME + path for path in ("", "a", "b", "c", "picture"))
    assert done.value.broken == (
        Broken(HOME + "gone", "status 404", HOME),
        Broken(HOME + "lost", "no route", HOME + "c"),
    )
    assert (done.value.retries, done.value.seconds, done.value.complete) == ((), 0.0, True)
    assert sorted(path for path, *_ in requests) == ["", "a", "b", "c", "gone", "lost", "picture"]


def test_pages_are_asked_for_side_by_side():
    done, _ = surveyed(star(100, Reply(Answer(200), after=4)))
    assert (len(done.value.pages), done.value.seconds) == (101, 4.0)


def test_error_of_the_program_is_no_broken_link():
    @answers(webcrawl.Fetch)
    def wrong(effect):
        raise ZeroDivisionError

    done, _ = surveyed({}, wrong)
    assert done.error.subgroup(ZeroDivisionError) is not None


# Trying again.


def test_request_that_fails_is_tried_again_until_it_does_not():
    replies = [Answer(503), FetchError("reset"), Answer(429), links()]
    done, requests = surveyed(site({"": replies}), whole, retries=5, pause=1.0)
    assert instants(requests) == [0.0, 1.0, 3.0, 7.0]
    assert done.value.pages == (HOME,)
    assert done.value.retries == (
        Retry(HOME, "status 503", 1.0),
        Retry(HOME, "reset", 2.0),
        Retry(HOME, "status 429", 4.0),
    )


@pytest.mark.parametrize(("reply", "why"), [(Answer(503), "status 503"), (FetchError("refused"), "refused")])
def test_one_that_goes_on_failing_is_given_up(reply, why):
    done, requests = surveyed(site({"": [reply]}), whole, retries=3, pause=1.0)
    assert instants(requests) == [0.0, 1.0, 3.0, 7.0]
    assert (done.value.pages, done.value.broken) == ((), (Broken(HOME, why, None),))
    assert (len(done.value.retries), done.value.complete) == (3, True)


def test_what_will_not_get_better_is_not_tried_again():
    done, requests = surveyed(site({"": [Answer(404), links()]}), retries=3)
    assert (len(requests), done.value.retries) == (1, ())
    assert done.value.broken == (Broken(HOME, "status 404", None),)


def test_an_hour_of_pauses():
    done, requests = surveyed(
        star(3, *[Answer(503)] * 12, Answer(200)), whole, retries=12, pause=1.0, longest_pause=1e9
    )
    assert done.value.seconds == 2**12 - 1 > 3600
    assert instants(requests, "page1") == [2.0**n - 1 for n in range(13)]
    assert len(done.value.pages) == 4


def test_pause_has_a_greatest_length():
    _, requests = surveyed(site({"": [Answer(500)]}), whole, retries=6, pause=1.0, longest_pause=3.0)
    assert instants(requests) == [0.0, 1.0, 3.0, 6.0, 9.0, 12.0, 15.0]


def test_jitter_lengthens_each_pause_from_its_half_and_comes_from_the_seed():
    replies = star(20, *[Answer(503)] * 3, Answer(200))

    def pauses(seed, order):
        done, _ = surveyed(replies, seed=seed, order=order, pause=8.0)
        return sorted(done.value.retries)

    first = pauses(seed=1, order=None)
    assert len(first) == len({retry.pause for retry in first}) == 60
    for n, retry in enumerate(first):
        same = sorted(other.pause for other in first if other.url == retry.url)
        assert all(longest / 2 <= pause <= longest for pause, longest in zip(same, (8, 16, 32), strict=True)), n
    assert all(pauses(seed=1, order=order) == first for order in range(5))
    assert pauses(seed=2, order=None) != first


# Limits.


def test_request_that_takes_too_long_is_broken_off_and_tried_again():
    done, requests = surveyed(site({"": [Reply(links(), after=60), links()]}), whole, patience=5.0, pause=1.0)
    assert requests == [("", 0.0, 5.0), ("", 6.0, 6.0)]
    assert done.value.retries == (Retry(HOME, "no answer in 5 s", 1.0),)
    assert done.value.pages == (HOME,)


def test_request_that_always_takes_too_long_is_a_broken_link():
    done, _ = surveyed(site({"": [Reply(links(), after=60)]}), whole, patience=5.0, pause=1.0, retries=1)
    assert done.value.broken == (Broken(HOME, "no answer in 5 s", None),)
    assert (done.value.seconds, done.value.complete) == (11.0, True)


def test_requests_keep_their_distance():
    _, requests = surveyed(star(9, Answer(200)), per_second=2.0, burst=1)
    assert instants(requests) == [n / 2 for n in range(10)]


def test_bucket_that_was_left_alone_is_full_again():
    replies = star(6, Answer(200))
    replies[HOME] = [replies[HOME][0]._replace(after=10)]
    _, requests = surveyed(replies, per_second=4.0, burst=3, patience=60.0)
    assert instants(requests) == [0.0, 10.0, 10.0, 10.0, 10.25, 10.5, 10.75]


def test_tries_take_tokens_too():
    _, requests = surveyed(star(2, Answer(503), Answer(200)), whole, per_second=0.5, burst=1, pause=1.0)
    assert instants(requests) == [0.0, 2.0, 4.0, 6.0, 8.0]


@pytest.mark.parametrize("burst", [1, 3])
def test_rate_holds_under_any_order_and_all_delays(burst):
    """Any n requests in a row take at least the time in which n - burst tokens come."""
    for order in range(20):
        pages = {f"page{n}": [Answer(503), Reply(Answer(200), after=n % 5)] for n in range(30)}
        replies = site({"": [links(*pages)]} | pages)
        _, requests = surveyed(replies, seed=order, order=order, per_second=8.0, burst=burst, at_once=4)
        asked = instants(requests)
        assert len(asked) == 61
        for first in range(len(asked)):
            for last in range(first + burst, len(asked)):
                least = (last - first + 1 - burst) / 8
                assert asked[last] - asked[first] >= least - 1e-9, f"order {order}"


def test_each_host_has_a_bucket_of_its_own():
    @do
    def body(group):
        for n in range(3):
            for host in ("one", "two"):
                yield group.spawn(webcrawl.Fetch(f"http://{host}/{n}"))

    done = run(task_group(body), handlers=[*webcrawl.scripted({}), watched, webcrawl.Paced(1.0, 1)])
    asked = [(url, instant) for word, url, instant in done.log if word == "asked"]
    assert asked == [(f"http://{host}/{n}", float(n)) for n in range(3) for host in ("one", "two")]


def test_so_many_requests_run_at_once_and_no_more():
    done, requests = surveyed(star(12, Reply(Answer(200), after=1)), at_once=3)
    assert instants(requests)[1:] == [float(n // 3) for n in range(12)]
    assert done.value.seconds == 4.0


def test_pause_holds_no_permit():
    replies = site({"": [links("bad", "good")], "bad": [Answer(503), Answer(200)], "good": [Answer(200)]})
    _, requests = surveyed(replies, whole, at_once=1, pause=10.0)
    assert requests == [("", 0.0, 0.0), ("bad", 0.0, 0.0), ("good", 0.0, 0.0), ("bad", 10.0, 10.0)]


# The whole is limited too.


def test_when_the_time_is_over_what_is_in_flight_is_unwound_and_the_rest_never_begun():
    replies = star(20, Reply(Answer(200), after=60))
    replies[HOME + "page0"] = [Reply(links("late"), after=7)]
    done, requests = surveyed(replies, seconds=10, patience=100.0, at_once=8)
    assert requests == [
        ("", 0.0, 0.0),
        ("page0", 0.0, 7.0),
        *((f"page{n}", 0.0, 10.0) for n in range(1, 8)),
        ("page8", 7.0, 10.0),
    ]
    assert done.value == webcrawl.Report((HOME, HOME + "page0"), (), (), 10.0, complete=False)
    assert not done.unobserved


def test_time_that_is_over_breaks_off_a_pause_and_a_wait_for_a_token():
    done, requests = surveyed(star(3, Answer(503)), whole, seconds=3, per_second=0.5, burst=1, pause=100.0)
    assert instants(requests) == [0.0, 2.0]
    assert (done.value.seconds, done.value.complete) == (3.0, False)
    assert [retry.why for retry in done.value.retries] == ["status 503"]


# Order.


def test_same_seed_same_trace():
    pages = {f"page{n}": [Answer(503), Reply(Answer(200), after=n % 3)] for n in range(15)}
    replies = site({"": [links(*pages)]} | pages)

    def trace(order):
        return list(surveyed(replies, order=order, at_once=4, per_second=4.0, burst=2)[0].log)

    assert all(trace(order) == trace(order) for order in [None, *range(5)])
    assert len({tuple(trace(order)) for order in range(5)}) > 1


# A real site.


def test_real_site_and_its_script_give_the_same_report():
    """`/slow` takes a minute at first, so its first request is broken off here and there."""

    async def main():
        async with webcrawl.on_loopback() as address:
            job = webcrawl.survey(address, 60.0, Manners(patience=2.0, pause=0.01))
            return address, (await async_run(job, handlers=webcrawl.over_http(0))).value

    def found(report, address):
        """What does not depend on who came first."""
        return (
            sorted(url.removeprefix(address) for url in report.pages),
            sorted((url.removeprefix(address), why) for url, why, _ in report.broken),
            {(url.removeprefix(address), why) for url, why, _ in report.retries},
            report.complete,
        )

    html = {path[1:]: Answer(200, body) for path, body in sys.modules[f"{webcrawl.__name__}.site"].PAGES.items()}
    script = {path: [answer] for path, answer in html.items()} | {
        "busy": [Answer(503), Answer(503), html["busy"]],
        "slow": [Reply(html["slow"], after=60), html["slow"]],
        "old": [Answer(301, location="/tea")],
        "leaf.png": [Answer(200)],
        "down": [Answer(503)],
    }
    scripted, _ = surveyed(site(script), patience=2.0, pause=0.01)
    address, real = asyncio.run(main())
    assert found(real, address) == found(scripted.value, HOME)
    assert found(real, address) == (
        ["", "busy", "cups", "leaf.png", "old", "slow", "tea"],
        [("down", "status 503"), ("gone", "status 404")],
        {("busy", "status 503"), ("down", "status 503"), ("slow", "no answer in 2 s")},
        True,
    )


def test_real_request_in_flight_is_ended_with_the_whole():
    async def main():
        async with webcrawl.on_loopback() as address:
            job = webcrawl.survey(f"{address}slow", 0.5, Manners(patience=1000.0))
            return await async_run(job, handlers=[*webcrawl.over_http(0), watched])

    done = asyncio.run(main())
    assert [entry[0] for entry in done.log] == ["asked", "left"]
    assert (done.value.pages, done.value.complete) == ((), False)


def test_server_that_is_not_there_is_a_broken_link():
    async def main():
        async with webcrawl.on_loopback() as address:
            pass
        job = webcrawl.survey(address, 60.0, Manners(retries=1, pause=0.01))
        return (await async_run(job, handlers=webcrawl.over_http(0))).value

    report = asyncio.run(main())
    assert (report.pages, len(report.broken), len(report.retries), report.complete) == ((), 1, 1, True)


def test_the_webcrawl_command():
    command = [sys.executable, "-m", "examples.webcrawl", "--patience", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout.splitlines()
    assert told[0].startswith("7 pages in ")
    assert "2 broken links" in told
    assert any("/gone: status 404, found on http://127.0.0.1:" in line for line in told)
