"""The watchdog, rung by hand: no test waits for a real clock."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from quiesce.errors import HangError
from quiesce.worlds.watchdog import Watch, watchdog


class Subject:
    """A world in the watchdog's eyes."""

    def __init__(self, limit_s: float = 60.0) -> None:
        self.steps = 0
        self.hung: list[HangError] = []
        self.watch = Watch(limit_s, lambda: self.steps, lambda: "task t", self.hung.append)


def ring() -> None:
    signal.raise_signal(signal.SIGALRM)


def test_two_ticks_within_one_step_are_a_hang() -> None:
    subject = Subject()
    with watchdog(subject.watch) as watch:
        watch.running = True
        ring()
        subject.steps += 1
        ring()
        with pytest.raises(HangError, match=r"^task t holds the real thread at test_watchdog"):
            ring()
    assert len(subject.hung) == 1


def test_the_hub_may_take_its_time() -> None:
    subject = Subject()
    with watchdog(subject.watch):
        for _ in range(5):
            ring()
    assert not subject.hung


def test_the_innermost_running_world_is_judged() -> None:
    outer, inner = Subject(), Subject()
    with watchdog(outer.watch), watchdog(inner.watch):
        outer.watch.running = inner.watch.running = True
        ring()
        with pytest.raises(HangError):
            ring()
    assert (len(outer.hung), len(inner.hung)) == (0, 1)


@pytest.mark.parametrize("first_out", [0, 1])
def test_watches_end_in_any_order_and_the_alarm_is_as_it_was(first_out: int) -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    ours = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 1000, 7)
    try:
        contexts: list[Any] = [watchdog(Subject().watch), watchdog(Subject(30.0).watch)]
        for context in contexts:
            context.__enter__()
        assert signal.getitimer(signal.ITIMER_REAL)[1] == 30.0
        contexts.pop(first_out).__exit__(None, None, None)
        assert signal.getsignal(signal.SIGALRM) is not ours
        contexts.pop().__exit__(None, None, None)
        assert signal.getsignal(signal.SIGALRM) is ours
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= 1000
        assert interval == 7
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_alarm_that_was_there_before_still_rings_when_it_is_due() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    # So short that it is over at the first look at the clock.
    signal.setitimer(signal.ITIMER_REAL, 1e-6)
    try:
        with watchdog(Subject().watch):
            ring()
            ring()
        assert len(rung) == 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_off_the_main_thread_it_does_nothing() -> None:
    before = signal.getsignal(signal.SIGALRM)
    seen: list[object] = []

    def run() -> None:
        with watchdog(Subject().watch):
            seen.append(signal.getsignal(signal.SIGALRM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
