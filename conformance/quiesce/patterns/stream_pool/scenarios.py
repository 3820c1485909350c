"""What is done to a stream: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import Any

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.stream_pool.clauses import ASYNC
from quiesce.stimuli import NOTHING, Cancel, Open, Start, Step, Weighted

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)

STIMULI = (
    Weighted(
        "take_an_outcome",
        Start,
        9,
        fixed={"operation": "next"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
    ),
    Weighted(
        "let_a_function_end",
        Open,
        14,
        choices={"which": (0, 1, 2), "outcome": ("value", "value", "value", "value", "error")},
    ),
    Weighted(
        "let_the_source_or_a_job_end_with_none",
        Open,
        2,
        choices={"which": (0, 1, 2)},
        fixed={"outcome": "none"},
    ),
    Weighted("cancel_a_consumer", Cancel, 3, choices={"which": (0, 1)}, worlds=ASYNC),
    Weighted("stop", Start, 1, fixed={"operation": "stop"}),
)


def take(follow: int = 0, instance: int = 0, cancel: int = 0) -> Step:
    return Step(Start("next", (), instance, cancel), follow)


def ends(which: int = 0, outcome: str = "value", follow: int = 0) -> Step:
    return Step(Open(which, outcome), follow)


NEXT, VALUE, ERROR, STOP = take(), ends(), ends(0, "error"), Step(Start("stop"))
#: The source gives an item while a job runs: executions wait in the order of their start.
SECOND, THIRD = ends(1), ends(2)

ONE: dict[str, Any] = {"workers": 1, "buffer": 0, "ordered": False}
ONE_AHEAD: dict[str, Any] = {"workers": 1, "buffer": 1, "ordered": False}
TWO: dict[str, Any] = {"workers": 2, "buffer": 0, "ordered": False}
TWO_AHEAD: dict[str, Any] = {"workers": 2, "buffer": 1, "ordered": False}
ORDERED: dict[str, Any] = {"workers": 2, "buffer": 0, "ordered": True}
ORDERED_AHEAD: dict[str, Any] = {"workers": 2, "buffer": 1, "ordered": True}

SCENARIOS = (
    Scenario("nothing is pulled before it is asked", (STOP, NEXT, STOP), arguments=ONE),
    Scenario(
        "one at a time",
        (NEXT, VALUE, VALUE, VALUE, VALUE, NEXT, NEXT, VALUE, VALUE, ends(0, "none"), NEXT),
        worlds=ASYNC,
        arguments=ONE,
    ),
    Scenario(
        "as jobs end",
        (NEXT, VALUE, SECOND, SECOND, VALUE, NEXT, VALUE, ends(0, "none"), VALUE, NEXT, NEXT),
        arguments=TWO,
    ),
    Scenario(
        "in the order of the items",
        (NEXT, VALUE, SECOND, SECOND, VALUE, NEXT, ends(0, "none"), NEXT),
        worlds=ASYNC,
        arguments=ORDERED,
    ),
    Scenario(
        "in the order of the items, ahead",
        (NEXT, VALUE, SECOND, THIRD, SECOND, SECOND, VALUE, NEXT, NEXT, ends(0, "none"), NEXT),
        arguments=ORDERED_AHEAD,
    ),
    Scenario(
        "errors are outcomes",
        (NEXT, VALUE, SECOND, ERROR, ends(0, "error"), NEXT, ends(0, "none"), NEXT, VALUE, NEXT),
        worlds=ASYNC,
        arguments=TWO,
    ),
    Scenario(
        "the source fails",
        (NEXT, VALUE, ends(1, "error"), NEXT, VALUE, NEXT, NEXT),
        arguments=TWO,
    ),
    Scenario("an empty source", (NEXT, ends(0, "none"), NEXT, STOP), arguments=TWO),
    Scenario(
        "the end with jobs that run",
        (NEXT, VALUE, SECOND, NEXT, NEXT, VALUE, VALUE, ends(0, "none"), NEXT),
        arguments=TWO_AHEAD,
    ),
    Scenario(
        "several consumers",
        (take(NOTHING), take(1), NEXT, VALUE, SECOND, VALUE, VALUE, ends(0, "none")),
        arguments=TWO,
    ),
    Scenario(
        "stop with everything under way",
        (NEXT, VALUE, SECOND, THIRD, NEXT, STOP, STOP, NEXT, VALUE, VALUE, VALUE),
        arguments=TWO_AHEAD,
    ),
    Scenario(
        "stop with queued items",
        (NEXT, VALUE, SECOND, NEXT, STOP, VALUE, NEXT),
        worlds=ASYNC,
        arguments=ONE_AHEAD,
    ),
    Scenario(
        "stop as a job ends",
        (NEXT, VALUE, SECOND, ends(follow=1), Step(Start("stop"), 1), NEXT, VALUE),
        arguments=ONE_AHEAD,
    ),
    Scenario(
        "leave with outcomes that nobody takes",
        (NEXT, VALUE, SECOND, VALUE, VALUE, VALUE, VALUE),
        arguments=TWO_AHEAD,
    ),
    Scenario(
        "streams are independent",
        (NEXT, take(instance=1), ends(1), STOP, ends(1), take(instance=1)),
        arguments={**ONE, "instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC, arguments=given)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, given, steps in (
            (
                "cancel a consumer",
                ONE,
                (take(cancel=cancel), VALUE, NEXT, Step(Cancel(0)), VALUE, NEXT, VALUE),
            ),
            (
                "cancel the only consumer",
                TWO,
                (take(cancel=cancel), VALUE, Step(Cancel(0)), VALUE, VALUE, NEXT, NEXT),
            ),
            (
                "cancel a consumer as an outcome comes",
                ONE,
                (take(cancel=cancel), VALUE, ends(follow=1), Step(Cancel(0)), NEXT, VALUE, VALUE),
            ),
        )
    ),
)

PROBE = (NEXT, VALUE, VALUE, NEXT)
#: Who waits for an outcome sees the end.
UNBLOCK = (STOP,)
