"""How fan-out is exercised: drawn stimuli, fixed scenarios, and the probe after each trial."""

from __future__ import annotations

from quiesce.patterns.fan_out.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, Cancel, Open, Start, Step, Weighted, arguments

__all__ = ["PROBE", "SCENARIOS", "STIMULI"]

CANCELS = (0, 1)
INPUTS = ((0, 1, 2), (0, 1), (0,), ())

STIMULI = (
    Weighted(
        "map_inputs",
        Start,
        6,
        fixed={"operation": "map_concurrent"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
        operands={"items": INPUTS, "limit": (2, 1, 3)},
    ),
    Weighted(
        "race_for_a_success",
        Start,
        3,
        fixed={"operation": "first_success"},
        choices={"cancel": CANCELS},
        operands={"items": ((0, 1), (0, 1, 2), (0,))},
        needs=["first_success"],
    ),
    Weighted(
        "let_a_function_end",
        Open,
        12,
        choices={"which": (0, 1, 2), "outcome": ("value", "value", "value", "none", "error")},
    ),
    Weighted(
        "let_a_function_blow_up",
        Open,
        1,
        choices={"which": (0, 1), "outcome": ("exit", "panic")},
        needs=["exit"],
        worlds=("threads",),
    ),
    Weighted("cancel_a_caller", Cancel, 2, choices={"which": (0, 1)}, worlds=ASYNC),
)


def fan(inputs: int, limit: int = 3, follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    operands = arguments(items=tuple(range(inputs)), limit=limit)
    return Step(Start("map_concurrent", operands, instance, cancel), follow)


def race(inputs: int, cancel: int = 0) -> Step:
    operands = arguments(items=tuple(range(inputs)))
    return Step(Start("first_success", operands, cancel=cancel))


def end(which: int = 0, outcome: str = "value", follow: int = 0) -> Step:
    return Step(Open(which, outcome), follow)


SCENARIOS = (
    Scenario("results by input, ends in another order", (fan(3), end(2), end(0), end(0, "none"))),
    Scenario(
        "all end in one burst", (fan(3), end(2, follow=NOTHING), end(1, follow=NOTHING), end())
    ),
    Scenario("a limit", (fan(3, limit=2), end(1), end(1), end())),
    Scenario("one at a time", (fan(3, limit=1), end(), end(), end()), worlds=ASYNC),
    Scenario("no inputs", (fan(0), fan(1), end())),
    Scenario("two calls at once", (fan(2, limit=1), fan(2, limit=1), end(1), end(0), end(), end())),
    Scenario(
        "instances are independent",
        (fan(2), fan(2, instance=1), end(2), end(2), fan(1, instance=1), end(2), end(), end()),
        arguments={"instances": 2},
    ),
    Scenario("the second fails", (fan(3), end(1, "error"), end(0), end())),
    Scenario("one fails with inputs left", (fan(3, limit=2), end(0, "error"), end(0), end())),
    Scenario("one fails, one at a time", (fan(2, limit=1), end(0, "error"), end())),
    Scenario(
        "two fail one after the other",
        (fan(3), end(1, "error"), end(0, "error"), end()),
    ),
    Scenario("two fail at once", (fan(2), end(1, "error", NOTHING), end(0, "error"))),
    Scenario(
        "an exit request",
        (fan(2), end(1, "exit"), end(), fan(1), end(0, "panic")),
        needs=["exit"],
        worlds=("threads",),
    ),
    Scenario("the first success", (race(3), end(1), end(), end()), needs=["first_success"]),
    Scenario(
        "a failure is no success",
        (race(2), end(0, "error"), end(0, "none")),
        needs=["first_success"],
        worlds=ASYNC,
    ),
    Scenario(
        "no success",
        (race(2), end(1, "error"), end(0, "error")),
        needs=["first_success"],
    ),
    *(
        Scenario(f"{words} ({kind})", steps, needs, ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps, needs in (
            ("cancel", (fan(3, limit=2, cancel=cancel), end(), Step(Cancel()), fan(1), end()), ()),
            (
                "cancel as one ends",
                (fan(2, limit=1, cancel=cancel), end(follow=1), Step(Cancel()), end()),
                (),
            ),
            (
                "cancel as one fails",
                (fan(2, cancel=cancel), end(0, "error", NOTHING), Step(Cancel()), end()),
                (),
            ),
            (
                "cancel before the first step",
                (fan(2, cancel=cancel, follow=NOTHING), Step(Cancel()), end()),
                (),
            ),
            ("cancel a race", (race(2, cancel), Step(Cancel()), end()), ("first_success",)),
        )
    ),
)

PROBE = (fan(2, limit=1), end(), end())
