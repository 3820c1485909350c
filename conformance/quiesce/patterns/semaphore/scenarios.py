"""What is done to a semaphore: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import Any, Final

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.semaphore.clauses import ASYNC
from quiesce.stimuli import NOTHING, Advance, Cancel, Start, Step, Weighted, arguments

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)
SECOND: Final = 1_000_000_000

STIMULI = (
    Weighted(
        "acquire_one",
        Start,
        9,
        fixed={"operation": "acquire"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
        operands={"n": (1,)},
    ),
    Weighted(
        "acquire_several",
        Start,
        7,
        fixed={"operation": "acquire"},
        choices={"cancel": CANCELS},
        operands={"n": (2, 2, 3, 4)},
        needs=["weighted"],
    ),
    Weighted(
        "acquire_one_within_a_time",
        Start,
        4,
        fixed={"operation": "acquire_within"},
        operands={"n": (1,), "timeout": (SECOND, 2 * SECOND)},
        needs=["timeout"],
        worlds=("threads",),
    ),
    Weighted(
        "acquire_several_within_a_time",
        Start,
        3,
        fixed={"operation": "acquire_within"},
        operands={"n": (2, 3), "timeout": (SECOND, 2 * SECOND)},
        needs=["timeout", "weighted"],
        worlds=("threads",),
    ),
    Weighted(
        "try_to_acquire_one",
        Start,
        3,
        fixed={"operation": "try_acquire"},
        choices={"instance": (0, 0, 1)},
        operands={"n": (1,)},
        needs=["try"],
    ),
    Weighted(
        "try_to_acquire_several",
        Start,
        2,
        fixed={"operation": "try_acquire"},
        operands={"n": (2, 3)},
        needs=["try", "weighted"],
    ),
    Weighted(
        "release_one",
        Start,
        8,
        fixed={"operation": "release"},
        choices={"instance": (0, 0, 0, 1)},
        operands={"n": (1,)},
    ),
    Weighted(
        "release_several",
        Start,
        3,
        fixed={"operation": "release"},
        operands={"n": (2, 3)},
        needs=["release_many"],
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


def acquire(n: int = 1, follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return start("acquire", follow, instance, cancel, n=n)


def within(seconds: int, n: int = 1, follow: int = 0) -> Step:
    return start("acquire_within", follow, n=n, timeout=seconds * SECOND)


def attempt(n: int = 1, follow: int = 0) -> Step:
    return start("try_acquire", follow, n=n)


def release(n: int = 1, follow: int = 0, instance: int = 0) -> Step:
    return start("release", follow, instance, n=n)


LATER = Step(Advance())

SCENARIOS = (
    Scenario(
        "units are lent and come back",
        (acquire(), acquire(), acquire(), release(), acquire(), release(), release()),
    ),
    Scenario(
        "waiters are served in their order",
        (acquire(), acquire(), acquire(), acquire(), release(), release(), release(), release()),
        arguments={"size": 1},
    ),
    Scenario(
        "a burst of callers",
        (
            *(acquire(1, NOTHING), acquire(1, NOTHING), acquire(), release(1, NOTHING)),
            *(acquire(), release(), release()),
        ),
    ),
    Scenario(
        "a newcomer in the middle of a hand-over",
        (acquire(), acquire(), release(1, NOTHING), acquire(), acquire(), release(), release()),
        arguments={"size": 1},
    ),
    Scenario(
        "a try in the middle of a hand-over",
        (acquire(), acquire(), release(1, NOTHING), attempt(), release(), attempt(), attempt()),
        needs=["try"],
        arguments={"size": 1},
    ),
    Scenario(
        "released too often",
        (acquire(), release(), release(), acquire(), acquire(), acquire(), release()),
        needs=["bounded"],
    ),
    Scenario(
        "released too many at once",
        (acquire(), release(2), acquire(), acquire(), release(3), release(2)),
        needs=["bounded", "release_many"],
    ),
    Scenario(
        "one release lets several in",
        (acquire(), acquire(), acquire(), acquire(), release(2), release(2)),
        needs=["release_many"],
    ),
    Scenario(
        "a small request waits behind a big one",
        (acquire(2), acquire(3), acquire(1), attempt(), release(1), release(1), release(3)),
        needs=["weighted"],
        arguments={"size": 3},
    ),
    Scenario(
        "a try does not overtake",
        (acquire(2), acquire(3), attempt(1), release(2), attempt(1), release(3), attempt(3)),
        needs=["weighted", "try"],
        arguments={"size": 3},
    ),
    Scenario(
        "a request for more than the size",
        (acquire(3), acquire(1), acquire(1), acquire(1), release(2), release(1)),
        needs=["weighted"],
    ),
    Scenario(
        "a time-out",
        (acquire(), within(1), within(2), LATER, release(), acquire(), LATER, within(1), release()),
        needs=["timeout"],
        worlds=("threads",),
        arguments={"size": 1},
    ),
    Scenario(
        "the first in line times out",
        (acquire(2), within(1, 3), acquire(1), LATER, release(1), within(1, 4), LATER, release(2)),
        needs=["timeout", "weighted"],
        worlds=("threads",),
        arguments={"size": 3},
    ),
    Scenario(
        "instances are independent",
        (
            *(acquire(), acquire(), acquire(instance=1), release(instance=1)),
            *(release(), acquire(instance=1), release()),
        ),
        arguments={"size": 1, "instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, needs, ASYNC, {"size": size})
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, size, needs, steps in (
            (
                "cancel a waiter",
                1,
                [],
                (acquire(), acquire(cancel=cancel), acquire(), Step(Cancel(0)), release()),
            ),
            (
                "cancel the first in line",
                3,
                ["weighted"],
                (acquire(2), acquire(2, cancel=cancel), acquire(), Step(Cancel(0)), release(3)),
            ),
            (
                "cancel as it is granted",
                1,
                [],
                (
                    *(acquire(), acquire(cancel=cancel), acquire(), release(1, NOTHING)),
                    *(Step(Cancel(0)), acquire(), release()),
                ),
            ),
            (
                "cancel just before it is granted",
                1,
                [],
                (
                    *(acquire(), acquire(cancel=cancel), Step(Cancel(0), NOTHING)),
                    *(release(1, NOTHING), acquire(), acquire(), release()),
                ),
            ),
            (
                "cancel in the tick of the grant, and a newcomer",
                1,
                [],
                (
                    *(acquire(), acquire(cancel=cancel), release(1, NOTHING)),
                    *(acquire(1, NOTHING), Step(Cancel(0)), acquire(), release()),
                ),
            ),
            (
                "cancel before the first step",
                1,
                [],
                (acquire(1, NOTHING, cancel), Step(Cancel(0)), acquire(), release()),
            ),
            (
                "cancel a request for more than the size",
                2,
                ["weighted"],
                (acquire(3, cancel=cancel), acquire(), Step(Cancel(0)), acquire(), release(2)),
            ),
        )
    ),
)

#: Shows how many units are left, whatever happened before.
PROBE = (release(), acquire(), acquire(), acquire(), release(), release())

#: A request for more than the size blocks for ever, so only a cancellation helps everybody.
UNBLOCK = (Step(Cancel(0)),)
