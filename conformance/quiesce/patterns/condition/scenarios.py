"""What is done to a condition: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import Any, Final

from quiesce.patterns.condition.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, Advance, Cancel, Inside, Open, Start, Step, Weighted, arguments

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)
SECOND: Final = 1_000_000_000

STIMULI = (
    Weighted(
        "wait",
        Start,
        9,
        fixed={"operation": "wait"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
    ),
    Weighted(
        "wait_for_a_time",
        Start,
        5,
        fixed={"operation": "wait_within"},
        operands={"timeout": (SECOND, 2 * SECOND)},
        needs=["timeout"],
        worlds=("threads",),
    ),
    Weighted(
        "hold_the_lock",
        Start,
        4,
        fixed={"operation": "hold"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
    ),
    Weighted(
        "notify",
        Start,
        6,
        fixed={"operation": "notify"},
        choices={"cancel": CANCELS},
        operands={"n": (1, 1, 1, 2, 3)},
    ),
    Weighted("notify_all", Start, 2, fixed={"operation": "notify_all"}),
    Weighted(
        "notify_from_inside",
        Inside,
        5,
        fixed={"operation": "notify_here"},
        choices={"which": (0, 1)},
        operands={"n": (1, 1, 2)},
    ),
    Weighted(
        "notify_without_the_lock",
        Start,
        1,
        fixed={"operation": "notify_here"},
        operands={"n": (1, 2)},
    ),
    Weighted(
        "wait_without_the_lock",
        Start,
        1,
        fixed={"operation": "wait_here"},
        needs=["ownership"],  # else it could give up somebody else's lock
    ),
    Weighted(
        "let_a_function_end",
        Open,
        16,  # often: all who come while the lock is held may get it in any order
        choices={"which": (0, 1), "outcome": ("value", "value", "none", "error")},
    ),
    Weighted("cancel_a_caller", Cancel, 7, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
    Weighted(
        "let_time_pass",
        Advance,
        3,
        choices={"which": (0, 1), "offset": (0, -1)},
        needs=["timeout"],
        worlds=("threads",),
    ),
)


def start(operation: str, follow: int, instance: int = 0, cancel: int = 0, **given: Any) -> Step:
    return Step(Start(operation, arguments(**given), instance, cancel), follow)


def wait(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return start("wait", follow, instance, cancel)


def within(seconds: int) -> Step:
    return start("wait_within", 0, timeout=seconds * SECOND)


def hold(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return start("hold", follow, instance, cancel)


def notify(n: int = 1, follow: int = 0, instance: int = 0) -> Step:
    return start("notify", follow, instance, n=n)


def inside(n: int = 1) -> Step:
    return Step(Inside(0, "notify_here", arguments(n=n)))


def notify_here(n: int = 1) -> Step:
    return start("notify_here", 0, n=n)


NOTIFY_ALL, WAIT_HERE = start("notify_all", 0), start("wait_here", 0)
VALUE, ERROR, LATER = Step(Open()), Step(Open(0, "error")), Step(Advance())

SCENARIOS = (
    Scenario("one is woken", (wait(), wait(), wait(), notify(), VALUE, notify(), VALUE)),
    Scenario(
        "several are woken",
        (wait(), wait(), wait(), wait(), notify(2), VALUE, VALUE, NOTIFY_ALL, VALUE, VALUE),
    ),
    Scenario(
        "more are woken than wait",
        (notify(), NOTIFY_ALL, wait(), hold(), VALUE, notify(3), VALUE, wait(), hold(), VALUE),
    ),
    Scenario(
        "the woken wait for the lock",
        (wait(), wait(), hold(), inside(2), hold(), VALUE, VALUE, VALUE, VALUE),
    ),
    Scenario(
        "the woken hold the lock",
        (wait(), wait(), notify(), hold(), notify(), inside(), VALUE, VALUE, VALUE),
    ),
    Scenario(
        "a burst of callers",
        (wait(NOTHING), wait(NOTHING), notify(2), hold(NOTHING), notify(1), NOTIFY_ALL, VALUE),
    ),
    Scenario(
        "refused without the lock",
        (notify_here(), wait(), notify_here(2), WAIT_HERE, wait(), notify(), VALUE, hold(), VALUE),
    ),
    Scenario(
        "refused while somebody else holds the lock",
        (wait(), hold(), notify_here(), WAIT_HERE, VALUE, notify(), notify_here(), VALUE),
        needs=["ownership"],
    ),
    Scenario(
        "an error gives the lock back",
        (wait(), notify(), ERROR, hold(), ERROR, wait(), notify(), VALUE),
    ),
    Scenario(
        "instances are independent",
        (hold(), wait(), hold(instance=1), wait(instance=1), VALUE, notify(instance=1), VALUE),
        arguments={"instances": 2},
    ),
    *(
        Scenario(words, steps, ["timeout"], ("threads",))
        for words, steps in (
            ("a time-out", (within(1), within(2), LATER, VALUE, notify(), VALUE, LATER)),
            ("woken in time", (within(1), notify(), LATER, VALUE, within(1), NOTIFY_ALL, VALUE)),
            ("a time-out while the lock is held", (within(1), hold(), LATER, VALUE, VALUE)),
            (
                "notified after the time-out, before the lock is back",
                (within(1), wait(), hold(), LATER, inside(), VALUE, VALUE),
            ),
            (
                "notified before the time-out, which comes before the lock is back",
                (within(1), wait(), hold(), inside(), LATER, VALUE, VALUE),
            ),
        )
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a waiter",
                (wait(0, cancel), wait(), Step(Cancel(0)), notify(), VALUE),
            ),
            (
                "cancel a waiter while the lock is held",
                (wait(0, cancel), wait(), hold(), Step(Cancel(0)), hold(), VALUE, VALUE),
            ),
            (
                "cancel a woken one that waits for the lock",
                (wait(0, cancel), wait(), hold(), inside(), Step(Cancel(0)), VALUE, VALUE),
            ),
            (
                "cancel as it is woken",
                (wait(0, cancel), wait(), notify(1, NOTHING), Step(Cancel(0)), VALUE, VALUE),
            ),
            (
                "cancel in the tick of the wake",
                (wait(0, cancel), wait(), notify(1, 1), Step(Cancel(0)), VALUE, VALUE),
            ),
            (
                "cancel as it has the lock",
                (wait(0, cancel), wait(), notify(), Step(Cancel(0)), hold(), VALUE),
            ),
            (
                "cancel who waits for the lock the first time",
                (hold(), wait(0, cancel), hold(0, cancel), Step(Cancel(1)), Step(Cancel(1)), VALUE),
            ),
        )
    ),
)

PROBE = (wait(), notify(), VALUE, hold(), VALUE)

UNBLOCK = (NOTIFY_ALL,)
