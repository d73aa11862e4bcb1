"""The short way and the long way come to the same. A trace closes the short way (decision 25).

Each program is run enough times over for its routes to be remembered, once with a trace and once without; what it comes
to, what it logs, and the steps that it takes have to be equal.
"""

import contextvars
import weakref

import pytest

from segue import (
    Ask,
    ContinuationError,
    Delegate,
    Effect,
    Gather,
    Get,
    Handler,
    LimitExceeded,
    Limits,
    Pass,
    Put,
    Resume,
    ResumeThrow,
    Seal,
    Spawn,
    Transfer,
    Try,
    WithHandler,
    Yield,
    answers,
    do,
    handles,
    reader,
    run,
    scheduler,
    state,
)

ROUNDS = 70
"""More than a look-around apart, so that the short way is left and entered again."""


class Ping(Effect[int]):
    n: int = 0


@do
def pings(rounds=ROUNDS):
    given = []
    for n in range(rounds):
        answer = yield Ping(n)
        given.append(answer)
    return given


@answers(Ping)
def value(effect):
    return effect.n


@answers(Ping)
def program(effect):
    return effect.n + (yield Get("one"))


@answers(Ping)
def calls(effect):
    return (yield added(effect.n))


@answers(Ping)
def passes(effect):
    return Pass()


@answers(Ping)
def passes_odd(effect):
    return Pass() if effect.n % 2 else -effect.n


@answers(Ping)
def delegates(effect):
    return (yield Delegate()) * 10


@answers(Ping)
def delegates_plainly(effect):
    return Delegate()


@answers(Ping)
def fails_on_odd(effect):
    if effect.n % 2:
        raise ValueError(effect.n)
    return effect.n


@handles(Ping)
def plain(effect, k):
    return Resume(k, effect.n)


@handles(Ping)
def plain_method(effect, k):
    return k.resume(effect.n)


@handles(Ping)
def tail(effect, k):
    return (yield Resume(k, (yield Ask("ten")) + effect.n))


@handles(Ping)
def nontail(effect, k):
    rest = yield Resume(k, effect.n)
    return [*rest, "after", effect.n]


@handles(Ping)
def ends(effect, k):
    return Resume(k, effect.n) if effect.n < 5 else "ended"


@handles(Ping)
def ends_later(effect, k):
    one = yield Get("one")
    return Resume(k, effect.n) if effect.n < 5 else ("ended", one)


@handles(Ping)
def throws(effect, k):
    return ResumeThrow(k, KeyError(effect.n)) if effect.n == 60 else Resume(k, effect.n)


@handles(Ping)
def transfers(effect, k):
    yield Transfer(k, effect.n)


@handles(Ping)
def keeps(effect, k):
    return Resume(k.keep(), effect.n)


@handles(Ping)
def control_delegates(effect, k):
    return Resume(k, (yield Delegate()) + 1)


@handles(Ping)
def raises(effect, k):
    if effect.n == 66:
        raise ValueError(effect.n)
    return Resume(k, effect.n)


def gives(effect):
    """Give what is set on it, as a program that performs nothing."""
    if effect.n < 0:
        yield effect
    return gives.answer(effect.n)


class Counting(Handler):
    def enter(self):
        self.seen = 0

    @handles(Ping)
    def ping(self, effect, k):
        self.seen += 1
        return Resume(k, effect.n)

    def result(self, value):
        return value, self.seen


@do
def added(n):
    if n < 0:
        yield Ping(n)
    return n + 1


@do
def nested(depth):
    if depth == 0:
        return (yield pings())
    try:
        return (yield nested(depth - 1))
    finally:
        yield Put("left", depth)


@do
def caught():
    seen = []
    for n in range(ROUNDS):
        try:
            seen.append((yield Ping(n)))
        except (ValueError, KeyError) as error:
            seen.append(repr(error))
    return seen


STACKS = {
    "value": [value],
    "program": [program],
    "calls": [calls],
    "passes": [value, passes],
    "passes twice": [value, passes, passes],
    "passes to control": [plain, passes],
    "passes to what does not resume at once": [nontail, passes],
    "passes to nobody": [passes],
    "passes some": [tail, passes_odd],
    "delegates": [value, delegates],
    "delegates to control": [plain, delegates],
    "delegates to what passes": [value, passes, delegates],
    "delegates to what delegates": [program, delegates, delegates],
    "delegates plainly": [value, delegates_plainly],
    "delegates to nobody": [delegates],
    "fails": [fails_on_odd],
    "passes to what fails": [fails_on_odd, passes],
    "plain": [plain],
    "method": [plain_method],
    "tail": [tail],
    "nontail": [nontail],
    "ends": [ends],
    "ends later": [ends_later],
    "throws": [throws],
    "transfers": [transfers],
    "keeps": [keeps],
    "control delegates": [value, control_delegates],
    "control delegates to control": [nontail, control_delegates],
    "raises": [raises],
    "class": [Counting()],
}
PROGRAMS = {"pings": pings, "nested": lambda: nested(3), "caught": caught}


