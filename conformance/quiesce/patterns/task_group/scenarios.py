"""What is done to a task group: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.task_group.clauses import ASYNC
from quiesce.stimuli import NOTHING, Cancel, Inside, Open, Start, Step, Weighted, arguments

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)
WHICH = (0, 1, 2)
INSTANCES = (0, 0, 0, 1)


def starts(name: str, weight: int, *needs: str) -> Weighted:
    """A stimulus that starts a caller of an operation without arguments."""
    return Weighted(
        name,
        Start,
        weight,
        fixed={"operation": name},
        choices={"cancel": CANCELS, "instance": INSTANCES},
        needs=needs,
    )


STIMULI = (
    starts("run", 6, "run"),
    starts("go", 8),
    starts("try_go", 3, "try"),
    starts("go_then_look", 2, "look"),
    starts("wait", 4, "wait"),
    starts("look", 2, "look"),
    starts("go_now", 1, "immediate"),
    starts("fail_now", 1, "immediate"),
    starts("unclosed", 1, "coroutines"),
    Weighted(
        "set_limit",
        Start,
        2,
        fixed={"operation": "set_limit"},
        operands={"limit": (1, 2, None)},
        needs=["set_limit"],
    ),
    Weighted(
        "cancel_a_child",
        Start,
        3,
        fixed={"operation": "cancel_child"},
        operands={"which": WHICH},
        needs=["cancel_child"],
        worlds=ASYNC,
    ),
    Weighted(
        "let_a_function_end",
        Open,
        12,
        choices={"which": WHICH, "outcome": ("value", "value", "none", "error", "error")},
    ),
    Weighted(
        "let_a_function_blow_up",
        Open,
        1,
        choices={"which": (0, 1), "outcome": ("exit", "panic")},
    ),
    Weighted("cancel_a_caller", Cancel, 4, choices={"which": WHICH}, worlds=ASYNC),
    Weighted("start_from_inside", Inside, 2, fixed={"operation": "go"}, choices={"which": WHICH}),
)


def call(operation: str, follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start(operation, (), instance, cancel), follow)


def end(which: int = 0, outcome: str = "value", follow: int = 0) -> Step:
    return Step(Open(which, outcome), follow)


def limit(value: int | None) -> Step:
    return Step(Start("set_limit", arguments(limit=value)))


def child(which: int = 0, follow: int = 0) -> Step:
    return Step(Start("cancel_child", arguments(which=which)), follow)


GO, TRY, WAIT, LOOK, RUN = map(call, ("go", "try_go", "wait", "look", "run"))
END, FAIL = end(), end(0, "error")
INSIDE = Step(Inside(0, "go"))
ONE, TWO = {"limit": 1}, {"limit": 2}

PLAIN = (
    Scenario("a wait ends with the last function", (GO, GO, WAIT, END, END)),
    Scenario("the first error in time", (GO, GO, WAIT, end(1, "error"), FAIL, WAIT)),
    Scenario("two fail in one tick", (GO, GO, WAIT, end(0, "error", NOTHING), FAIL)),
    Scenario("several wait", (GO, WAIT, call("wait", NOTHING), WAIT, FAIL)),
    Scenario("a start in the tick of the end", (GO, WAIT, end(0, "value", 2), GO, END, WAIT)),
    Scenario("used again after an error", (GO, WAIT, FAIL, GO, WAIT, END, WAIT)),
    Scenario("started from inside", (GO, WAIT, INSIDE, END, END)),
    Scenario(
        "started from inside a full group", (GO, INSIDE, WAIT), needs=["limit"], arguments=ONE
    ),
    Scenario(
        "an error and starts that wait",
        (GO, GO, WAIT, FAIL, END, WAIT),
        needs=["limit"],
        arguments=ONE,
    ),
    Scenario("the scope", (LOOK, GO, GO, FAIL, LOOK, WAIT, END, LOOK), needs=["look"]),
    Scenario("the scope after success", (GO, LOOK, WAIT, END, LOOK), needs=["look"]),
    Scenario(
        "a slot that an error frees",
        (GO, call("go_then_look"), FAIL, END, WAIT),
        needs=["look", "limit"],
        arguments=ONE,
    ),
    Scenario(
        "the limit changes",
        (GO, limit(1), GO, END, END, WAIT, limit(1), GO, GO, limit(2), END, END, WAIT),
        needs=["set_limit"],
    ),
    Scenario("blown up", (GO, WAIT, end(0, "panic"))),
    Scenario("exit", (GO, WAIT, end(0, "exit"))),
    Scenario("cancel one who waits", (GO, WAIT, WAIT, Step(Cancel(0)), END), worlds=ASYNC),
)

BOTH = (
    Scenario(
        "starts at the limit",
        (RUN, GO, GO, GO, end(-1), end(-1), end(-1), WAIT, END),
        needs=["limit"],
        arguments=ONE,
    ),
    Scenario(
        "two slots, and a try",
        (RUN, GO, TRY, TRY, GO, end(-1), TRY, end(-1), end(-1), END, WAIT),
        needs=["limit", "try"],
        arguments=TWO,
    ),
    Scenario(
        "a try in the tick of the end",
        (RUN, GO, call("go", NOTHING), end(-1, "value", 2), TRY, end(-1), end(-1), END, WAIT),
        needs=["limit", "try"],
        arguments=ONE,
    ),
    Scenario("the limit 0", (RUN, TRY, GO, END, WAIT), arguments={"limit": 0}),
    Scenario(
        "a negative limit", (RUN, GO, GO, GO, END, END, END, END, WAIT), arguments={"limit": -1}
    ),
    Scenario(
        "a start that waits is cancelled",
        (RUN, GO, GO, Step(Cancel(-1)), end(-1), GO, end(-1), END, WAIT),
        needs=["limit"],
        worlds=ASYNC,
        arguments=ONE,
    ),
    Scenario(
        "a start is cancelled as it gets its slot",
        (RUN, GO, GO, end(-1, "value", NOTHING), Step(Cancel(-1)), GO, end(-1), END, WAIT),
        needs=["limit"],
        worlds=ASYNC,
        arguments=ONE,
    ),
    Scenario(
        "instances are independent",
        (RUN, call("run", instance=1), GO, call("go", instance=1), call("go", instance=1), END),
        arguments={"instances": 2},
    ),
)

STRUCTURED = (
    Scenario("the block waits for its children", (RUN, GO, GO, END, END, END)),
    Scenario("the body ends last", (RUN, GO, end(1), END)),
    Scenario("a child fails", (RUN, GO, GO, end(1, "error"), RUN, END)),
    Scenario("a child fails after the body", (RUN, GO, GO, END, FAIL, RUN, END)),
    Scenario("the body fails", (RUN, GO, GO, FAIL, RUN, END)),
    Scenario("a child blows up", (RUN, GO, GO, end(1, "panic"), RUN, END)),
    Scenario("a child exits", (RUN, GO, GO, end(1, "exit"), RUN, END)),
    Scenario("the body exits", (RUN, GO, end(0, "exit"), RUN, END)),
    Scenario(
        "two fail in one tick in a block",
        (RUN, GO, GO, GO, end(1, "error", NOTHING), end(1, "error")),
    ),
    Scenario("body and child fail in one tick", (RUN, GO, GO, end(0, "error", NOTHING), FAIL)),
    Scenario("a start after the end", (GO, RUN, END, GO)),
    Scenario(
        "a start in the tick of an end in a block", (RUN, GO, END, end(0, "value", 1), GO, END)
    ),
    Scenario("a start in the tick of the body's end", (RUN, end(0, "value", NOTHING), GO, END)),
    Scenario(
        "a start into an aborting group",
        (RUN, GO, end(1, "error", 2), call("go", NOTHING), GO, call("unclosed")),
    ),
    Scenario(
        "starts that wait when the group aborts",
        (RUN, GO, GO, GO, end(1, "error"), RUN, END),
        needs=["limit"],
        arguments=ONE,
    ),
    Scenario("started from inside the body", (RUN, INSIDE, END, END)),
    Scenario("started from inside a child", (RUN, GO, END, INSIDE, END, END)),
    Scenario("started from inside, and it fails", (RUN, INSIDE, INSIDE, end(1, "error"))),
    Scenario("one child is cancelled", (RUN, GO, GO, child(), END, END), needs=["cancel_child"]),
    Scenario(
        "one child is cancelled before it begins",
        (RUN, call("go", 1), child(), END),
        needs=["cancel_child"],
    ),
    Scenario(
        "the last child is cancelled", (RUN, GO, END, child(0, NOTHING), GO), needs=["cancel_child"]
    ),
    Scenario("a child that ends at once", (RUN, call("go_now"), GO, END, END), needs=["immediate"]),
    Scenario(
        "a child that fails at once", (RUN, GO, call("fail_now"), RUN, END), needs=["immediate"]
    ),
    Scenario(
        "a child that fails at once, after the body",
        (RUN, GO, END, call("fail_now"), RUN, END),
        needs=["immediate"],
    ),
    *(
        Scenario(f"{words} ({kind})", (call("run", cancel=cancel), *steps), worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            ("the body is cancelled", (GO, GO, Step(Cancel()), RUN, END)),
            ("the block is cancelled after its body", (GO, END, Step(Cancel()), RUN, END)),
            (
                "cancelled, and a start in the same tick",
                (GO, END, Step(Cancel(), 1), GO, RUN, END),
            ),
            (
                "cancelled as a child fails",
                (GO, GO, end(1, "error", NOTHING), Step(Cancel()), RUN, END),
            ),
            ("cancelled as the last child ends", (GO, END, end(0, "value", 1), Step(Cancel()))),
        )
    ),
)


def of_kind(kind: str, scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """The scenarios, for groups of that kind only."""
    return tuple(
        Scenario(each.name, each.steps, each.needs | {kind}, each.worlds, each.arguments)
        for each in scenarios
    )


SCENARIOS = (*of_kind("wait", PLAIN), *of_kind("run", STRUCTURED), *BOTH)
PROBE = (call("unclosed"), RUN, GO, END, END, WAIT)
UNBLOCK = (Step(Cancel()),)
