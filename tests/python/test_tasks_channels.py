"""Semantics 7: channels keep the order of what is sent, lose nothing to a cancelled task, and can be closed."""

import pytest

from segue import (
    CloseChannel,
    CreateChannel,
    Gather,
    Receive,
    Send,
    Sleep,
    Spawn,
    Wait,
    do,
    timeout,
)
from tasks_vocabulary import (
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


@pytest.mark.parametrize("capacity", [0, 1, 2, 100])
def test_values_are_received_in_the_order_in_which_they_are_sent(make, capacity):
    thing = object()
    values = [1, None, thing, ValueError("a value"), *range(20)]

    @do
    def program():
        channel = yield CreateChannel(capacity)
        receiver, sender = yield spawn_all(receive_all(channel), sends(channel, [], *values))
        yield Wait(sender)
        yield CloseChannel(channel)
        return (yield Wait(receiver))

    assert all(a is b for a, b in zip(value(make, program()), values, strict=True))


@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_sender_waits_when_the_channel_is_full(make, capacity):
    log = []

    @do
    def program():
        channel = yield CreateChannel(capacity)
        task = yield Spawn(sends(channel, log, *range(capacity + 1)))
        yield Sleep(1)
        assert log == [("sent", n) for n in range(capacity)]
        first = yield Receive(channel)
        yield Wait(task)
        return first

    assert value(make, program()) == 0
    assert log[-1] == ("sent", capacity)


def test_sender_and_receiver_of_a_channel_without_capacity_meet(make):
    """Whoever comes first waits."""

    @do
    def program():
        channel = yield CreateChannel()
        sender = yield Spawn(timed(Send(channel, "a")))
        yield Sleep(1)
        first = yield timed(Receive(channel))
        receiver = yield Spawn(timed(Receive(channel)))
        yield Sleep(1)
        second = yield timed(Send(channel, "b"))
        return first, second, (yield Wait(sender)), (yield Wait(receiver))

    assert value(make, program()) == (("a", 1.0), (None, 2.0), (None, 1.0), ("b", 2.0))


def test_full_and_empty_channels_can_be_timed_out_without_a_loss(make):
    @do
    def program():
        channel = yield CreateChannel(1)
        empty = yield timed(timeout(1, Receive(channel)))
        yield Send(channel, "a")
        full = yield timed(timeout(1, Send(channel, "b")))
        got = yield Receive(channel)
        return empty, full, got, (yield timed(timeout(1, Receive(channel))))

    assert value(make, program()) == ((TimeoutError, 1.0), (TimeoutError, 2.0), "a", (TimeoutError, 3.0))


def test_receivers_are_served_in_their_order(make):
    log = []

    @do
    def program():
        channel = yield CreateChannel()
        tasks = yield spawn_all(*(receives(channel, log, 2, name) for name in "abc"))
        yield turns_of_all(1)
        for n in range(6):
            yield Send(channel, n)
            yield turns_of_all(1)
        yield Gather(*tasks)

    assert value(make, program()) is None
    assert log == [("a", 0), ("b", 1), ("c", 2), ("a", 3), ("b", 4), ("c", 5)]


def test_senders_are_served_in_their_order(make):
    log = []

    @do
    def program():
        channel = yield CreateChannel()
        tasks = yield spawn_all(*(sends(channel, [], name, name.upper()) for name in "abc"))
        yield turns_of_all(1)
        for _ in range(6):
            yield receives(channel, log, 1)
            yield turns_of_all(1)
        yield Gather(*tasks)

    assert value(make, program()) is None
    assert [name for _, name in log] == ["a", "b", "c", "A", "B", "C"]
