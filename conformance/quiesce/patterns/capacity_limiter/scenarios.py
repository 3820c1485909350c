"""What is done to a capacity limiter: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import Any

from quiesce.patterns.capacity_limiter.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, Cancel, Start, Step, Weighted, arguments

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)

STIMULI = (
    Weighted(
        "acquire",
        Start,
        10,
        fixed={"operation": "acquire"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
    ),
    Weighted(
        "try_to_acquire_again",
        Start,
        3,
        fixed={"operation": "try_acquire"},
        operands={"which": (0, 1, 2, 3)},
    ),
    Weighted(
        "release",
        Start,
        8,
        fixed={"operation": "release"},
        choices={"instance": (0, 0, 0, 1)},
        operands={"which": (0, 1, 2, 3)},
    ),
    Weighted(
        "change_the_total",
        Start,
        4,
        fixed={"operation": "set_total"},
        operands={"total": (1, 2, 3, 4)},
    ),
    Weighted("cancel_a_caller", Cancel, 7, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
)


def start(operation: str, follow: int, instance: int = 0, cancel: int = 0, **given: Any) -> Step:
    return Step(Start(operation, arguments(**given), instance, cancel), follow)


def acquire(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return start("acquire", follow, instance, cancel)


def attempt(which: int, follow: int = 0) -> Step:
    return start("try_acquire", follow, which=which)


def release(which: int = 0, follow: int = 0, instance: int = 0) -> Step:
    return start("release", follow, instance, which=which)


def total(units: int, follow: int = 0) -> Step:
    return start("set_total", follow, total=units)


SCENARIOS = (
    Scenario(
        "waiters are served in their order",
        (acquire(), acquire(), acquire(), acquire(), acquire(), release(0), release(1), release(2)),
    ),
    Scenario(
        "one unit per borrower",
        (acquire(), attempt(0), release(0), release(0), attempt(0), acquire(), acquire()),
    ),
    Scenario(
        "a borrower may come again",
        (acquire(), acquire(), release(0), attempt(0), release(1), attempt(1), attempt(1)),
        arguments={"total": 1},
    ),
    Scenario(
        "raising the total lets in as many as there are units",
        (acquire(), acquire(), acquire(), acquire(), acquire(), total(3), total(4), release()),
        arguments={"total": 1},
    ),
    Scenario(
        "all give back what they have after the total was lowered",
        (acquire(), acquire(), acquire(), total(1), release(2), release(1), attempt(1), release(0)),
        arguments={"total": 3},
    ),
    Scenario(
        "lowering the total revokes nothing, and nobody gets in until it is free",
        (
            *(acquire(), acquire(), acquire(), acquire(), total(1), release(0), release(1)),
            *(release(2), acquire(), release(3)),
        ),
        arguments={"total": 3},
    ),
    Scenario(
        "raising the total while more is lent",
        (acquire(), acquire(), acquire(), total(1), acquire(), total(2), acquire(), total(4)),
        arguments={"total": 3},
    ),
    Scenario(
        "a newcomer in the middle of a hand-over",
        (acquire(), acquire(), release(0, NOTHING), acquire(), acquire(), release(1)),
        arguments={"total": 1},
    ),
    Scenario(
        "a burst of callers",
        (acquire(NOTHING), acquire(NOTHING), acquire(), total(1, NOTHING), release(), acquire()),
    ),
    Scenario(
        "instances are independent",
        (
            *(acquire(), acquire(), acquire(instance=1), release(instance=1)),
            *(acquire(instance=1), release()),
        ),
        arguments={"total": 1, "instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, (), ASYNC, {"total": 1})
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a waiter",
                (acquire(), acquire(0, cancel), acquire(), Step(Cancel(0)), release(0)),
            ),
            (
                "cancel as it is granted",
                (
                    *(acquire(), acquire(0, cancel), acquire(), release(0, NOTHING)),
                    *(Step(Cancel(0)), acquire(), release(1)),
                ),
            ),
            (
                "cancel just before it is granted",
                (
                    *(acquire(), acquire(0, cancel), Step(Cancel(0), NOTHING)),
                    *(release(0, NOTHING), acquire(), acquire(), release(1)),
                ),
            ),
            (
                "cancel in the tick of the grant, and a newcomer",
                (
                    *(acquire(), acquire(0, cancel), release(0, NOTHING)),
                    *(acquire(NOTHING), Step(Cancel(0)), acquire(), release(1)),
                ),
            ),
            (
                "cancel in the tick of a raise",
                (acquire(), acquire(0, cancel), acquire(), total(2, NOTHING), Step(Cancel(0))),
            ),
            (
                "cancel before the first step",
                (acquire(NOTHING, cancel), Step(Cancel(0)), acquire(), release(0)),
            ),
        )
    ),
)

PROBE = (total(3), acquire(), acquire(), release(0), release(1))

UNBLOCK = (Step(Cancel(0)), total(20))
