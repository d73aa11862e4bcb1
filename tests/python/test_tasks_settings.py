"""The built-in scheduler alone: its settings, `slice`, `seed`, limits, and its effects as data (semantics 5, 6, 7)."""

import copy
import pickle

import pytest

import segue
from builtins_vocabulary import sequence
from segue import (
    Acquire,
    CreateChannel,
    CreateExternalPromise,
    CreatePromise,
    Gather,
    Get,
    Limits,
    Modify,
    Now,
    Pure,
    Put,
    Race,
    Send,
    Spawn,
    VirtualClock,
    Wait,
    default_handlers,
    do,
    run,
    scheduler,
    state,
    writer,
)
from tasks_vocabulary import built_in, spawn_all, takes_turns, value


def test_it_is_one_of_the_default_handlers():
    assert default_handlers() == [state, writer, scheduler, segue.reader]
    assert run(Spawn(Put("n", 1)).flat_map(Wait), handlers=default_handlers()).raw_store == {"n": 1}


@pytest.mark.parametrize("handler", [scheduler, scheduler(), scheduler(seed=1), scheduler(slice=3)])
def test_it_stands_in_a_list_bare_or_with_settings(handler):
    assert run(Spawn(Pure(3)).flat_map(Wait), handlers=[handler]).value == 3
    assert run(handler(Spawn(Pure(3)).flat_map(Wait))).value == 3
    assert run((state | handler)(Spawn(Pure(3)).flat_map(Wait))).value == 3


@do
def busy(log, name, turns=6):
    """Performs, and never waits."""
    for turn in range(turns):
        yield Modify("n", lambda n: n + 1)
        log.append(f"{name}{turn}")


@do
def two_busy(log):
    yield Gather(*(yield spawn_all(busy(log, "a"), busy(log, "b"))))
    return (yield Get("n"))


def test_task_that_never_waits_keeps_the_others_waiting():
    log = []
    assert run(two_busy(log), handlers=[state({"n": 0}), scheduler]).value == 12
    assert log == [f"{name}{turn}" for name in "ab" for turn in range(6)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_with_a_slice_it_gives_way_after_so_many_effects(count):
    log = []
    assert run(two_busy(log), handlers=[state({"n": 0}), scheduler(slice=count)]).value == 12
    assert sorted(log) == sorted(f"{name}{turn}" for name in "ab" for turn in range(6))
    assert [entry for entry in log if entry[0] == "a"] == [f"a{turn}" for turn in range(6)]
    names = "".join(entry[0] for entry in log)
    both = names[names.index("b") : names.rindex("a" if names[-1] == "b" else "b") + 1]  # while there are two
    longest = max(len(part) for letter in "ab" for part in both.split(letter))
    assert longest <= count, log


def test_slice_loses_no_effect_and_no_task():
    @do
    def program():
        tasks = yield spawn_all(*(busy([], n, 50) for n in range(40)))
        yield Gather(*tasks)
        return (yield Get("n"))

    for count in (1, 7):
        assert run(program(), handlers=[state({"n": 0}), scheduler(slice=count)]).value == 2000
        assert run(program(), handlers=[scheduler(slice=count), state({"n": 0})]).value == 0


def order_of(seed):
    log = []

    @do
    def program():
        yield Gather(*(yield spawn_all(*(takes_turns(log, n, 2) for n in range(20)))))

    assert value(built_in, program(), seed=seed) is None
    return log


def test_seed_draws_the_same_order_again_and_others_for_other_seeds():
    assert order_of(1) == order_of(1)
    assert len({tuple(order_of(seed)) for seed in range(20)}) == 20
    assert order_of(None) == [f"{n}{turn}" for turn in range(2) for n in range(20)]
    assert sorted(order_of(3)) == sorted(order_of(None))


def test_one_scheduler_with_a_seed_is_the_same_in_each_run():
    """Settings belong to the object, the rest to the installation (semantics 6)."""
    handler = scheduler(seed=5, clock=VirtualClock(start=7))
    logs = [[], []]
    for log in logs:

        @do
        def program(log=log):
            yield Gather(*(yield spawn_all(*(takes_turns(log, n, 2) for n in range(20)))))
            return (yield Now())

        assert run(program(), handlers=[handler]).value == 7.0
    assert logs[0] == logs[1]


@pytest.mark.parametrize("settings", [{"seed": "x"}, {"slice": 0}, {"slice": -1}, {"clock": 3}, {"slice": 1.5}])
def test_wrong_settings_are_refused_when_they_are_given(settings):
    with pytest.raises((TypeError, ValueError)):
        scheduler(**settings)


@pytest.mark.parametrize("create", [CreatePromise, CreateExternalPromise])
def test_limit_of_promises(create):
    """Semantics 5: exactly the limit passes, one more does not."""
    limits = Limits(promises=3)
    assert run(sequence(*[create()] * 3), handlers=[scheduler], limits=limits).is_ok()
    error = run(sequence(*[create()] * 4), handlers=[scheduler], limits=limits).error
    assert (error.limit, error.value) == ("promises", 3)


def test_usage_counts_tasks_and_promises():
    @do
    def program():
        yield CreatePromise()
        for _ in range(5):
            yield Gather(*(yield spawn_all(Pure(1), Pure(2))))

    usage = run(program(), handlers=[scheduler], limits=Limits(tasks=100, promises=100)).usage
    assert usage.promises == 1
    assert 2 <= usage.tasks <= 3


EFFECTS = [
    Spawn(Pure(1)),
    Spawn(Pure(1), name="a", priority=2, daemon=True),
    Wait("task"),
    Gather(),
    Gather("a", "b"),
    Gather("a", cancel_siblings=False),
    Race("a", "b"),
    CreateChannel(),
    CreateChannel(3),
    Send("channel", "value"),
    Acquire("lock"),
    segue.OpenScope(3, shield=True),
]


@pytest.mark.parametrize("effect", EFFECTS, ids=repr)
def test_effects_are_data(effect):
    """Semantics 2: equality, repr, copies and pickle."""
    assert copy.copy(effect) == effect
    assert repr(copy.copy(effect)) == repr(effect)
    assert type(effect).__name__ in repr(effect)
    if not isinstance(effect, Spawn):
        assert pickle.loads(pickle.dumps(effect)) == effect  # noqa: S301 - it is ours


def test_fields_of_effects_match():
    match Gather("a", "b", cancel_siblings=False):
        case Gather(targets, cancel_siblings):
            assert (targets, cancel_siblings) == (("a", "b"), False)
    assert Race("a", "b").targets == ("a", "b")
    assert Gather("a") != Gather("a", cancel_siblings=False)
