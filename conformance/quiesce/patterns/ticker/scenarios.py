"""What is done to a ticker: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import Any, Final

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.ticker.clauses import ASYNC
from quiesce.stimuli import NOTHING, Advance, Cancel, Start, Step, Weighted, arguments

__all__ = ["PERIODS", "PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

MILLI: Final = 1_000_000
SECOND: Final = 1000 * MILLI
#: Periods that tickers are made with, nanoseconds.
PERIODS: Final = (SECOND, 300 * MILLI)
OTHER_PERIODS: Final = (400 * MILLI, SECOND, 2 * SECOND)
MOVES: Final = (
    100 * MILLI,
    300 * MILLI,
    SECOND - 1,
    SECOND,
    SECOND + 1,
    2 * SECOND + 400 * MILLI,
    3 * SECOND,
)
OTHERS: Final = (0, 0, 0, 1)


def calling(name: str, operation: str, weight: int, *needs: str, **operands: Any) -> Weighted:
    return Weighted(
        name,
        Start,
        weight,
        fixed={"operation": operation},
        choices={"cancel": (0, 1), "instance": OTHERS},
        operands=operands,
        needs=needs,
    )


STIMULI = (
    calling("receive", "receive", 10),
    calling("stop", "stop", 2),
    calling("reset", "reset", 2, "reset", period=OTHER_PERIODS),
    calling("reset_to_nothing", "reset", 1, "reset", "refusal", period=(0, -1)),
    calling("make_one_of_no_period", "make", 1, "refusal", period=(0, -1)),
    Weighted("cancel_a_receiver", Cancel, 3, choices={"which": (0, 1, 2)}, worlds=ASYNC),
    Weighted(
        "move_to_a_tick",
        Advance,
        7,
        fixed={"aim": "next"},
        choices={"which": (0, 0, 1), "offset": (0, 0, -1, 1)},
    ),
    Weighted("move_the_clock", Advance, 5, fixed={"aim": "by"}, choices={"offset": MOVES}),
)


def receive(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("receive", (), instance, cancel), follow)


def reset(period: int, instance: int = 0) -> Step:
    return Step(Start("reset", arguments(period=period), instance))


def stop(follow: int = 0, instance: int = 0) -> Step:
    return Step(Start("stop", (), instance), follow)


def make(period: int) -> Step:
    return Step(Start("make", arguments(period=period)))


def by(nanoseconds: int) -> Step:
    return Step(Advance("by", 0, nanoseconds))


TO = Step(Advance())

SCENARIOS = (
    Scenario("a receiver that keeps up", (receive(), by(SECOND - 1), TO, receive(), TO, receive())),
    Scenario(
        "a receiver that is late, but not too late",
        (receive(), TO, by(1400 * MILLI), receive(), receive(), TO, receive(), TO),
    ),
    Scenario(
        "a stalled receiver",
        (by(3400 * MILLI), receive(), receive(), receive(), TO, TO),
    ),
    Scenario(
        "a stall of whole periods",
        (receive(), TO, by(3 * SECOND), receive(), receive(), TO, receive(), TO),
    ),
    Scenario("receivers race", (receive(NOTHING), receive(NOTHING), receive(), TO, TO, TO)),
    Scenario("stop", (receive(), TO, receive(), stop(), by(2 * SECOND), receive(), by(SECOND))),
    Scenario("stop with a tick that was not taken", (by(SECOND), stop(), receive(), by(SECOND))),
    Scenario("stop twice", (receive(), stop(), stop(), stop(), TO)),
    Scenario(
        "stop and receive at once", (by(SECOND), receive(NOTHING), stop(NOTHING), receive(), TO)
    ),
    Scenario(
        "reset",
        (by(400 * MILLI), reset(2 * SECOND), receive(), by(SECOND), TO, receive(), TO),
        needs=["reset"],
    ),
    Scenario(
        "reset with a tick that was not taken",
        (by(1200 * MILLI), reset(SECOND), receive(), TO, receive(), TO),
        needs=["reset"],
    ),
    Scenario(
        "reset under a receiver",
        (receive(), reset(3 * SECOND), by(SECOND), reset(400 * MILLI), TO, receive(), TO),
        needs=["reset"],
    ),
    Scenario(
        "reset after stop",
        (receive(), stop(), by(SECOND), reset(SECOND), TO, receive(), TO),
        needs=["reset"],
    ),
    Scenario(
        "periods of nothing are refused",
        (make(0), make(-1), make(SECOND), receive(), TO),
        needs=["refusal"],
    ),
    Scenario(
        "resets to nothing are refused and change nothing",
        (by(400 * MILLI), reset(0), reset(-1), receive(), TO),
        needs=["refusal", "reset"],
    ),
    Scenario(
        "instances are independent",
        (receive(), receive(instance=1), stop(), by(SECOND), receive(instance=1), by(SECOND)),
        arguments={"instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a receiver",
                (receive(cancel=cancel), receive(), Step(Cancel(0)), TO, receive(), TO),
            ),
            (
                "cancel before the first step",
                (by(SECOND), receive(NOTHING, cancel), Step(Cancel(0)), receive(), TO),
            ),
        )
    ),
)

PROBE = (receive(), TO, receive(), TO)
#: In threads only a reset lets those go who wait for a ticker that was stopped.
UNBLOCK = (Step(Cancel()), reset(SECOND), reset(SECOND, instance=1))
