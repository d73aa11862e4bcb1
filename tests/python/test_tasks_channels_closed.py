"""Semantics 7: channels can be closed, and lose nothing to a cancelled task."""

import pytest

from builtins_vocabulary import caught, sequence
from segue import (
    Cancel,
    ChannelClosedError,
    CloseChannel,
    CreateChannel,
    Gather,
    Now,
    Receive,
    Send,
    Sleep,
    Spawn,
    Wait,
    do,
    for_each,
    timeout,
)
from tasks_vocabulary import (
    cancelled,
    errors_of,
    frames,
    line_in,
    receive_all,
    receives,
    schedulers,
    sends,
    spawn_all,
    timed,
    turns_of_all,
    value,
)

pytestmark = schedulers


def test_what_is_left_is_received_after_the_close_and_then_there_is_an_error(make):
    @do
    def waits(channel):
        return (yield Receive(channel))  # here

    @do
    def program():
        channel = yield CreateChannel(3)
        yield sends(channel, [], 1, 2)
        before = channel.closed
        yield CloseChannel(channel)
        yield CloseChannel(channel)
        refused = yield caught(Send(channel, 3), ChannelClosedError)
        got = yield sequence(Receive(channel), Receive(channel))
        return before, channel.closed, got, frames(refused), (yield caught(waits(channel), ChannelClosedError))

    *seen, error = value(make, program())
    assert seen == [False, True, [1, 2], ["caught"]]
    assert line_in(error, "waits").endswith("# here")


def test_close_ends_the_wait_of_receivers(make):
    @do
    def program():
        channel = yield CreateChannel()
        tasks = yield spawn_all(Receive(channel), Receive(channel))
        yield turns_of_all(1)
        yield CloseChannel(channel)
        return (yield errors_of(*tasks))

    assert value(make, program()) == [ChannelClosedError] * 2


@pytest.mark.parametrize("capacity", [0, 1])
def test_close_ends_the_wait_of_senders_whose_values_are_not_received(make, capacity):
    @do
    def program():
        channel = yield CreateChannel(capacity)
        if capacity:
            yield Send(channel, "kept")
        tasks = yield spawn_all(Send(channel, "a"), Send(channel, "b"))
        yield turns_of_all(1)
        yield CloseChannel(channel)
        return (yield errors_of(*tasks)), (yield receive_all(channel))

    assert value(make, program()) == ([ChannelClosedError] * 2, ["kept"] * capacity)


def test_receiver_that_has_a_value_when_the_channel_is_closed_gets_it(make):
    @do
    def program():
        channel = yield CreateChannel()
        task = yield Spawn(Receive(channel))
        yield turns_of_all(1)
        yield Send(channel, "just in time")
        yield CloseChannel(channel)
        return (yield Wait(task))

    assert value(make, program()) == "just in time"


# Cancelled tasks.


def test_value_of_a_cancelled_sender_is_not_received(make):
    @do
    def program():
        channel = yield CreateChannel()
        tasks = yield spawn_all(*(Send(channel, name) for name in "abc"))
        yield turns_of_all(1)
        yield Cancel(tasks[1])
        got = yield sequence(Receive(channel), Receive(channel))
        return got, (yield errors_of(tasks[1])), (yield timed(timeout(1, Receive(channel))))

    got, _, later = value(make, program())
    assert got == ["a", "c"]
    assert later == (TimeoutError, 1.0)


@pytest.mark.parametrize("capacity", [0, 2])
def test_cancelled_receiver_takes_nothing(make, capacity):
    log = []

    @do
    def program():
        channel = yield CreateChannel(capacity)
        first, second = yield spawn_all(receives(channel, log, 1, "first"), receives(channel, log, 1, "second"))
        yield turns_of_all(1)
        yield Cancel(first)
        yield Send(channel, "value")
        yield errors_of(first)
        yield Wait(second)

    assert value(make, program()) is None
    assert log == [("second", "value")]


def test_receiver_that_is_cancelled_in_the_turn_in_which_it_gets_a_value_has_it(make):
    log = []

    @do
    def takes(channel):
        yield receives(channel, log, 1)
        yield Sleep(9)

    @do
    def program():
        channel = yield CreateChannel()
        task = yield Spawn(takes(channel))
        yield turns_of_all(1)
        yield Send(channel, "value")
        yield Cancel(task)
        yield errors_of(task)
        return (yield Now())

    assert value(make, program()) == 0.0
    assert log == [("received", "value")]


def test_senders_behind_a_cancelled_one_go_on(make):
    log = []

    @do
    def program():
        channel = yield CreateChannel(1)
        yield Send(channel, 0)
        yield cancelled(Send(channel, "cancelled"))
        task = yield Spawn(sends(channel, log, 1, 2))
        got = yield sequence(*[Receive(channel)] * 3)
        yield Wait(task)
        return got

    assert value(make, program()) == [0, 1, 2]


# Mistakes, and programs over channels.


@pytest.mark.parametrize("capacity", [-1, 0.5, "1", None])
def test_wrong_capacity_is_a_value_error_at_the_yield(make, capacity):
    assert frames(value(make, caught(CreateChannel(capacity), ValueError))) == ["caught"]


@pytest.mark.parametrize("effect", [lambda c: Send(c, 1), Receive, CloseChannel], ids=["send", "receive", "close"])
@pytest.mark.parametrize("wrong", [None, 3], ids=repr)
def test_wrong_channel_is_a_type_error_at_the_yield(make, effect, wrong):
    assert frames(value(make, caught(effect(wrong), TypeError))) == ["caught"]


def test_for_each_runs_a_program_for_each_value_until_the_channel_is_closed(make):
    log = []

    @do
    def handle(item):
        yield Sleep(1)
        log.append(item)

    @do
    def program():
        channel = yield CreateChannel(2)
        task = yield Spawn(for_each(channel, handle))
        yield sends(channel, [], *range(5))
        yield CloseChannel(channel)
        return (yield timed(Wait(task)))[1]

    assert value(make, program()) == 5.0
    assert log == list(range(5))


def test_error_of_a_for_each_passes(make):
    """A closed channel that the program of a value meets is no end of the loop."""

    @do
    def program():
        closed, channel = (yield CreateChannel()), (yield CreateChannel(1))
        yield CloseChannel(closed)
        yield Send(channel, 1)
        yield CloseChannel(channel)
        yield for_each(channel, lambda item: Receive(closed))

    assert isinstance(value(make, caught(program(), ChannelClosedError)), ChannelClosedError)


@pytest.mark.parametrize("capacity", [0, 1, 7])
def test_many_producers_and_consumers_lose_and_double_nothing(make, capacity):
    @do
    def program():
        channel = yield CreateChannel(capacity)
        consumers = yield spawn_all(*[receive_all(channel)] * 5)
        producers = yield spawn_all(*(sends(channel, [], *((n, i) for i in range(40))) for n in range(7)))
        yield Gather(*producers)
        yield CloseChannel(channel)
        return (yield Gather(*consumers))

    shares = value(make, program())
    assert sorted(item for share in shares for item in share) == [(n, i) for n in range(7) for i in range(40)]
    for share in shares:
        for n in range(7):
            own = [i for producer, i in share if producer == n]
            assert own == sorted(own)
