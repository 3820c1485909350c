"""Channel and select for threads, under every schedule of small programs."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import (
    Channel,
    ChannelClosedError,
    Receive,
    Selected,
    Send,
    WouldBlockError,
    select,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from quiesce.explore import Program

FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


class TwoSendersOneSelect:
    """Two rendezvous, of which a select takes one and then the other."""

    def __init__(self) -> None:
        self.left, self.right = Channel[str](), Channel[str]()
        self.seen: set[object] = set()

    def take_both(self) -> None:
        for _ in range(2):
            done = select(Receive(self.left), Receive(self.right), chance=random.Random(0))
            assert done is not None
            self.seen.add((done.index, done.value))

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.take_both, lambda: self.left.send("left"), lambda: self.right.send("right")

    def ok(self) -> bool:
        return self.seen == {(0, "left"), (1, "right")}


class SelectsThatMeet:
    """Two selects over the same channels, in the opposite order, can only meet each other."""

    def __init__(self) -> None:
        self.one, self.other = Channel[str](), Channel[str]()
        self.done: list[Selected | None] = []

    def first(self) -> None:
        self.done.append(select(Send(self.one, "first"), Receive(self.other)))

    def second(self) -> None:
        self.done.append(select(Send(self.other, "second"), Receive(self.one)))

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.first, self.second

    def ok(self) -> bool:
        values = {done.value for done in self.done if done is not None}
        return values in ({None, "first"}, {None, "second"})


class TimeoutRaces:
    """A receive that gives up while a value is sent: it got the value, or the channel has it."""

    def __init__(self) -> None:
        self.channel = Channel[str](1)
        self.seen: list[str] = []

    def receive(self) -> None:
        try:
            self.seen.append(self.channel.receive(timeout=0))
        except TimeoutError:
            return

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.receive, lambda: self.channel.send("value")

    def ok(self) -> bool:
        return len(self.seen) + len(self.channel) == 1 and not self.channel._receivers


class DefaultNeverTaken:
    """At every moment one of two channels has a value."""

    def __init__(self) -> None:
        self.left, self.right = Channel[int](1), Channel[int](1)
        self.left.send(0)
        self.done: Selected | None = None

    def look(self) -> None:
        self.done = select(Receive(self.left), Receive(self.right), default=True)

    def shift(self) -> None:
        self.right.send(1)
        select(Receive(self.left), default=True)

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.look, self.shift

    def ok(self) -> bool:
        return self.done is not None


@pytest.mark.parametrize(
    "program", [TwoSendersOneSelect, SelectsThatMeet, TimeoutRaces, DefaultNeverTaken]
)
def test_a_small_program_ends_well_under_every_schedule(program: Callable[[], Program]) -> None:
    found = explore(program, packages=["quiesce_reference"], budget=FEW)
    assert found.failure is None, str(found)


def test_a_call_that_times_out_leaves_nothing_behind() -> None:
    empty, full = Channel[int](), Channel[int]()
    with pytest.raises(TimeoutError, match=r"^nobody came to meet this call within 0 ns$"):
        empty.receive(timeout=0)
    with pytest.raises(TimeoutError):
        full.send(1, timeout=0)
    assert select(Receive(empty), Send(full, 1), timeout=0) is None
    assert not empty._receivers
    assert not full._senders
    with pytest.raises(WouldBlockError):
        full.try_receive()


def test_what_was_accepted_before_the_close_is_iterated_over() -> None:
    channel = Channel[int](2)
    channel.send(1)
    channel.send(2)
    channel.close()
    assert list(channel) == [1, 2]
    assert list(channel) == []


def test_everything_on_a_closed_channel_is_an_error_but_a_select_to_receive() -> None:
    channel = Channel[int](1)
    channel.close()
    for call in (
        lambda: channel.send(1),
        lambda: channel.try_send(1),
        channel.receive,
        channel.try_receive,
        channel.close,
        lambda: select(Send(channel, 1)),
    ):
        with pytest.raises(ChannelClosedError):
            call()
    assert select(Receive(channel)) == Selected(0, None, is_closed=True)


def test_chance_decides_among_ready_cases() -> None:
    channels = [Channel[int](1) for _ in range(4)]
    for channel in channels:
        channel.send(0)
    counts = [0] * 4
    chance = random.Random(0)
    for _ in range(400):
        done = select(*map(Receive, channels), chance=chance)
        assert done is not None
        counts[done.index] += 1
        channels[done.index].send(0)
    assert min(counts) > 60


def test_a_negative_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a channel's capacity is 0 or more, not -1$"):
        Channel[int](-1)
