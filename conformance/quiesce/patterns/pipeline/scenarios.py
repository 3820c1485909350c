"""How pipelines are exercised: drawn stimuli, fixed scenarios, and the probe after each trial.

The source is pulled as soon as the subject is there. Waiting functions are numbered by their
start, so with one worker each: the furthest stage first, the source's pull last.
"""

from __future__ import annotations

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.pipeline.clauses import ASYNC
from quiesce.stimuli import NOTHING, Cancel, Open, Start, Step, Weighted

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

STIMULI = (
    Weighted(
        "receive",
        Start,
        7,
        fixed={"operation": "receive"},
        choices={"cancel": (0, 1), "instance": (0, 0, 0, 1)},
    ),
    Weighted(
        "let_a_function_return", Open, 16, fixed={"outcome": "value"}, choices={"which": (0, 1, 2)}
    ),
    Weighted(
        "let_a_function_return_none",
        Open,
        2,
        fixed={"outcome": "none"},
        choices={"which": (0, 1, 2)},
    ),
    Weighted(
        "let_a_function_fail", Open, 1, fixed={"outcome": "error"}, choices={"which": (0, 1, 2)}
    ),
    Weighted("cancel_the_pipeline", Start, 1, fixed={"operation": "cancel"}),
    Weighted("leave", Start, 1, fixed={"operation": "close"}),
    Weighted("wait", Start, 1, fixed={"operation": "wait"}, choices={"cancel": (0, 1)}),
    Weighted("cancel_a_caller", Cancel, 2, choices={"which": (0, 1)}, worlds=ASYNC),
)


def call(operation: str, follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start(operation, instance=instance, cancel=cancel), follow)


def go(which: int = 0, follow: int = 0) -> Step:
    return Step(Open(which), follow)


def end(which: int = 0) -> Step:
    return Step(Open(which, "none"))


def fail(which: int = 0, follow: int = 0) -> Step:
    return Step(Open(which, "error"), follow)


RECEIVE, WAIT, CANCEL, CLOSE = call("receive"), call("wait"), call("cancel"), call("close")
#: From the start: one item through the source and both stages.
THROUGH = (go(), go(), go(1))
SMALL = {"workers": 1, "buffer": 0}
WIDE = {"workers": 2, "buffer": 1}

SCENARIOS = (
    Scenario(
        "an item passes",
        (RECEIVE, go(), go(), go(1), end(), RECEIVE, RECEIVE),
        worlds=ASYNC,
    ),
    Scenario("an empty source", (WAIT, RECEIVE, end(), RECEIVE)),
    Scenario(
        "nobody receives",
        (
            *(go(i) for i in (0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)),
            RECEIVE,
            RECEIVE,
            go(),
            RECEIVE,
        ),
        worlds=ASYNC,
    ),
    Scenario(
        "nobody receives, no buffers",
        (*(go(i) for i in (0, 0, 1, 0, 0, 0)), RECEIVE, RECEIVE, go(), end()),
        arguments=SMALL,
    ),
    Scenario(
        "two workers",
        (go(), go(1), go(1), go(0), go(0), go(0), RECEIVE, RECEIVE, RECEIVE, end(), end()),
        arguments=WIDE,
    ),
    Scenario(
        "the second of two workers is first",
        (RECEIVE, go(), go(1), go(1), go(0), go(1), go(0), RECEIVE, end(), RECEIVE),
        arguments=WIDE,
    ),
    Scenario(
        "the end while two work",
        (RECEIVE, RECEIVE, WAIT, go(), go(1), end(2), go(1), go(0), go(1), go(0), RECEIVE),
        arguments=WIDE,
    ),
    Scenario("the end before the last item", (RECEIVE, go(), end(1), go(), RECEIVE, go())),
    Scenario("items wait at the end", (*THROUGH, end(), WAIT, RECEIVE, RECEIVE)),
    Scenario("a stage returns None", (RECEIVE, go(), end(0), end(1), end(0), RECEIVE)),
    Scenario("a stage fails", (RECEIVE, WAIT, go(), go(), fail(1), RECEIVE, go(), WAIT)),
    Scenario("a stage fails with items behind it", (*THROUGH, go(), fail(0), RECEIVE, end(), WAIT)),
    Scenario("the source fails", (go(), fail(1), RECEIVE, go(), WAIT, RECEIVE), worlds=ASYNC),
    Scenario("two fail at once", (go(), fail(0, NOTHING), fail(0), RECEIVE, WAIT)),
    Scenario("cancel", (RECEIVE, WAIT, go(), go(), CANCEL, go(), go(), RECEIVE, CANCEL, WAIT)),
    Scenario(
        "cancel with items everywhere",
        (*(go(i) for i in (0, 0, 1, 0, 0, 0, 0, 0, 0)), CANCEL, RECEIVE, go(), go(), WAIT),
    ),
    Scenario(
        "cancel while items move",
        (go(0, NOTHING), call("receive", 1), call("cancel", 3), go(1, 3), go(2), go(), WAIT),
        worlds=ASYNC,
    ),
    Scenario("cancel, then a function fails", (go(), CANCEL, fail(0), go(), WAIT)),
    Scenario("leave", (RECEIVE, go(), go(), CLOSE, CLOSE, go(), go(), RECEIVE)),
    Scenario(
        "leave with items everywhere",
        (*(go(i) for i in (0, 0, 1, 0, 0)), CLOSE, RECEIVE, go()),
        worlds=ASYNC,
        arguments=SMALL,
    ),
    Scenario(
        "instances are independent",
        (go(), call("receive", instance=1), go(0), go(1), go(1), go(1), RECEIVE),
        arguments={"instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a receiver",
                (call("receive", cancel=cancel), Step(Cancel()), *THROUGH, RECEIVE),
            ),
            (
                "cancel a receiver as an item comes",
                (
                    call("receive", cancel=cancel),
                    go(),
                    go(),
                    go(1, NOTHING),
                    Step(Cancel()),
                    RECEIVE,
                ),
            ),
            (
                "cancel a receiver as it gets its item",
                (call("receive", cancel=cancel), go(), go(), go(1, 2), Step(Cancel()), RECEIVE),
            ),
            (
                "cancel one who waits",
                (call("wait", cancel=cancel), go(), Step(Cancel()), CANCEL, WAIT),
            ),
        )
    ),
)

PROBE = (RECEIVE, WAIT)
UNBLOCK = (CLOSE,)
