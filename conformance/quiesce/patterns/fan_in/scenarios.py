"""How fan-in is exercised: drawn stimuli, fixed scenarios, and the probe after each trial.

The sources start with the subject: waiting function 0 is the first one's pull, 1 the
second one's, as long as neither was let go.
"""

from __future__ import annotations

from quiesce.patterns.fan_in.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, Cancel, Open, Start, Step, Weighted

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

STIMULI = (
    Weighted(
        "receive",
        Start,
        9,
        fixed={"operation": "receive"},
        choices={"cancel": (0, 1), "instance": (0, 0, 0, 1)},
    ),
    Weighted(
        "let_a_source_give_an_item",
        Open,
        9,
        fixed={"outcome": "value"},
        choices={"which": (0, 1)},
    ),
    Weighted("let_a_source_end", Open, 2, fixed={"outcome": "none"}, choices={"which": (0, 1)}),
    Weighted("let_a_source_fail", Open, 1, fixed={"outcome": "error"}, choices={"which": (0, 1)}),
    Weighted("leave", Start, 1, fixed={"operation": "close"}, needs=["leave"]),
    Weighted("cancel_a_receiver", Cancel, 3, choices={"which": (0, 1)}, worlds=ASYNC),
)


def receive(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("receive", instance=instance, cancel=cancel), follow)


def give(which: int = 0, follow: int = 0) -> Step:
    return Step(Open(which), follow)


def end(which: int = 0, follow: int = 0) -> Step:
    return Step(Open(which, "none"), follow)


def fail(which: int = 0, follow: int = 0) -> Step:
    return Step(Open(which, "error"), follow)


CLOSE = Step(Start("close"))

SCENARIOS = (
    Scenario(
        "items wait for a receiver", (give(), give(), receive(), receive(), give(), receive())
    ),
    Scenario("receivers wait for items", (receive(), receive(), give(), give())),
    Scenario("a silent source", (receive(), give(0), receive(), give(1), receive(), give(1))),
    Scenario(
        "one source gives several", (give(0), receive(), give(1), receive(), give(1), receive())
    ),
    Scenario("both give at once", (receive(), give(0, NOTHING), give(1), receive())),
    Scenario("one source ends", (receive(), end(0), give(), end(), receive(), receive())),
    Scenario("both end", (end(), give(), end(), receive(), receive(), receive())),
    Scenario("both end while one waits", (receive(), receive(), end(0, NOTHING), end())),
    Scenario("a source fails", (receive(), fail(0), receive(), receive())),
    Scenario("a source fails with an item in hand", (give(0), fail(0), receive(), receive())),
    Scenario("both fail at once", (receive(), fail(0, NOTHING), fail(0), receive())),
    Scenario("a failure after an end", (end(0), receive(), fail(), receive())),
    Scenario("leave", (receive(), give(), CLOSE, receive(), CLOSE, end()), needs=["leave"]),
    Scenario("leave with an item in hand", (give(1), CLOSE, receive(), end()), needs=["leave"]),
    Scenario("leave a waiting receiver", (receive(), CLOSE, end(), end()), needs=["leave"]),
    Scenario(
        "leave while sources give", (CLOSE, give(0, NOTHING), give(0), CLOSE), needs=["leave"]
    ),
    Scenario(
        "instances are independent",
        (receive(), receive(instance=1), give(2), give(2), receive(instance=1), give(0)),
        arguments={"instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a receiver",
                (receive(cancel=cancel), Step(Cancel()), give(), receive(), receive(), give()),
            ),
            (
                "cancel a receiver as an item comes",
                (receive(cancel=cancel), give(0, NOTHING), Step(Cancel()), receive(), receive()),
            ),
            (
                "cancel a receiver as it gets its item",
                (receive(cancel=cancel), receive(), give(0, 2), Step(Cancel()), give(), receive()),
            ),
            (
                "cancel a receiver as a source fails",
                (receive(cancel=cancel), fail(0, NOTHING), Step(Cancel()), receive()),
            ),
        )
    ),
)

PROBE = (receive(), receive())
UNBLOCK = (CLOSE,)
