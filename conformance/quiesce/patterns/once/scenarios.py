"""What is done to a once: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.once.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, Cancel, Inside, Open, Start, Step, Weighted

__all__ = ["PROBE", "RELEASE", "SCENARIOS", "STIMULI"]

CANCELS = (0, 1)
INSTANCES = (0, 0, 0, 1)

STIMULI = (
    Weighted(
        "start_a_caller",
        Start,
        10,
        fixed={"operation": "call"},
        choices={"cancel": CANCELS, "instance": INSTANCES},
    ),
    Weighted(
        "start_a_caller_with_a_function",
        Start,
        5,
        fixed={"operation": "call_own"},
        choices={"cancel": CANCELS, "instance": INSTANCES},
        needs=["own_function"],
    ),
    Weighted(
        "let_a_function_end",
        Open,
        4,
        choices={"which": (0, 1), "outcome": ("value", "value", "none", "error", "error", "error")},
    ),
    Weighted(
        "let_a_function_exit",
        Open,
        3,
        fixed={"outcome": "exit"},
        choices={"which": (0, 1)},
        worlds=("threads",),
    ),
    Weighted("cancel_a_caller", Cancel, 8, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
    Weighted(
        "call_from_inside",
        Inside,
        1,
        fixed={"operation": "call"},
        choices={"which": (0, 1), "instance": (0, 1)},
        needs=["reentrance_error"],
    ),
)


def call(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("call", (), instance, cancel), follow)


def own(follow: int = 0, cancel: int = 0) -> Step:
    return Step(Start("call_own", (), 0, cancel), follow)


VALUE, NONE, ERROR, EXIT = (
    Step(Open(0, outcome)) for outcome in ("value", "none", "error", "exit")
)
INSIDE = Step(Inside(0, "call"))
TWO = {"instances": 2}

SCENARIOS = (
    Scenario("callers wait for one execution", (call(), call(), call(), VALUE, call())),
    Scenario("a burst of callers", (call(NOTHING), call(NOTHING), call(), VALUE, call())),
    Scenario("an execution without a value", (call(), call(), NONE, call())),
    Scenario(
        "a newcomer in the tick of the end", (call(), call(), Step(Open(), 1), call(1), call())
    ),
    Scenario("an error", (call(), call(), call(), ERROR, call(), VALUE, call(), VALUE)),
    Scenario("an error and nobody waits", (call(), ERROR, call(), VALUE, call())),
    Scenario("errors on end", (call(), call(), call(), ERROR, ERROR, ERROR, call(), VALUE)),
    Scenario(
        "a caller in the tick of an error",
        (call(), call(), Step(Open(0, "error"), 1), call(), VALUE, VALUE),
    ),
    Scenario(
        "callers with functions of their own",
        (own(), own(), call(), VALUE, own()),
        needs=["own_function"],
    ),
    Scenario(
        "a burst of own functions",
        (own(NOTHING), own(NOTHING), own(), ERROR, own(), VALUE),
        needs=["own_function"],
    ),
    Scenario(
        "the heir has a function of its own",
        (own(), own(), own(), Step(Cancel(2)), Step(Cancel(0)), VALUE, own()),
        needs=["own_function"],
        worlds=ASYNC,
    ),
    Scenario(
        "objects are independent",
        (
            call(),
            call(instance=1),
            call(instance=1),
            Step(Open(1)),
            call(instance=1),
            VALUE,
            call(),
        ),
        arguments=TWO,
    ),
    Scenario(
        "a function calls another object",
        (call(), Step(Inside(0, "call", (), 1)), VALUE, call(instance=1), VALUE, call()),
        arguments=TWO,
    ),
    Scenario(
        "a function calls its own object",
        (call(), INSIDE, VALUE, call()),
        needs=["reentrance_error"],
    ),
    Scenario(
        "a function calls its own object while others wait",
        (call(), call(), INSIDE, INSIDE, ERROR, VALUE, call()),
        needs=["reentrance_error"],
    ),
    Scenario("an exit", (call(), call(), call(), EXIT, call(), VALUE, call()), worlds=("threads",)),
    Scenario(
        "an exit and nobody waits", (call(), EXIT, call(), VALUE, call()), worlds=("threads",)
    ),
    Scenario(
        "exits and an error",
        (call(), call(), EXIT, EXIT, call(), call(), ERROR, VALUE, call()),
        worlds=("threads",),
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a waiter",
                (call(), call(cancel=cancel), call(), Step(Cancel(1)), call(), VALUE, call()),
            ),
            (
                "cancel the caller that executes",
                (call(cancel=cancel), call(), call(), Step(Cancel(0)), call(), VALUE, call()),
            ),
            (
                "cancel the only caller",
                (call(cancel=cancel), Step(Cancel(0)), call(), VALUE, call()),
            ),
            (
                "cancel the only caller, newcomer at once",
                (call(cancel=cancel), Step(Cancel(0), NOTHING), call(), VALUE),
            ),
            (
                "cancel all",
                (
                    call(cancel=cancel),
                    call(cancel=cancel),
                    Step(Cancel(0), NOTHING),
                    Step(Cancel(1)),
                    call(),
                    VALUE,
                ),
            ),
            (
                "cancel whoever takes over",
                (
                    call(cancel=cancel),
                    call(cancel=cancel),
                    call(),
                    Step(Cancel(0)),
                    Step(Cancel(0)),
                    VALUE,
                ),
            ),
            (
                "cancel the heir at once",
                (
                    call(cancel=cancel),
                    call(cancel=cancel),
                    call(),
                    Step(Cancel(0), 1),
                    Step(Cancel(1)),
                    VALUE,
                ),
            ),
            (
                "cancel the executing caller as it ends",
                (
                    call(cancel=cancel),
                    call(),
                    Step(Open(), NOTHING),
                    Step(Cancel(0)),
                    call(),
                    VALUE,
                ),
            ),
            (
                "cancel the executing caller as it fails",
                (
                    call(cancel=cancel),
                    call(),
                    Step(Open(0, "error"), 1),
                    Step(Cancel(0)),
                    call(),
                    VALUE,
                ),
            ),
            (
                "cancel a waiter as it ends",
                (call(), call(cancel=cancel), Step(Open(), 1), Step(Cancel(1)), call(), VALUE),
            ),
            (
                "cancel before the first step",
                (call(NOTHING, cancel), Step(Cancel(0)), call(), VALUE),
            ),
        )
    ),
)

PROBE = (call(), VALUE, call())

#: Without a value, for that is rightly kept; and one object's error, retried if it must be.
RELEASE = (
    call(),
    call(),
    NONE,
    call(instance=1),
    call(instance=1),
    ERROR,
    call(instance=1),
    NONE,
)
