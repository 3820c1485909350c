"""What is done to cancel scopes: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.cancel_scope.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, SETTLE, Advance, Cancel, Open, Start, Step, Weighted, arguments

__all__ = ["PROBE", "SCENARIOS", "STIMULI"]

WHICH = (0, 1, 2)
DELAYS = (None, None, 1_000, 2_000)

STIMULI = (
    Weighted(
        "make_a_nest",
        Start,
        6,
        fixed={"operation": "nest"},
        choices={"instance": (0, 0, 0, 1)},
        operands={"outer": DELAYS, "inner": DELAYS, "shield": (False,)},
    ),
    Weighted(
        "make_a_nest_with_a_shield",
        Start,
        4,
        fixed={"operation": "nest"},
        operands={"outer": DELAYS, "inner": DELAYS, "shield": (True,)},
        needs=["shield"],
    ),
    Weighted(
        "make_a_nest_that_is_late",
        Start,
        2,
        fixed={"operation": "nest"},
        operands={"outer": (*DELAYS, 0), "inner": (0,), "shield": (False,)},
        needs=["past"],
    ),
    Weighted(
        "run",
        Start,
        10,
        fixed={"operation": "run"},
        choices={"cancel": (0, 1)},
        operands={"which": WHICH},
    ),
    Weighted(
        "cancel_a_scope",
        Start,
        7,
        fixed={"operation": "cancel"},
        operands={"which": WHICH, "scope": ("outer", "inner", "both")},
        needs=["cancel"],
    ),
    Weighted(
        "let_the_body_go_on",
        Open,
        6,
        choices={"which": (0, 1), "outcome": ("value", "value", "error")},
    ),
    Weighted("cancel_a_run", Cancel, 4, choices={"which": (0, 1)}),
    Weighted("move_the_clock", Advance, 4, choices={"which": (0, 1), "offset": (0, 0, -1)}),
)


def nest(outer: int | None = None, inner: int | None = None, shield: bool = False) -> Step:
    return Step(Start("nest", arguments(outer=outer, inner=inner, shield=shield)))


def run(which: int = 0, follow: int = SETTLE, cancel: int = 0) -> Step:
    return Step(Start("run", arguments(which=which), cancel=cancel), follow)


def scope(named: str, follow: int = SETTLE, which: int = 0) -> Step:
    return Step(Start("cancel", arguments(which=which, scope=named)), follow)


def needed(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """The capabilities that steps need, by their look."""
    starts = [step.stimulus for step in steps if isinstance(step.stimulus, Start)]
    cancels = [start for start in starts if start.operation == "cancel"]
    late = [start for start in starts if ("inner", 0) in start.arguments]
    return (*(("cancel",) if cancels else ()), *(("past",) if late else ()))


VALUE, ERROR, DUE = Step(Open()), Step(Open(0, "error")), Step(Advance("next"))
SHIELD = ["shield"]

SCENARIOS = tuple(
    Scenario(name, steps, needs=(*needs, *needed(steps)), worlds=ASYNC)
    for name, steps, needs in (
        ("nothing is cancelled", (nest(), run(), VALUE, VALUE), ()),
        ("inner is cancelled", (nest(), run(), scope("inner"), VALUE), ()),
        ("outer is cancelled", (nest(), run(), scope("outer")), ()),
        ("both are cancelled", (nest(), run(), scope("both")), ()),
        ("inner, then outer", (nest(), run(), scope("inner"), scope("outer")), ()),
        ("inner and outer race", (nest(), run(), scope("inner", NOTHING), scope("outer")), ()),
        ("outer and inner race", (nest(), run(), scope("outer", NOTHING), scope("inner")), ()),
        ("outer in the second stage", (nest(), run(), VALUE, scope("outer")), ()),
        ("inner in the second stage", (nest(), run(), VALUE, scope("inner"), VALUE), ()),
        ("cancelled again", (nest(), run(), scope("inner", NOTHING), scope("inner"), VALUE), ()),
        ("cancelled when it was left", (nest(), run(), scope("inner"), scope("inner"), VALUE), ()),
        ("cancelled before", (nest(), scope("inner"), run(), VALUE, scope("outer")), ()),
        ("outer cancelled before", (nest(), scope("outer"), scope("outer"), run(), VALUE), ()),
        ("the body raises", (nest(), run(), ERROR, nest(), run(1), VALUE, ERROR), ()),
        ("the body raises before the deadline", (nest(1_000, 2_000), run(), ERROR), ()),
        ("the body raises after inner", (nest(), run(), scope("inner"), ERROR), ()),
        ("the body raises as it is cancelled", (nest(), run(), scope("both", 1), ERROR), ()),
        ("it raises, and is cancelled", (nest(), run(), Step(Open(0, "error"), NOTHING),
                                         scope("both")), ()),
        ("it ends, and is cancelled", (nest(), run(), Step(Open(), NOTHING), scope("both"),
                                       VALUE), ()),
        ("inner's deadline", (nest(None, 1_000), run(), DUE, VALUE), ()),
        ("outer's deadline", (nest(1_000, 2_000), run(), DUE), ()),
        ("one deadline after the other", (nest(2_000, 1_000), run(), DUE, DUE), ()),
        ("two deadlines at once", (nest(1_000, 1_000), run(), DUE, VALUE), ()),
        ("deadlines that are past", (nest(0, 0), run(), VALUE, nest(None, 0), run(1), VALUE), ()),
        ("a nest is entered once", (nest(), run(), run(), VALUE, VALUE, run()), ()),
        ("shield, outer", (nest(shield=True), run(), scope("outer"), VALUE), SHIELD),
        ("shield, inner", (nest(shield=True), run(), scope("inner"), VALUE), SHIELD),
        ("shield, both", (nest(shield=True), run(), scope("outer"), scope("inner")), SHIELD),
        ("shield, deadlines", (nest(1_000, 2_000, shield=True), run(), DUE, DUE), SHIELD),
        ("shield, the body raises", (nest(shield=True), run(), scope("outer"), ERROR), SHIELD),
        *(
            (f"{words} ({kind})", steps, needs)
            for number, kind in enumerate(("first kind of cancellation", "second kind"))
            for words, steps, needs in (
                ("cancel a run", (nest(), run(cancel=number), Step(Cancel())), ()),
                ("cancel a run in the second stage",
                 (nest(), run(cancel=number), VALUE, Step(Cancel())), ()),
                ("cancel a run and a scope",
                 (nest(), run(cancel=number), scope("inner", NOTHING), Step(Cancel()), VALUE), ()),
                ("cancel a run and both scopes",
                 (nest(), run(cancel=number), Step(Cancel(), NOTHING), scope("both"), VALUE), ()),
                ("cancel a run as its first stage ends",
                 (nest(None, 2_000), run(cancel=number), Step(Open(), 1), Step(Cancel()), VALUE),
                 ()),
                ("cancel before the first step",
                 (nest(), run(0, NOTHING, number), Step(Cancel()), VALUE), ()),
                ("cancel a shielded run",
                 (nest(shield=True), run(cancel=number), Step(Cancel()), VALUE), SHIELD),
            )
        ),
    )
)  # fmt: skip

PROBE = (nest(), run(-1), VALUE, VALUE)
