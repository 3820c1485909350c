"""What is done to an object pool: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.object_pool.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, Cancel, Inside, Open, Start, Step, Weighted, arguments

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)
WHICH = (0, 1, 2)
ENDS = ("value", "value", "value", "error")

STIMULI = (
    Weighted(
        "get",
        Start,
        8,
        fixed={"operation": "get"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
    ),
    Weighted("put", Start, 6, fixed={"operation": "put"}, operands={"which": WHICH}),
    Weighted("put_none", Start, 1, fixed={"operation": "put_none"}, needs=["none"]),
    Weighted("put_a_stranger", Start, 1, fixed={"operation": "put_stranger"}, needs=["checked"]),
    Weighted(
        "use",
        Start,
        4,
        fixed={"operation": "use"},
        choices={"cancel": CANCELS},
        needs=["scoped"],
    ),
    Weighted("trim", Start, 1, fixed={"operation": "trim"}, needs=["trim"]),
    Weighted("close", Start, 1, fixed={"operation": "close"}, needs=["close"]),
    Weighted("let_a_function_end", Open, 12, choices={"which": WHICH, "outcome": ENDS}),
    Weighted("cancel_a_caller", Cancel, 4, choices={"which": WHICH}, worlds=ASYNC),
    Weighted("get_from_inside", Inside, 1, fixed={"operation": "get"}, choices={"which": (0, 1)}),
)


def get(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("get", (), instance, cancel), follow)


def put(which: int = 0, follow: int = 0) -> Step:
    return Step(Start("put", arguments(which=which)), follow)


def use(cancel: int = 0) -> Step:
    return Step(Start("use", (), cancel=cancel))


END, FAIL = Step(Open()), Step(Open(0, "error"))
NONE, STRANGER = Step(Start("put_none")), Step(Start("put_stranger"))
TRIM, CLOSE = Step(Start("trim")), Step(Start("close"))
#: Ends every function that may wait; a step that is not possible is skipped.
ENDS_ALL = (END, END)

SCENARIOS = (
    Scenario("an object is lent again", (get(), END, put(), END, get(), END, put(1), END)),
    Scenario(
        "two holders",
        (get(), get(), END, END, put(), END, get(), END, put(1), END),
        arguments={"bound": 2},
    ),
    Scenario("a race for one idle object", (get(), END, put(), END, get(NOTHING), get(), END, END)),
    Scenario(
        "a race of get and put",
        (get(), END, put(0, NOTHING), get(), END, END),
        arguments={"bound": 2},
    ),
    Scenario("None is put", (NONE, get(), END), needs=["none"]),
    Scenario(
        "a reset fails",
        (get(), END, put(), FAIL, get(), END, put(1), END, get(), END),
        needs=["reset"],
        arguments={"bound": 1},
    ),
    Scenario(
        "an object is put twice",
        (get(), END, put(), END, put(), get(), get(), END, END),
        needs=["checked"],
        arguments={"bound": 2},
    ),
    Scenario("a stranger is put", (STRANGER, get(), END), needs=["checked"]),
    Scenario(
        "trim", (get(), END, put(), END, TRIM, get(), END, put(1), END, get(), END), needs=["trim"]
    ),
    Scenario(
        "the factory fails",
        (get(), get(), FAIL, END, put(), END, get(), FAIL, get(), END),
        arguments={"bound": 1},
        needs=["bound"],
    ),
    Scenario(
        "callers wait at the bound",
        (get(), END, get(), get(), put(), *ENDS_ALL, put(1), *ENDS_ALL, get()),
        arguments={"bound": 1},
        needs=["bound"],
    ),
    Scenario(
        "scoped use",
        (use(), END, END, END, use(), FAIL, use(), END, FAIL, END, get(), END, get(), END),
        needs=["scoped"],
        arguments={"bound": 1},
    ),
    Scenario(
        "two holders after scoped use",
        (use(), END, END, END, get(), get(), END, END),
        needs=["scoped"],
    ),
    Scenario(
        "close while callers wait",
        (get(), END, get(), CLOSE, put(), END, get(), CLOSE),
        needs=["close", "bound"],
        arguments={"bound": 1},
    ),
    Scenario(
        "close with idle objects",
        (get(), get(), END, END, put(), END, CLOSE, get(), put(1), get()),
        needs=["close"],
    ),
    Scenario("get from inside the factory", (get(), Step(Inside(0, "get")), Step(Open(1)), END)),
    Scenario(
        "pools are independent",
        (get(), get(instance=1), END, get(instance=1), END, put(), END),
        arguments={"instances": 2, "bound": 1},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC, needs=needs, arguments={"bound": 1})
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, needs, steps in (
            (
                "cancel a get that waits",
                ["bound"],
                (get(), END, get(cancel=cancel), get(), Step(Cancel()), put(), *ENDS_ALL),
            ),
            (
                "cancel a get as its object comes",
                ["bound"],
                (
                    get(),
                    END,
                    get(cancel=cancel),
                    get(),
                    put(0, NOTHING),
                    Step(Cancel(), NOTHING),
                    Step(Open()),
                    *ENDS_ALL,
                ),
            ),
            (
                "cancel a get one step after the hand-over",
                ["bound"],
                (
                    get(),
                    END,
                    get(cancel=cancel),
                    get(),
                    put(),
                    Step(Open(), 1),
                    Step(Cancel()),
                    END,
                ),
            ),
            ("cancel a get that makes", [], (get(cancel=cancel), Step(Cancel()), get(), END)),
            (
                "cancel a use",
                ["scoped"],
                (use(cancel=cancel), END, Step(Cancel()), *ENDS_ALL, get(), END),
            ),
            (
                "cancel a use as it ends",
                ["scoped"],
                (use(cancel=cancel), END, Step(Open(), NOTHING), Step(Cancel()), END, get(), END),
            ),
        )
    ),
)

PROBE = (get(), END)
UNBLOCK = (put(0), put(1), put(2), put(3), CLOSE, Step(Cancel()))
