"""Programs that end in ways other than well: by an error, late or never."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

Tasks = Sequence[Callable[[], object]]


class Raises:
    """A task ends by an error."""

    def fail(self) -> None:
        raise LookupError("lost")

    def tasks(self) -> Tasks:
        return (self.fail,)

    def ok(self) -> bool:
        return True


class ThreadRaises(Raises):
    """A thread that a task started ends by an error, which no task hears of."""

    def start(self) -> None:
        threading.Thread(target=self.fail, name="doomed").start()

    def tasks(self) -> Tasks:
        return (self.start,)


class Sleeps(Raises):
    """An hour passes; the clock is virtual."""

    def __init__(self) -> None:
        self.slept = 0.0

    def sleep(self) -> None:
        before = time.monotonic()
        time.sleep(3600)
        self.slept = time.monotonic() - before

    def tasks(self) -> Tasks:
        return (self.sleep,)

    def ok(self) -> bool:
        return self.slept == 3600


class NeverEnds(Raises):
    """Time passes and nothing comes of it."""

    def tick(self) -> None:
        while True:
            time.sleep(1)

    def tasks(self) -> Tasks:
        return (self.tick,)


class Spins(Raises):
    """Asks for the time, for ever, at one instant."""

    def spin(self) -> None:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            pass

    def tasks(self) -> Tasks:
        return (self.spin,)


class StartsThreads(Raises):
    """The tasks that race are started by a task."""

    def __init__(self) -> None:
        self.value = 0

    def add(self) -> None:
        value = self.value
        self.value = value + 1

    def start(self) -> None:
        threads = [threading.Thread(target=self.add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def tasks(self) -> Tasks:
        return (self.start,)

    def ok(self) -> bool:
        return self.value == 2


class WaitsAtOnce(Raises):
    """The constructor waits for something that can't come."""

    def __init__(self) -> None:
        threading.Event().wait()


class CannotBeMade(Raises):
    """The constructor raises."""

    def __init__(self) -> None:
        raise LookupError("no parts")