def shown(handlers, program, **settings):
    settings = {"store": {"one": 1, "left": 0}, "env": {"ten": 10}, **settings}
    done = run(program, handlers=[state, reader, *handlers], **settings)
    result = done.value if done.is_ok() else repr(done.error)
    return result, done.raw_store, done.usage.steps, done.usage.depth, done.usage.segments


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_both_ways_come_to_the_same(stack, name):
    make = PROGRAMS[name]
    assert shown(STACKS[stack], make()) == shown(STACKS[stack], make(), trace=True)


@pytest.mark.parametrize("stack", STACKS)
def test_both_ways_come_to_the_same_inside_of_a_program(stack):
    """What a block comes to goes to the program that installed the handler."""

    @do
    def outside():
        comes_to = []
        for _ in range(2):
            installed = nested(2)
            for handler in reversed(STACKS[stack]):
                installed = WithHandler(handler, installed)
            block = yield installed
            comes_to.append((block, (yield Get("left"))))
            yield Put("left", 0)
        return comes_to

    assert shown([], outside()) == shown([], outside(), trace=True)


@pytest.mark.parametrize("stack", ["value", "plain", "tail", "nontail", "delegates", "passes", "calls"])
def test_both_ways_pass_a_limit_at_the_same_step(stack):
    """Exactly the limit passes, on both ways."""
    steps = shown(STACKS[stack], pings())[2]
    for limit in (1, 2, 3, steps // 2, steps - 2, steps - 1, steps):
        settings = {"limits": Limits(steps=limit)}
        short = shown(STACKS[stack], pings(), **settings)
        assert short == shown(STACKS[stack], pings(), trace=True, **settings)
        assert ("LimitExceeded" in str(short[0])) == (limit < steps)


@pytest.mark.parametrize("stack", ["plain", "nontail", "calls", "delegates"])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 8])
def test_both_ways_pass_a_limit_of_depth_at_the_same_call(stack, depth):
    settings = {"limits": Limits(depth=depth)}
    assert shown(STACKS[stack], nested(3), **settings) == shown(STACKS[stack], nested(3), trace=True, **settings)


def test_a_k_that_somebody_holds_does_not_serve_another_clause():
    """L3.2: it has one owner, and what a program holds stays what it was."""
    held = []

    @handles(Ping)
    def holds(effect, k):
        held.append(k)
        return Resume(k, effect.n)

    assert run(pings(), handlers=[holds]).value == list(range(ROUNDS))
    assert len({id(k) for k in held}) == ROUNDS
    assert all(k.used for k in held)


def test_a_k_that_served_another_clause_names_who_used_it_last():
    """L3.3: the refusal says which clause used it."""
    refused = []

    @handles(Ping)
    def first(effect, k):
        yield Resume(k, effect.n)
        refused.append((yield Try(Resume(k, 0))))

    @handles(Ping)
    def second(effect, k):
        yield Resume(k, effect.n)
        refused.append((yield Try(Resume(k, 0))))

    for _ in range(2):
        for clause in (first, second):

            @do
            def both(one=clause, other=first if clause is second else second):
                yield one(pings(3))
                yield other(pings(3))

            run(both())
    told = [str(refusal.error) for refusal in refused]
    assert len(told) == 24
    for place, names in enumerate(["first", "second", "second", "first"] * 2):
        for text in told[3 * place : 3 * place + 3]:
            assert names in text
            assert ("second" if names == "first" else "first") not in text


def test_more_clauses_wait_than_ks_are_kept():
    """As many as a thousand serve again; the others go, and so does what they held."""

    @do
    def twice():
        first = yield nontail(pings(1500))
        return len(first), len((yield nontail(pings(1500))))

    assert run(twice()).value == (4500, 4500)


def test_a_k_that_is_watched_does_not_serve_another_clause():
    """L3.8: `K` supports weak references; they die with their clause."""
    watched = []

    @handles(Ping)
    def watches(effect, k):
        assert all(gone() is None for gone in watched)
        watched.append(weakref.ref(k))
        return Resume(k, effect.n)

    assert run(pings(), handlers=[watches]).value == list(range(ROUNDS))
    assert all(gone() is None for gone in watched)


def test_a_node_that_somebody_holds_still_names_its_used_k():
    nodes = []

    @handles(Ping)
    def notes(effect, k):
        nodes.append(Resume(k, effect.n))
        return nodes[-1]

    assert run(pings(), handlers=[notes]).value == list(range(ROUNDS))
    assert [node.value for node in nodes] == list(range(ROUNDS))
    assert all(node.k.used for node in nodes)
    assert len({id(node.k) for node in nodes}) == ROUNDS


