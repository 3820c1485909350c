"""What is done to a periodic task: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import Final

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.periodic.clauses import ASYNC
from quiesce.stimuli import NOTHING, Advance, Cancel, Inside, Open, Start, Step, Weighted

__all__ = ["PERIODS", "PROBE", "SCENARIOS", "SECOND", "STIMULI", "UNBLOCK"]

MILLI: Final = 1_000_000
SECOND: Final = 1000 * MILLI
#: Periods that tasks are made with, nanoseconds.
PERIODS: Final = (SECOND, 300 * MILLI)
MOVES: Final = (100 * MILLI, 300 * MILLI, 900 * MILLI, SECOND, 2 * SECOND + 400 * MILLI)
OTHERS: Final = (0, 0, 0, 1)


def calling(operation: str, weight: int) -> Weighted:
    return Weighted(
        f"call_{operation}",
        Start,
        weight,
        fixed={"operation": operation},
        choices={"cancel": (0, 1), "instance": OTHERS},
    )


STIMULI = (
    calling("stop", 2),
    calling("wait", 4),
    Weighted(
        "let_a_function_end",
        Open,
        6,
        choices={"which": (0, 1), "outcome": ("value", "value", "none")},
    ),
    Weighted(
        "let_a_function_fail",
        Open,
        2,
        fixed={"outcome": "error"},
        choices={"which": (0, 1)},
        needs=["errors"],
    ),
    Weighted(
        "let_a_function_blow_up",
        Open,
        1,
        choices={"which": (0, 1), "outcome": ("exit", "panic")},
        needs=["errors", "exit"],
        worlds=("threads",),
    ),
    Weighted("stop_from_inside", Inside, 1, fixed={"which": 0, "operation": "stop"}),
    Weighted(
        "wait_from_inside",
        Inside,
        1,
        fixed={"which": 0, "operation": "wait"},
        needs=["reentrance_error"],
    ),
    Weighted("cancel_a_wait", Cancel, 3, choices={"which": (0, 1, 2)}, worlds=ASYNC),
    Weighted("move_to_a_due_time", Advance, 6, fixed={"aim": "next"}, choices={"which": (0, 0, 1)}),
    Weighted(
        "move_beside_a_due_time",
        Advance,
        3,
        fixed={"aim": "next"},
        choices={"offset": (-1, 1)},
        needs=["nanoseconds"],
    ),
    Weighted("move_the_clock", Advance, 4, fixed={"aim": "by"}, choices={"offset": MOVES}),
)


def stop(follow: int = 0) -> Step:
    return Step(Start("stop"), follow)


def wait(cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("wait", (), instance, cancel))


def by(nanoseconds: int) -> Step:
    return Step(Advance("by", 0, nanoseconds))


TO = Step(Advance())
OPEN, FAIL, EXIT = Step(Open()), Step(Open(0, "error")), Step(Open(0, "exit"))
STOP_INSIDE, WAIT_INSIDE = Step(Inside(0, "stop")), Step(Inside(0, "wait"))

SCENARIOS = (
    Scenario("it keeps time", (by(SECOND - 1), TO, OPEN, TO, OPEN, by(1400 * MILLI), OPEN, TO)),
    Scenario("a run that is late, but not too late", (TO, by(900 * MILLI), OPEN, TO, OPEN, TO)),
    Scenario("a long run", (TO, by(2400 * MILLI), OPEN, OPEN, by(500 * MILLI), TO, OPEN, TO)),
    Scenario("a run of whole periods", (TO, by(2 * SECOND), OPEN, by(500 * MILLI), OPEN, TO)),
    Scenario("stop between runs", (by(400 * MILLI), wait(), stop(), by(2 * SECOND), wait())),
    Scenario("stop during a run", (TO, wait(), stop(), wait(), by(SECOND), OPEN, wait(), TO)),
    Scenario("stop after a long run", (TO, by(SECOND), stop(), OPEN, by(SECOND), wait())),
    Scenario("stop twice", (TO, stop(), stop(), OPEN, stop(), wait())),
    Scenario("stop as a run ends", (TO, Step(Open(), NOTHING), stop(), wait(), by(SECOND))),
    Scenario("stop from inside", (TO, wait(), STOP_INSIDE, by(SECOND), OPEN, wait(), TO)),
    Scenario(
        "wait from inside", (TO, WAIT_INSIDE, OPEN, TO, OPEN, wait()), needs=["reentrance_error"]
    ),
    *(
        Scenario(words, steps, needs=["errors"])
        for words, steps in (
            ("a run fails", (TO, wait(), FAIL, OPEN, wait(), TO, OPEN, stop(), wait())),
            ("a long run fails", (TO, by(2400 * MILLI), FAIL, OPEN, OPEN, by(SECOND), OPEN)),
            ("a run fails after stop", (TO, stop(), wait(), FAIL, OPEN, wait())),
        )
    ),
    Scenario(
        "a long handler",
        (TO, FAIL, by(1400 * MILLI), OPEN, OPEN, TO, OPEN, stop(), wait()),
        needs=["errors", "handler"],
    ),
    Scenario("a handler fails", (TO, FAIL, FAIL, wait(), by(SECOND)), needs=["errors", "handler"]),
    Scenario(
        "a run exits",
        (TO, wait(), EXIT, wait(), TO),
        needs=["errors", "exit"],
        worlds=("threads",),
    ),
    Scenario(
        "instances are independent",
        (TO, stop(), wait(instance=1), Step(Open(1)), by(SECOND), OPEN, OPEN),
        arguments={"instances": 2},
    ),
    *(
        Scenario(
            f"cancel a wait ({kind})",
            (wait(cancel), wait(), Step(Cancel(0)), TO, OPEN, TO, OPEN, stop(), wait()),
            worlds=ASYNC,
        )
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
    ),
)

PROBE = (TO, OPEN, stop(), OPEN, wait())
UNBLOCK = (stop(), Step(Start("stop", (), 1)))
