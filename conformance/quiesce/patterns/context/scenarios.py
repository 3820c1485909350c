"""What is done to a tree of scopes: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quiesce.patterns.context.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, SETTLE, Advance, Cancel, Open, Start, Step, Weighted, arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["CANCELLABLE", "PROBE", "RELEASE", "SCENARIOS", "SCOPES", "STIMULI", "UNBLOCK"]

#: The operations that make a scope, and those whose scopes can be cancelled.
CANCELLABLE = ("with_cancel", "with_deadline")
SCOPES = ("background", *CANCELLABLE, "with_value", "without_cancel")

WHICH = tuple(range(6))
FLAGS = (False, True)

STIMULI = (
    Weighted("look_at_the_root", Start, 2, fixed={"operation": "background"}),
    Weighted(
        "make_a_child",
        Start,
        8,
        fixed={"operation": "with_cancel"},
        choices={"instance": (0, 0, 0, 1)},
        operands={"which": WHICH},
    ),
    Weighted(
        "make_a_child_with_a_deadline",
        Start,
        4,
        fixed={"operation": "with_deadline"},
        operands={"which": WHICH, "delay": (1_000, 2_000, 5_000, 0, -1), "caused": FLAGS},
        needs=["deadlines"],
    ),
    Weighted(
        "bind_a_value",
        Start,
        3,
        fixed={"operation": "with_value"},
        operands={"which": WHICH, "key": ("a", "b"), "empty": (False, False, True)},
        needs=["values"],
    ),
    Weighted(
        "detach",
        Start,
        2,
        fixed={"operation": "without_cancel"},
        operands={"which": WHICH},
        needs=["detached"],
    ),
    Weighted(
        "cancel_a_scope",
        Start,
        7,
        fixed={"operation": "cancel"},
        operands={"which": WHICH, "caused": FLAGS},
    ),
    Weighted("look", Start, 8, fixed={"operation": "look"}, operands={"which": WHICH}),
    Weighted(
        "wait",
        Start,
        4,
        fixed={"operation": "wait"},
        choices={"cancel": (0, 1)},
        operands={"which": WHICH, "timeout": (1_000, 3_000, 0)},
        needs=["wait"],
    ),
    Weighted(
        "ask_for_the_deadline",
        Start,
        1,
        fixed={"operation": "deadline"},
        operands={"which": WHICH},
        needs=["shown_deadline"],
    ),
    Weighted(
        "ask_for_a_value",
        Start,
        2,
        fixed={"operation": "value"},
        operands={"which": WHICH, "key": ("a", "b")},
        needs=["values"],
    ),
    Weighted(
        "register_a_callback",
        Start,
        4,
        fixed={"operation": "after"},
        operands={"which": WHICH},
        needs=["callbacks"],
    ),
    Weighted(
        "stop_a_callback",
        Start,
        3,
        fixed={"operation": "stop"},
        operands={"which": (0, 1, 2)},
        needs=["callbacks"],
    ),
    Weighted("let_a_callback_end", Open, 3, choices={"which": (0, 1)}, needs=["callbacks"]),
    Weighted("cancel_a_wait", Cancel, 3, choices={"which": (0, 1)}, worlds=ASYNC),
    Weighted("move_the_clock", Advance, 4, choices={"which": (0, 1), "offset": (0, 0, -1)}),
)


class Names:
    """Finds the scopes of a scenario by the names that it gives them."""

    def __init__(self) -> None:
        self.scopes: dict[str, str] = {}  # name -> the operation that made it
        self.callbacks: list[str] = []

    def among(self, name: str, operations: tuple[str, ...] = SCOPES) -> int:
        """The ``which`` of a scope, among those that these operations made."""
        named = [each for each, made_by in self.scopes.items() if made_by in operations]
        return named.index(name)


def script(*lines: Callable[[Names], Step]) -> tuple[Step, ...]:
    """The steps of a scenario that is written with names."""
    names = Names()
    return tuple(line(names) for line in lines)


def make(
    operation: str, name: str, of: str, follow: int = SETTLE, **given: Any
) -> Callable[[Names], Step]:
    def line(names: Names) -> Step:
        step = Step(Start(operation, arguments(which=names.among(of), **given)), follow)
        names.scopes[name] = operation
        return step

    return line


def root(name: str = "r", instance: int = 0) -> Callable[[Names], Step]:
    def line(names: Names) -> Step:
        names.scopes[name] = "background"
        return Step(Start("background", (), instance))

    return line


def child(name: str, of: str = "r", follow: int = SETTLE) -> Callable[[Names], Step]:
    return make("with_cancel", name, of, follow)


def timed(
    name: str, of: str, delay: int, caused: bool = False, follow: int = SETTLE
) -> Callable[[Names], Step]:
    return make("with_deadline", name, of, follow, delay=delay, caused=caused)


def bind(name: str, of: str, key: str = "a", empty: bool = False) -> Callable[[Names], Step]:
    return make("with_value", name, of, key=key, empty=empty)


def detach(name: str, of: str) -> Callable[[Names], Step]:
    return make("without_cancel", name, of)


def cancel(name: str, caused: bool = True, follow: int = SETTLE) -> Callable[[Names], Step]:
    def line(names: Names) -> Step:
        which = names.among(name, CANCELLABLE)
        return Step(Start("cancel", arguments(which=which, caused=caused)), follow)

    return line


def ask(
    operation: str, name: str, follow: int = SETTLE, by: int = 0, **given: Any
) -> Callable[[Names], Step]:
    def line(names: Names) -> Step:
        which = names.among(name)
        return Step(Start(operation, arguments(which=which, **given), cancel=by), follow)

    return line


def look(*named: str) -> Iterable[Callable[[Names], Step]]:
    return [ask("look", name) for name in named]


def wait(
    name: str, timeout: int | None = None, follow: int = SETTLE, by: int = 0
) -> Callable[[Names], Step]:
    return ask("wait", name, follow, by, timeout=timeout)


def after(callback: str, name: str, follow: int = SETTLE) -> Callable[[Names], Step]:
    def line(names: Names) -> Step:
        names.callbacks.append(callback)
        return ask("after", name, follow)(names)

    return line


def stop(callback: str, follow: int = SETTLE) -> Callable[[Names], Step]:
    def line(names: Names) -> Step:
        which = names.callbacks.index(callback)
        return Step(Start("stop", arguments(which=which)), follow)

    return line


def do(stimulus: Open | Cancel | Advance, follow: int = SETTLE) -> Callable[[Names], Step]:
    return lambda _: Step(stimulus, follow)


END = do(Open())
DUE = do(Advance("next"))


def by(offset: int) -> Callable[[Names], Step]:
    return do(Advance("by", 0, offset))


DEADLINES = ["deadlines"]
CALLBACKS = ["callbacks"]

SCENARIOS = (
    Scenario(
        "an end reaches descendants only",
        script(
            root(), child("a"), child("b", "a"), child("c", "b"), child("sibling"),
            cancel("a"), *look("a", "b", "c", "r", "sibling"),
        ),
    ),
    Scenario(
        "the first cancellation decides",
        script(
            root(), child("a"), child("b", "a"), cancel("b"), cancel("a", caused=False),
            cancel("a"), *look("b", "a"), cancel("b"), *look("b"),
        ),
    ),
    Scenario(
        "a child of a done scope",
        script(root(), child("a"), cancel("a"), child("b", "a"), child("c", "b"), *look("b", "c")),
    ),
    Scenario(
        "a creation races with the cancellation",
        script(root(), child("a"), child("b", "a", NOTHING), cancel("a"), *look("b")),
    ),
    Scenario(
        "two cancellations race",
        script(
            root(), child("a"), child("b", "a"), cancel("b", True, NOTHING), cancel("a"),
            *look("a", "b"),
        ),
    ),
    Scenario(
        "looks race with the cancellation",
        script(
            root(), child("a"), child("b", "a"), cancel("a", True, NOTHING),
            ask("look", "a", NOTHING), ask("look", "b"), *look("b"),
        ),
    ),
    Scenario(
        "waits end with the scope",
        script(root(), child("a"), child("b", "a"), wait("a"), wait("b"), wait("b"), cancel("a"),
               wait("b")),
    ),
    Scenario(
        "a wait races with the cancellation",
        script(root(), child("a"), wait("a", None, NOTHING), cancel("a", True, NOTHING),
               wait("a", 0)),
    ),
    Scenario(
        "a wait that gives up",
        script(root(), child("a"), wait("a", 1_000), wait("a", 2_000), DUE, *look("a"),
               cancel("a")),
    ),
    Scenario(
        "scopes that only hold values",
        script(
            root(), child("a"), bind("v", "a"), child("b", "v"), bind("w", "b", "b"), wait("w"),
            cancel("a"), *look("v", "b", "w"), ask("value", "w", key="a"),
        ),
        needs=["values"],
    ),
    Scenario(
        "the nearest binding wins",
        script(
            root(), bind("v", "r"), bind("w", "v"), bind("x", "w", "a", empty=True),
            ask("value", "w", key="a"), ask("value", "x", key="a"), ask("value", "v", key="a"),
            ask("value", "v", key="b"),
        ),
        needs=["values"],
    ),
    Scenario(
        "a detached scope",
        script(
            root(), timed("a", "r", 1_000), detach("d", "a"), child("b", "d"),
            ask("deadline", "d"), cancel("a"), *look("d", "b"), detach("e", "a"), *look("e"),
        ),
        needs=["detached", "deadlines"],
    ),
    Scenario(
        "a detached scope keeps values",
        script(root(), child("a"), bind("v", "a"), detach("d", "v"), cancel("a"),
               ask("value", "d", key="a"), *look("d")),
        needs=["detached", "values"],
    ),
    Scenario(
        "a deadline",
        script(root(), timed("a", "r", 1_000), child("b", "a"), wait("b"), by(999), *look("a"),
               by(1), *look("a", "b"), cancel("a"), *look("a")),
        needs=DEADLINES,
    ),
    Scenario(
        "a deadline with a cause",
        script(root(), timed("a", "r", 1_000, caused=True), child("b", "a"), DUE,
               *look("a", "b")),
        needs=DEADLINES,
    ),
    Scenario(
        "cancelled before its deadline",
        script(root(), timed("a", "r", 1_000, caused=True), wait("a"), cancel("a"), by(1_000),
               *look("a")),
        needs=DEADLINES,
    ),
    Scenario(
        "the own deadline after the parent's end",
        script(root(), child("a"), timed("b", "a", 1_000), cancel("a"), *look("b"), by(1_000),
               *look("b")),
        needs=DEADLINES,
    ),
    Scenario(
        "the earlier deadline of two",
        script(
            root(), timed("a", "r", 1_000, caused=True), timed("b", "a", 5_000),
            timed("c", "a", 500), ask("deadline", "b"), ask("deadline", "c"), DUE, *look("a", "c"),
            DUE, *look("b"),
        ),
        needs=DEADLINES,
    ),
    Scenario(
        "a deadline that is past",
        script(
            root(), timed("a", "r", 0, caused=True), timed("b", "r", -1), *look("a", "b"),
            cancel("a"), *look("a"), child("c", "a"), *look("c"),
        ),
        needs=DEADLINES,
    ),
    Scenario(
        "callbacks",
        script(
            root(), child("a"), child("b", "a"), after("f", "a"), after("g", "b"), cancel("a"),
            cancel("a"), child("c"), stop("f"), END, END, after("h", "a"), END, cancel("a"),
            stop("h"),
        ),
        needs=CALLBACKS,
    ),
    Scenario(
        "a callback is stopped",
        script(root(), child("a"), after("f", "a"), after("g", "a"), stop("f"), cancel("a"),
               stop("g"), stop("f"), END),
        needs=CALLBACKS,
    ),
    Scenario(
        "a stop races with the cancellation",
        script(root(), child("a"), after("f", "a"), stop("f", NOTHING), cancel("a"), END),
        needs=CALLBACKS,
    ),
    Scenario(
        "two cancellations race for a callback",
        script(root(), child("a"), child("b", "a"), after("f", "b"),
               cancel("b", True, NOTHING), cancel("a"), END),
        needs=CALLBACKS,
    ),
    Scenario(
        "a callback is registered in a race",
        script(root(), child("a"), cancel("a", True, NOTHING), after("f", "a"), END),
        needs=CALLBACKS,
    ),
    Scenario(
        "a callback at the deadline",
        script(
            root(), timed("a", "r", 1_000), child("b", "a"), after("f", "b"), after("g", "a"),
            stop("g"), DUE, END, *look("b"),
        ),
        needs=[*CALLBACKS, *DEADLINES],
    ),
    Scenario(
        "a callback whose deadline does not come",
        script(root(), timed("a", "r", 1_000), after("f", "a"), cancel("a"), END, by(1_000)),
        needs=[*CALLBACKS, *DEADLINES],
    ),
    Scenario(
        "trees are independent",
        (
            *script(root(), child("a")),
            Step(Start("background", (), 1)),
            Step(Start("with_cancel", arguments(which=0), 1)),
            Step(Start("cancel", arguments(which=0, caused=True))),
            Step(Start("look", arguments(which=0), 1)),
            Step(Start("look", arguments(which=1), 1)),
            Step(Start("look", arguments(which=1))),
        ),
        arguments={"instances": 2},
    ),
    *(
        Scenario(
            f"{words} ({kind})",
            script(root(), child("a"), wait("a", by=number), wait("a"), do(Cancel(), follow),
                   cancel("a"), *look("a")),
            worlds=ASYNC,
        )
        for number, kind in enumerate(("first kind of cancellation", "second kind"))
        for words, follow in (("cancel a wait", SETTLE), ("cancel a wait as it ends", NOTHING))
    ),
)  # fmt: skip

PROBE = (
    Step(Start("background")),
    Step(Start("with_cancel", arguments(which=-1))),
    Step(Start("look", arguments(which=-1))),
)

#: Ends whatever calls may wait for: every scope that can be cancelled.
UNBLOCK = tuple(Step(Start("cancel", arguments(which=which, caused=False))) for which in range(12))

#: A child that held a function is cancelled, one is born done, a callback is stopped: the
#: scope that they were made from lives on, and must not keep any of them.
RELEASE = (
    *script(root(), child("a"), make("with_function", "f", "a"), cancel("a"), after("g", "r"),
            stop("g")),
)  # fmt: skip
