"""What is done to a background service: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.service.clauses import ASYNC
from quiesce.stimuli import NOTHING, Cancel, Inside, Open, Start, Step, Weighted

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

OTHERS = (0, 0, 0, 1)


def calling(operation: str, weight: int) -> Weighted:
    return Weighted(
        f"call_{operation}",
        Start,
        weight,
        fixed={"operation": operation},
        choices={"cancel": (0, 1), "instance": OTHERS},
    )


STIMULI = (
    calling("start", 7),
    calling("start_stop", 2),
    calling("stop", 5),
    calling("wait", 7),
    Weighted(
        "let_a_function_end",
        Open,
        8,
        choices={"which": (0, 1), "outcome": ("value", "value", "none", "error")},
    ),
    Weighted(
        "let_a_function_blow_up",
        Open,
        2,
        choices={"which": (0, 1), "outcome": ("exit", "panic")},
        needs=["exit"],
        worlds=("threads",),
    ),
    Weighted("stop_from_inside", Inside, 2, fixed={"which": 0, "operation": "stop"}),
    Weighted(
        "ask_whether_to_stop",
        Inside,
        3,
        fixed={"which": 0, "operation": "stopping"},
        needs=["token"],
    ),
    Weighted("cancel_a_wait", Cancel, 4, choices={"which": (0, 1, 2)}, worlds=ASYNC),
)


def start(follow: int = 0, instance: int = 0) -> Step:
    return Step(Start("start", (), instance), follow)


def stop(follow: int = 0, instance: int = 0) -> Step:
    return Step(Start("stop", (), instance), follow)


def wait(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("wait", (), instance, cancel), follow)


START_STOP = Step(Start("start_stop"))
OPEN, FAIL = Step(Open()), Step(Open(0, "error"))
EXIT, PANIC = Step(Open(0, "exit")), Step(Open(0, "panic"))
ASK = Step(Inside(0, "stopping"))
STOP_INSIDE = Step(Inside(0, "stop"))

SCENARIOS = (
    Scenario("it ends by itself", (start(), wait(), wait(), OPEN, OPEN, wait(), wait())),
    Scenario("it fails", (start(), wait(), FAIL, wait(), OPEN, wait(), wait())),
    Scenario("stop during a step", (start(), wait(), stop(), wait(), OPEN, wait(), OPEN, wait())),
    Scenario("stop right after start", (START_STOP, wait(), OPEN, OPEN, wait())),
    Scenario(
        "stop right after start is seen", (START_STOP, ASK, wait(), OPEN, OPEN), needs=["token"]
    ),
    Scenario(
        "the step sees the stop", (start(), ASK, stop(), ASK, wait(), OPEN, OPEN), needs=["token"]
    ),
    Scenario("stop from inside", (start(), wait(), STOP_INSIDE, wait(), OPEN, OPEN, wait())),
    Scenario("stop twice", (start(), stop(), stop(), wait(), OPEN, stop(), OPEN, stop(), wait())),
    Scenario("stop during the clean-up", (start(), OPEN, stop(), stop(), wait(), OPEN, wait())),
    Scenario("start twice", (start(), start(), wait(), OPEN, start(), OPEN, wait())),
    Scenario("start after the end", (start(), OPEN, OPEN, start(), wait(), OPEN, OPEN, wait())),
    Scenario("start after stop", (start(), stop(), start(), OPEN, OPEN, start(), wait())),
    Scenario("nothing was started", (stop(), wait(), start(), wait(), OPEN, OPEN)),
    Scenario("the clean-up fails", (start(), wait(), OPEN, FAIL, wait())),
    Scenario("both fail", (start(), wait(), FAIL, FAIL, wait())),
    Scenario("all at once", (start(NOTHING), wait(NOTHING), stop(), OPEN, OPEN, wait())),
    *(
        Scenario(f"stop {steps} steps after start", (start(steps), stop(), wait(), OPEN, OPEN))
        for steps in (1, 2)
    ),
    *(
        Scenario(
            f"it ends by {words}",
            (start(), wait(), blow, wait(), OPEN, wait(), wait()),
            needs=["exit"],
            worlds=("threads",),
        )
        for words, blow in (("an exit", EXIT), ("a panic", PANIC))
    ),
    Scenario(
        "instances are independent",
        (start(), start(instance=1), stop(), wait(instance=1), Step(Open(1)), OPEN, OPEN),
        arguments={"instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a wait",
                (start(), wait(0, cancel), wait(), Step(Cancel(0)), OPEN, OPEN, wait()),
            ),
            (
                "cancel a wait for the clean-up",
                (start(), stop(), wait(0, cancel), wait(), Step(Cancel(0)), OPEN, OPEN, wait()),
            ),
        )
    ),
)

PROBE = (start(), stop(), OPEN, OPEN, wait())
#: A wait may block since nothing was started, and then only a start lets it go.
UNBLOCK = (start(), stop(), start(instance=1), stop(instance=1), Step(Cancel()))
