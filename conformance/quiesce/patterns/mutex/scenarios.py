"""What is done to a mutex: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.mutex.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, Cancel, Inside, Open, Start, Step, Weighted

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)

STIMULI = (
    Weighted(
        "hold_the_lock",
        Start,
        10,
        fixed={"operation": "hold"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
    ),
    Weighted(
        "try_to_hold_the_lock",
        Start,
        3,
        fixed={"operation": "try_hold"},
        choices={"cancel": CANCELS},
        needs=["try"],
    ),
    Weighted(
        "acquire",
        Start,
        2,
        fixed={"operation": "acquire"},
        choices={"cancel": CANCELS},
        needs=["anyone"],
    ),
    Weighted("release", Start, 2, fixed={"operation": "release"}),
    Weighted(
        "let_a_function_end",
        Open,
        8,
        choices={"which": (0, 1), "outcome": ("value", "value", "none", "error")},
    ),
    Weighted("cancel_a_caller", Cancel, 7, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
    Weighted(
        "call_from_inside", Inside, 1, choices={"which": (0, 1), "operation": ("release", "hold")}
    ),
    Weighted(
        "try_from_inside",
        Inside,
        1,
        fixed={"operation": "try_hold"},
        choices={"which": (0, 1)},
        needs=["try"],
    ),
)


def hold(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("hold", (), instance, cancel), follow)


def acquire(follow: int = 0, cancel: int = 0) -> Step:
    return Step(Start("acquire", cancel=cancel), follow)


def inside(operation: str) -> Step:
    return Step(Inside(0, operation))


VALUE, ERROR = Step(Open()), Step(Open(0, "error"))
RELEASE, TRY = Step(Start("release")), Step(Start("try_hold"))

SCENARIOS = (
    Scenario("waiters get in one by one", (hold(), hold(), hold(), hold(), VALUE, VALUE, hold())),
    Scenario("a burst of callers", (hold(NOTHING), hold(NOTHING), hold(), VALUE, VALUE)),
    Scenario("an error lets the next one in", (hold(), hold(), ERROR, VALUE, hold(), ERROR)),
    Scenario(
        "a newcomer in the tick of the release",
        (hold(), hold(), Step(Open(), 1), hold(1), hold(), VALUE, VALUE),
    ),
    Scenario("unlock a free lock", (RELEASE, hold(), hold(), VALUE, VALUE, RELEASE)),
    Scenario("somebody else unlocks", (hold(), hold(), RELEASE, hold(), VALUE, VALUE)),
    Scenario("the holder unlocks early", (hold(), hold(), inside("release"), VALUE, VALUE)),
    Scenario(
        "the holder locks again", (hold(), inside("hold"), hold(), VALUE, VALUE, RELEASE, VALUE)
    ),
    Scenario(
        "the holder locks again and fails", (hold(), inside("hold"), Step(Open(0, "error")), VALUE)
    ),
    Scenario("try", (TRY, TRY, hold(), TRY, VALUE, VALUE, TRY, ERROR), needs=["try"]),
    Scenario("try at once", (TRY, Step(Open(), NOTHING), TRY, VALUE, TRY), needs=["try"]),
    Scenario("the holder tries", (hold(), inside("try_hold"), VALUE, VALUE), needs=["try"]),
    Scenario(
        "acquire here, release there",
        (acquire(), hold(), acquire(), RELEASE, VALUE, RELEASE, RELEASE),
        needs=["anyone"],
    ),
    Scenario(
        "locks are independent",
        (hold(), hold(instance=1), Step(Open(1)), hold(instance=1), VALUE, VALUE),
        arguments={"instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC, needs=needs)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, needs, steps in (
            (
                "cancel a waiter",
                (),
                (hold(), hold(cancel=cancel), hold(), Step(Cancel(1)), VALUE, VALUE),
            ),
            ("cancel the holder", (), (hold(cancel=cancel), hold(), Step(Cancel(0)), VALUE)),
            (
                "cancel a waiter as the lock comes free",
                (),
                (hold(), hold(cancel=cancel), hold(), Step(Open(), NOTHING), Step(Cancel(1))),
            ),
            (
                "cancel the heir",
                (),
                (hold(), hold(cancel=cancel), hold(), Step(Open(), 1), Step(Cancel(0)), VALUE),
            ),
            (
                "cancel the heir before it knows",
                ("anyone",),
                (
                    acquire(),
                    acquire(cancel=cancel),
                    hold(),
                    Step(Start("release"), 1),
                    Step(Cancel(0)),
                    VALUE,
                ),
            ),
            ("cancel before the first step", (), (hold(NOTHING, cancel), Step(Cancel(0)), hold())),
        )
    ),
)

PROBE = (hold(), hold(), VALUE, VALUE)
UNBLOCK = (RELEASE,)
