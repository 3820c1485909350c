"""What is done to selects: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.select.clauses import ASYNC
from quiesce.stimuli import NOTHING, Advance, Cancel, Start, Step, Weighted, arguments

if TYPE_CHECKING:
    from quiesce.patterns.select.state import Case

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

SECOND = 1_000_000_000
ROUNDS = 100

FROM_A, FROM_B, TO_A, TO_B = ("receive", "a"), ("receive", "b"), ("send", "a"), ("send", "b")
CASES: tuple[tuple[Case, ...], ...] = (
    (FROM_A, FROM_B),
    (FROM_A, TO_B),
    (TO_A, TO_B),
    (TO_A, FROM_A),
    (FROM_B,),
)
CHANNELS = {"channel": ("a", "a", "b")}
CANCELS = {"cancel": (0, 1), "instance": (0, 0, 0, 1)}


def selects(name: str, weight: int, *needs: str, default: bool, timeout: int | None) -> Weighted:
    return Weighted(
        name,
        Start,
        weight,
        fixed={"operation": "select"},
        choices=CANCELS,
        operands={"cases": CASES, "default": (default,), "timeout": (timeout,)},
        needs=needs,
    )


STIMULI = (
    selects("select", 8, default=False, timeout=None),
    selects("select_or_default", 3, "default", default=True, timeout=None),
    selects("select_with_a_timeout", 3, "timeout", default=False, timeout=SECOND),
    Weighted("send", Start, 6, {"operation": "send"}, CANCELS, CHANNELS),
    Weighted("receive", Start, 6, {"operation": "receive"}, CANCELS, CHANNELS),
    Weighted("close", Start, 1, {"operation": "close"}, {}, CHANNELS, ["close"]),
    Weighted("move_the_clock", Advance, 2, choices={"which": (0, 1)}, needs=["timeout"]),
    Weighted("cancel_a_caller", Cancel, 5, choices={"which": (0, 1, 2)}, worlds=ASYNC),
)


def select(
    *cases: Case,
    default: bool = False,
    timeout: int | None = None,
    follow: int = 0,
    cancel: int = 0,
    instance: int = 0,
) -> Step:
    given = arguments(cases=cases, default=default, timeout=timeout)
    return Step(Start("select", given, instance, cancel), follow)


def call(operation: str, channel: str, follow: int = 0, instance: int = 0) -> Step:
    return Step(Start(operation, arguments(channel=channel), instance), follow)


SEND_A, SEND_B = call("send", "a"), call("send", "b")
RECEIVE_A, RECEIVE_B = call("receive", "a"), call("receive", "b")
CLOSE_A, CLOSE_B = call("close", "a"), call("close", "b")
SHIFT = Step(Start("shift"))
NEXT = Step(Advance())
UNBUFFERED = {"capacity": 0}

SCENARIOS = (
    Scenario(
        "one of two is ready",
        (SEND_A, select(FROM_A, FROM_B), SEND_B, select(FROM_A, FROM_B), SEND_A),
    ),
    Scenario(
        "both are ready",
        (SEND_A, SEND_B, select(FROM_A, FROM_B), select(FROM_A, FROM_B), select(FROM_A, FROM_B)),
    ),
    Scenario(
        "none is ready",
        (select(FROM_A, FROM_B), select(FROM_A, FROM_B), SEND_B, SEND_A, RECEIVE_A, SEND_B),
    ),
    Scenario(
        "senders meet a select",
        (SEND_A, SEND_B, select(FROM_A, FROM_B), RECEIVE_A, RECEIVE_B),
        arguments=UNBUFFERED,
    ),
    Scenario(
        "send where there is room",
        (SEND_A, select(TO_A, TO_B), select(TO_A, TO_B), RECEIVE_B, RECEIVE_A, RECEIVE_A),
    ),
    Scenario(
        "send to who waits",
        (RECEIVE_B, select(TO_A, TO_B), select(TO_A, TO_B), RECEIVE_A),
        arguments=UNBUFFERED,
    ),
    Scenario(
        "two selects meet",
        (select(TO_A, FROM_B), select(FROM_A, TO_B), select(FROM_A, TO_B), SEND_A),
        arguments=UNBUFFERED,
    ),
    Scenario(
        "a select does not meet itself",
        (select(TO_A, FROM_A), RECEIVE_A, select(FROM_A, TO_A), SEND_A),
        needs=["rendezvous"],
        arguments=UNBUFFERED,
    ),
    Scenario(
        "selects race",
        (
            select(FROM_A, FROM_B, follow=NOTHING),
            select(FROM_B, FROM_A, follow=NOTHING),
            call("send", "a", NOTHING),
            SEND_B,
        ),
    ),
    Scenario(
        "selects race to meet",
        (
            select(TO_A, FROM_B, follow=NOTHING),
            select(TO_B, FROM_A, follow=NOTHING),
            select(FROM_A, TO_B),
            RECEIVE_A,
        ),
        arguments=UNBUFFERED,
    ),
    Scenario(
        "default",
        (
            select(FROM_A, FROM_B, default=True),
            SEND_B,
            select(FROM_A, FROM_B, default=True),
            select(FROM_A, FROM_B, default=True),
        ),
        needs=["default"],
    ),
    Scenario(
        "always one is ready",
        (SEND_A, select(FROM_A, FROM_B, default=True, follow=NOTHING), SHIFT),
        needs=["default"],
    ),
    Scenario(
        "timeout",
        (
            select(FROM_A, FROM_B, timeout=SECOND),
            select(FROM_A, timeout=2 * SECOND),
            NEXT,
            SEND_A,
            SEND_B,
            RECEIVE_B,
        ),
        needs=["timeout"],
    ),
    Scenario(
        "timeout and a value at once",
        (
            select(FROM_A, FROM_B, timeout=SECOND),
            Step(Advance(), NOTHING),
            call("send", "a"),
            RECEIVE_A,
        ),
        needs=["timeout"],
    ),
    Scenario(
        "a closed channel is ready",
        (CLOSE_A, select(FROM_A, FROM_B), select(TO_A, FROM_B), select(FROM_B, FROM_A)),
        needs=["close"],
    ),
    Scenario(
        "the close ends selects",
        (select(FROM_A, FROM_B), select(TO_A, TO_B), select(TO_A), CLOSE_A, SEND_B, CLOSE_B),
        needs=["close"],
        arguments=UNBUFFERED,
    ),
    Scenario(
        "the choice is fair", (Step(Start("tally", arguments(rounds=ROUNDS))),), needs=["tally"]
    ),
    Scenario(
        "instances are independent",
        (select(FROM_A, FROM_B), call("send", "a", instance=1), select(FROM_A, instance=1), SEND_A),
        arguments={"instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, arguments=setup, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, setup, steps in (
            (
                "cancel a select",
                {},
                (select(FROM_A, FROM_B, cancel=cancel), Step(Cancel()), SEND_A, SEND_B, RECEIVE_A),
            ),
            (
                "cancel a select, another waits",
                UNBUFFERED,
                (
                    select(FROM_A, TO_B, cancel=cancel),
                    select(FROM_A, FROM_A),
                    Step(Cancel()),
                    RECEIVE_B,
                    SEND_B,
                    SEND_A,
                ),
            ),
            *(
                (
                    f"cancel a select {ticks} steps after its value came",
                    {},
                    (
                        select(FROM_A, FROM_B, cancel=cancel),
                        call("send", "b", ticks),
                        Step(Cancel()),
                        SEND_B,
                        RECEIVE_B,
                    ),
                )
                for ticks in (1, 2)
            ),
        )
    ),
    # Last, since in the world threads nothing ends it.
    Scenario("no case at all", (select(), SEND_A, RECEIVE_A)),
)

PROBE = (
    select(FROM_A, FROM_B, default=True),
    SEND_A,
    select(FROM_A, FROM_B),
)
UNBLOCK = (CLOSE_A, CLOSE_B, Step(Cancel()))
