"""The ticker for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import Ticker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECOND = 1_000_000_000
#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


@pytest.mark.parametrize("period", [0, -1])
def test_a_period_of_nothing_is_refused(period):
    with pytest.raises(ValueError, match=f"more than 0 nanoseconds, not {period}"):
        Ticker(period)


def test_a_refused_reset_leaves_ticks_as_they_were():
    now = [100]
    ticker = Ticker(10, clock=lambda: now[0])
    with pytest.raises(ValueError, match="more than 0"):
        ticker.reset(0)
    now[0] = 110

    assert ticker.receive() == 110


def test_ticks_tell_when_they_were_due_by_the_given_clock():
    now = [100]
    ticker = Ticker(10, clock=lambda: now[0])
    received = []
    for now[0] in (110, 125, 158, 160):
        received.append(ticker.receive())

    assert received == [110, 120, 130, 160]


def test_a_ticker_has_no_thread():
    before = threading.active_count()
    tickers = [Ticker(SECOND) for _ in range(10)]

    assert threading.active_count() == before
    assert len(tickers) == 10


class Receivers:
    """Two threads take two ticks each."""

    def __init__(self) -> None:
        self.ticker = Ticker(SECOND)
        self.due = time.monotonic_ns() + SECOND
        self.received: list[int] = []

    def receive(self) -> None:
        for _ in range(2):
            self.received.append(self.ticker.receive())

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.receive, self.receive

    def ok(self) -> bool:
        return sorted(self.received) == [self.due + k * SECOND for k in range(4)]


def test_no_tick_goes_to_two_threads_and_none_is_lost():
    found = explore(Receivers, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


class StopAndReset:
    """A receiver waits through a stop, and a reset lets it go."""

    def __init__(self) -> None:
        self.ticker = Ticker(SECOND)
        self.received = 0

    def receive(self) -> None:
        self.received = self.ticker.receive()

    def change(self) -> None:
        self.ticker.stop()
        self.ticker.reset(2 * SECOND)

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.receive, self.change

    def ok(self) -> bool:
        return self.received == time.monotonic_ns()


def test_a_reset_reaches_a_receiver_wherever_it_stands():
    found = explore(StopAndReset, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