@pytest.mark.parametrize("form", ["control", "value", "program", "call"])
@pytest.mark.parametrize("trace", [False, True])
def test_what_a_clause_or_a_call_loses_is_unwound_before_its_answer(form, trace):
    """L3.12: a kept `k` that is dropped is unwound between two steps."""
    held, log = [], []

    class Park(Effect[None]):
        pass

    @handles(Park)
    def parks(effect, k):
        held.append(k.keep())

    @do
    def parked():
        try:
            yield Park()
        finally:
            log.append("unwound")

    def answer(n):
        if n == 3:
            held.clear()
        return n

    forms = {
        "control": handles(Ping)(lambda effect, k: Resume(k, answer(effect.n))),
        "value": answers(Ping)(lambda effect: answer(effect.n)),
        "program": answers(Ping)(gives),
        "call": value,
    }
    called = do(gives)

    @do
    def logs():
        for n in range(1, 5):
            log.append((yield called(Ping(n)) if form == "call" else Ping(n)))  # noqa: PERF401

    @do
    def main():
        yield parks(parked())
        yield forms[form](logs())

    gives.answer = answer
    assert run(main(), trace=trace).is_ok()
    assert log == [1, 2, "unwound", 3, 4]


def test_a_used_k_says_which_clause_used_it():
    held = []

    @handles(Ping)
    def first_use(effect, k):
        held.append(k)
        return Resume(k, effect.n)

    @do
    def again():
        yield pings()
        return (yield Try(Resume(held[-1], 1)))

    error = run(WithHandler(first_use, again())).value.error
    assert isinstance(error, ContinuationError)
    assert "first_use" in str(error)


def test_a_clause_outside_of_the_tasks_runs_in_the_context_of_the_run():
    """A task has a context of its own, and what is outside of it has not."""
    variable = contextvars.ContextVar("variable", default="outside")
    seen = set()

    @handles(Ping)
    def looks(effect, k):
        seen.add(variable.get())
        return Resume(k, variable.get())

    @answers(Ping)
    def looks_as_program(effect):
        seen.add(variable.get())
        yield Get("one")
        return variable.get()

    @do
    def task(number):
        variable.set(number)
        before = []
        for n in range(ROUNDS):
            before.append((yield Ping(n)))
            assert variable.get() == number
            yield Yield()
        return before

    @do
    def tasks():
        spawned = [(yield Spawn(task(0))), (yield Spawn(task(1))), (yield Spawn(task(2)))]
        return (yield Gather(*spawned))

    for clause in (looks, looks_as_program):
        outside = run(tasks(), handlers=[state({"one": 1}), clause, scheduler]).value
        assert outside == [["outside"] * ROUNDS] * 3
        assert seen == {"outside"}
    inside = run(tasks(), handlers=[scheduler, state({"one": 1}), looks_as_program]).value
    assert inside == [[number] * ROUNDS for number in range(3)]


def test_a_wall_stops_what_is_called_on_the_short_way():
    @do
    def walled():
        return (yield Seal([Ping], pings()))

    assert run(walled(), handlers=[plain]).value == list(range(ROUNDS))
    assert shown([plain], Seal([Get], pings()))[0] == shown([plain], Seal([Get], pings()), trace=True)[0]


def test_exactly_the_limit_of_steps_passes():
    assert isinstance(run(pings(), handlers=[plain], limits=Limits(steps=3)).error, LimitExceeded)


@do
def counted(n):
    if n == 2:
        raise ValueError(n)
    return (yield counted(n - 2)) if n > 2 else n


@do
def counts():
    seen = []
    for n in (1, 2, 0, 3, 5, 6):
        seen.append((yield Try(counted(n))) if n else (yield counted(n)))  # noqa: PERF401
    return repr(seen)


@pytest.mark.parametrize("bound", ["steps", "depth"])
def test_calls_that_return_at_once_count_as_those_that_wait(bound):
    """They stand on no stack, and take their step and their depth all the same."""
    used = shown([], counts())
    assert used == shown([], counts(), trace=True)
    assert (used[0], used[3]) == ("[Ok(1), Err(ValueError(2)), 0, Ok(1), Ok(1), Err(ValueError(2))]", 4)
    most = {"steps": used[2], "depth": used[3]}[bound]
    for limit in range(1, most + 1):
        settings = {"limits": Limits(**{bound: limit})}
        short = shown([], counts(), **settings)
        assert short == shown([], counts(), trace=True, **settings)
        assert ("LimitExceeded" in str(short[0])) == (limit < most)
