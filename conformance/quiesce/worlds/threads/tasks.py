"""Tasks, and what they can wait for."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final, Protocol, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenlet import greenlet

__all__ = ["SLEEP", "Task", "Waitable", "marker", "nanoseconds"]


class Waitable(Protocol):
    """What a task can be blocked on."""

    def describe(self, task: Task, /) -> str:
        """Say what ``task`` waits for, such as ``lock 2 held by call 1 (do)``."""

    def forget(self, task: Task, /) -> None:
        """Stop waiting: the task timed out or is being unwound."""


@final
@attrs.define(eq=False)
class Task:
    """What the code under test takes for an OS thread."""

    number: int  # birth order in the run, from 0; negative if it never runs
    ident: int  # what get_ident() says
    run: int  # number of the run it belongs to
    body: Callable[[], object]
    name: Callable[[], str]
    thread: object = None  # the threading.Thread it runs, else its function
    is_call: bool = False
    greenlet: greenlet | None = None  # None before the start and after the end
    waits_for: Waitable | None = None
    deadline: int | None = None  # of the wait, in nanoseconds
    timer: int = 0  # number of the wait's timer; 0 is none
    timed_out: bool = False  # how the last wait ended
    polls: int = 0  # looks at the clock and failed tries since it was last blocked
    refusals: int = 0  # waits it entered while being unwound
    ended: bool = False
    at_end: list[Callable[[], object]] | None = None


def marker(name: str, ident: int) -> Task:
    """Make a task that stands for something else and never runs."""

    def body() -> None:
        raise AssertionError(f"the marker for {name} runs")

    return Task(-1, ident, 0, body, lambda: name)


@final
class _Sleep:
    """What a sleeping task waits for."""

    def describe(self, task: Task, /) -> str:
        """Name the instant, in seconds."""
        assert task.deadline is not None
        return f"timer at {task.deadline / 1e9:.9g} s"

    def forget(self, task: Task, /) -> None:
        """Nothing to leave."""


SLEEP: Final = _Sleep()


def nanoseconds(seconds: float) -> int:
    """Convert a positive delay to whole nanoseconds, at least 1.

    What float arithmetic leaves within a thousandth of a whole nanosecond is that
    nanosecond; anything else is rounded up, for a wait may not end early.
    """
    exact = seconds * 1e9
    near = round(exact)
    return max(1, near if abs(exact - near) <= 0.001 else ceil(exact))
