"""Small programs of threads that schedulers are measured on: six races and a correct one.

They hold nothing but the race, and no call of a tool, so that every tool runs the same code.
``run`` by hand and under other tools: call the functions of ``tasks()`` on a thread each, then
``ok()``. All but ``LockedCounter`` are broken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

Tasks = Sequence[Callable[[], object]]


class Counter2:
    """A lost update: two tasks read, then write."""

    def __init__(self) -> None:
        self.value = 0

    def bump(self) -> None:
        value = self.value
        self.value = value + 1

    def tasks(self) -> Tasks:
        return self.bump, self.bump

    def ok(self) -> bool:
        return self.value == 2


class Drift(Counter2):
    """A lost update where the second task has a dozen turns of private work first."""

    def late(self) -> None:
        i = 0
        while i < 12:
            i += 1
        self.bump()

    def tasks(self) -> Tasks:
        return self.bump, self.late


class Once2:
    """Check, then act: two tasks may both initialise."""

    def __init__(self) -> None:
        self.done = False
        self.log: list[int] = []

    def get(self) -> None:
        if not self.done:
            self.log.append(1)
            self.done = True

    def tasks(self) -> Tasks:
        return self.get, self.get

    def ok(self) -> bool:
        return len(self.log) == 1


class Once3(Once2):
    """Check, then act, by three tasks."""

    def tasks(self) -> Tasks:
        return self.get, self.get, self.get


class OnceCalls(Once2):
    """Check, then act through a Python function: a switch is possible on any build."""

    def initialise(self) -> None:
        self.log.append(1)

    def get(self) -> None:
        if not self.done:
            self.initialise()
            self.done = True


class Deadlock:
    """Two locks, taken in opposite orders."""

    def __init__(self) -> None:
        self.first = threading.Lock()
        self.second = threading.Lock()
        self.ended = 0

    def forth(self) -> None:
        with self.first, self.second:
            self.ended += 1

    def back(self) -> None:
        with self.second, self.first:
            self.ended += 1

    def tasks(self) -> Tasks:
        return self.forth, self.back

    def ok(self) -> bool:
        return self.ended == 2


class OrderABC:
    """A chain of states a, b, c, a: the last step is wrong, and needs a to stop in between.

    With a first, then b, then c by birth, one preemption is enough. The subclasses put the
    tasks in the other orders, where it takes more deviations from running them in turn.
    """

    def __init__(self) -> None:
        self.state = 0
        self.bad = False

    def a(self) -> None:
        if self.state == 0:
            self.state = 1
        if self.state == 3:
            self.bad = True

    def b(self) -> None:
        if self.state == 1:
            self.state = 2

    def c(self) -> None:
        if self.state == 2:
            self.state = 3

    def tasks(self) -> Tasks:
        return self.a, self.b, self.c

    def ok(self) -> bool:
        return not self.bad


class OrderACB(OrderABC):
    def tasks(self) -> Tasks:
        return self.a, self.c, self.b


class OrderBAC(OrderABC):
    def tasks(self) -> Tasks:
        return self.b, self.a, self.c


class OrderBCA(OrderABC):
    def tasks(self) -> Tasks:
        return self.b, self.c, self.a


class OrderCAB(OrderABC):
    def tasks(self) -> Tasks:
        return self.c, self.a, self.b


class OrderCBA(OrderABC):
    def tasks(self) -> Tasks:
        return self.c, self.b, self.a


class LockedCounter:
    """Correct: three tasks count to five each, under a lock."""

    def __init__(self) -> None:
        self.value = 0
        self.lock = threading.Lock()

    def bump5(self) -> None:
        for _ in range(5):
            with self.lock:
                value = self.value
                self.value = value + 1

    def tasks(self) -> Tasks:
        return self.bump5, self.bump5, self.bump5

    def ok(self) -> bool:
        return self.value == 15


class Locked2(LockedCounter):
    """The same with two tasks that count to one, so that every schedule can be run."""

    def bump(self) -> None:
        with self.lock:
            value = self.value
            self.value = value + 1

    def tasks(self) -> Tasks:
        return self.bump, self.bump

    def ok(self) -> bool:
        return self.value == 2
