"""What is done to a wait group: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.wait_group.clauses import ASYNC
from quiesce.stimuli import (
    NOTHING,
    Advance,
    Cancel,
    Inside,
    Open,
    Start,
    Step,
    Weighted,
    arguments,
)

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)
INSTANCES = (0, 0, 0, 1)
#: Nanoseconds.
TIMEOUT = 10_000_000

STIMULI = (
    Weighted(
        "add_one",
        Start,
        5,
        fixed={"operation": "add"},
        choices={"instance": INSTANCES},
        operands={"n": (1,)},
    ),
    Weighted(
        "add_a_delta",
        Start,
        2,
        fixed={"operation": "add"},
        operands={"n": (2, -1, -2, 3, 0)},
        needs=["delta"],
    ),
    Weighted("done", Start, 6, fixed={"operation": "done"}, choices={"instance": INSTANCES}),
    Weighted(
        "wait",
        Start,
        7,
        fixed={"operation": "wait"},
        choices={"cancel": CANCELS, "instance": INSTANCES},
    ),
    Weighted(
        "wait_for_a_time",
        Start,
        3,
        fixed={"operation": "wait_within"},
        choices={"cancel": CANCELS},
        operands={"timeout": (TIMEOUT,)},
        needs=["timeout"],
    ),
    Weighted("start_a_function", Start, 5, fixed={"operation": "go"}, needs=["go"]),
    Weighted(
        "start_a_function_inside",
        Inside,
        2,
        fixed={"operation": "go"},
        choices={"which": (0, 1)},
        needs=["go"],
    ),
    Weighted(
        "let_a_function_end",
        Open,
        6,
        choices={"which": (0, 1), "outcome": ("value", "none", "error")},
        needs=["go"],
    ),
    Weighted(
        "let_a_function_blow_up",
        Open,
        1,
        choices={"which": (0, 1), "outcome": ("exit", "panic")},
        needs=["go"],
        worlds=("threads",),
    ),
    Weighted("cancel_a_waiter", Cancel, 5, choices={"which": (0, 1, 2)}, worlds=ASYNC),
    Weighted("let_time_pass", Advance, 3, choices={"offset": (0, 0, -1, 1)}, needs=["timeout"]),
)


def add(n: int = 1, follow: int = 0, instance: int = 0) -> Step:
    return Step(Start("add", arguments(n=n), instance), follow)


def done(follow: int = 0, instance: int = 0) -> Step:
    return Step(Start("done", instance=instance), follow)


def wait(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("wait", (), instance, cancel), follow)


def within(follow: int = 0) -> Step:
    return Step(Start("wait_within", arguments(timeout=TIMEOUT)), follow)


def go(follow: int = 0) -> Step:
    return Step(Start("go"), follow)


VALUE, ERROR, EXIT, PANIC = (
    Step(Open(0, outcome)) for outcome in ("value", "error", "exit", "panic")
)
TIME = Step(Advance())
INSIDE = Step(Inside(0, "go"))

SCENARIOS = (
    Scenario("nothing was added", (wait(), add(), wait(), done(), wait())),
    Scenario("all waiters are released", (add(), add(), wait(), wait(), wait(), done(), done())),
    Scenario("rounds", (add(), wait(), done(), add(), wait(), wait(), done(), add(), done())),
    Scenario("too often", (done(), add(), wait(), done(), done(), wait(), add(), wait(), done())),
    Scenario(
        "any delta",
        (add(3), wait(), add(-4), add(-2), add(0), done(), add(2), add(-2), add(-1), wait()),
        needs=["delta"],
    ),
    Scenario(
        "the last ones race", (add(), add(), wait(), done(NOTHING), done(NOTHING), wait(), wait())
    ),
    Scenario(
        "a new round at once", (add(), wait(), wait(), done(NOTHING), add(follow=1), wait(), done())
    ),
    Scenario("a new round a little later", (add(), wait(), wait(), done(1), add(follow=2), wait())),
    Scenario("functions", (go(), go(), wait(), VALUE, VALUE, wait(), go(), VALUE), needs=["go"]),
    Scenario(
        "a wait right after go", (go(1), wait(1), wait(), VALUE, go(2), wait(), VALUE), needs=["go"]
    ),
    Scenario("an error", (go(), go(), wait(), ERROR, VALUE, wait(), go(), wait()), needs=["go"]),
    Scenario(
        "errors and nobody waits",
        (go(), ERROR, go(), ERROR, wait(), wait(), go(), VALUE, wait()),
        needs=["go"],
    ),
    Scenario(
        "a function blows up",
        (go(), go(), wait(), PANIC, EXIT, go(), EXIT, wait()),
        needs=["go"],
        worlds=("threads",),
    ),
    Scenario(
        "functions start functions",
        (go(), wait(), INSIDE, VALUE, INSIDE, VALUE, VALUE, wait()),
        needs=["go"],
    ),
    Scenario(
        "time runs out",
        (add(), within(), wait(), TIME, wait(), done(), within(), TIME),
        needs=["timeout"],
    ),
    Scenario(
        "zero in time", (add(), within(), Step(Advance(offset=-1)), done(), add(), within(), TIME)
    ),
    Scenario(
        "groups are independent",
        (add(), add(instance=1), wait(), wait(instance=1), done(), done(instance=1)),
        arguments={"instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a waiter",
                (
                    add(),
                    add(),
                    wait(),
                    wait(cancel=cancel),
                    Step(Cancel(1)),
                    done(),
                    wait(),
                    done(),
                ),
            ),
            (
                "cancel the only waiter",
                (add(), wait(cancel=cancel), Step(Cancel(0)), wait(), done(), wait()),
            ),
            (
                "cancel a waiter at zero",
                (add(), wait(cancel=cancel), wait(), done(1), Step(Cancel(0)), add(), wait()),
            ),
            (
                "cancel a waiter before zero",
                (add(), wait(cancel=cancel), wait(), Step(Cancel(0), NOTHING), done(), wait()),
            ),
            ("cancel before the first step", (add(), wait(NOTHING, cancel), Step(Cancel(0)))),
        )
    ),
)

PROBE = (add(), wait(), done())
UNBLOCK = (done(),)
