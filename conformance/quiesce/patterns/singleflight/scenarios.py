"""What is done to a singleflight: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.singleflight.clauses import ASYNC
from quiesce.stimuli import NOTHING, Cancel, Inside, Open, Start, Step, Weighted, arguments

__all__ = ["PROBE", "RELEASE", "SCENARIOS", "STIMULI"]

KEYS = ("a", "b")
CANCELS = (0, 1)

STIMULI = (
    Weighted(
        "start_a_caller",
        Start,
        10,
        fixed={"operation": "do"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
        operands={"key": ("a", "a", "a", "b")},
    ),
    Weighted(
        "start_a_caller_with_a_future",
        Start,
        3,
        fixed={"operation": "do_future"},
        choices={"cancel": CANCELS},
        operands={"key": KEYS},
        needs=["future"],
    ),
    Weighted(
        "start_and_never_read_the_future",
        Start,
        1,
        fixed={"operation": "do_future_unread"},
        operands={"key": KEYS},
        needs=["future"],
    ),
    Weighted(
        "forget", Start, 2, fixed={"operation": "forget"}, operands={"key": KEYS}, needs=["forget"]
    ),
    Weighted(
        "let_a_function_end",
        Open,
        7,
        choices={"which": (0, 1, 2), "outcome": ("value", "value", "none", "error", "error")},
    ),
    Weighted(
        "let_a_function_blow_up",
        Open,
        2,
        choices={"which": (0, 1), "outcome": ("exit", "panic")},
        needs=["exit"],
        worlds=("threads",),
    ),
    Weighted("cancel_a_caller", Cancel, 7, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
    Weighted(
        "call_from_inside",
        Inside,
        1,
        fixed={"operation": "do"},
        choices={"which": (0, 1)},
        operands={"key": ("b", "a")},
        needs=["reentrance_error"],
    ),
)


def do(key: str = "a", follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("do", arguments(key=key), instance, cancel), follow)


def future(key: str = "a", follow: int = 0) -> Step:
    return Step(Start("do_future", arguments(key=key)), follow)


FORGET = Step(Start("forget", arguments(key="a")))
VALUE, ERROR, EXIT = Step(Open()), Step(Open(0, "error")), Step(Open(0, "exit"))
PANIC = Step(Open(0, "panic"))

SCENARIOS = (
    Scenario("joiners share a value", (do(), do(), do(), VALUE, do(), VALUE)),
    Scenario("joiners share nothing", (do(), do(), Step(Open(0, "none")), do(), VALUE)),
    Scenario("joiners share an error", (do(), do(), ERROR, do(), do(), VALUE)),
    Scenario(
        "a burst of callers", (do("a", NOTHING), do("a", NOTHING), do("a", NOTHING), do(), VALUE)
    ),
    Scenario(
        "a newcomer in the tick of the end",
        (do(), do(), Step(Open(), 1), do("a", 1), do(), VALUE, VALUE),
    ),
    Scenario(
        "a newcomer in the tick of the answer",
        (do(), do(), Step(Open(), 4), do("a", 2), do(), VALUE, VALUE),
    ),
    Scenario("keys are independent", (do("a"), do("b"), Step(Open(1)), do("b"), VALUE, VALUE)),
    Scenario(
        "instances are independent",
        (do("a"), do("a", instance=1), Step(Open(1)), do("a", instance=1), VALUE, VALUE),
        arguments={"instances": 2},
    ),
    Scenario("forget", (do(), do(), FORGET, do(), VALUE, do(), VALUE), needs=["forget"]),
    Scenario(
        "forget, the new one ends first",
        (do(), FORGET, do(), Step(Open(1)), do(), VALUE, VALUE),
        needs=["forget"],
    ),
    Scenario("a future", (do(), future(), VALUE, future(), ERROR), needs=["future"]),
    Scenario(
        "a future that nobody reads",
        (Step(Start("do_future_unread", arguments(key="a"))), do(), VALUE),
        needs=["future"],
    ),
    Scenario("exit", (do(), do(), EXIT, do(), VALUE), needs=["exit"], worlds=("threads",)),
    Scenario("blow up", (do(), do(), PANIC, do(), VALUE), needs=["exit"], worlds=("threads",)),
    Scenario(
        "blow up with a future",
        (do(), future(), EXIT, future(), EXIT, do(), VALUE),
        needs=["exit", "future"],
        worlds=("threads",),
    ),
    Scenario(
        "call from inside with another key",
        (do("a"), Step(Inside(0, "do", arguments(key="b"))), Step(Open(1)), VALUE),
    ),
    Scenario(
        "call from inside with the same key",
        (do("a"), Step(Inside(0, "do", arguments(key="a"))), VALUE, do(), VALUE),
        needs=["reentrance_error"],
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            ("cancel a joiner", (do(), do(cancel=cancel), Step(Cancel(1)), do(), VALUE)),
            ("cancel the leader", (do(cancel=cancel), do(), Step(Cancel(0)), do(), VALUE)),
            ("cancel the last", (do(cancel=cancel), Step(Cancel(0)), do(), VALUE)),
            (
                "cancel the last, newcomer at once",
                (do(cancel=cancel), Step(Cancel(0), NOTHING), do(), VALUE),
            ),
            (
                "cancel all",
                (
                    do(cancel=cancel),
                    do(cancel=cancel),
                    Step(Cancel(0), NOTHING),
                    Step(Cancel(1)),
                    do(),
                    VALUE,
                ),
            ),
            (
                "cancel the leader as it ends",
                (do(cancel=cancel), do(), Step(Open(), NOTHING), Step(Cancel(0)), do(), VALUE),
            ),
            (
                "cancel a joiner as it ends",
                (do(), do(cancel=cancel), Step(Open(), 1), Step(Cancel(1)), do(), VALUE),
            ),
            (
                "cancel before the first step",
                (do(cancel=cancel, follow=NOTHING), Step(Cancel(0)), do(), VALUE),
            ),
        )
    ),
)

PROBE = (do("a"), VALUE, do("b"), VALUE)
RELEASE = (do(), do(), VALUE)
