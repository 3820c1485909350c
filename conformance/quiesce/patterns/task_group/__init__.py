"""Task group: functions are started together, and somebody waits for all of them.

A *plain* group has ``wait``, which returns when every started function has returned, and tells
the first error or all of them. A *structured* group is a block: ``run`` enters it, and it is
left when its body and all its children have ended; an error or a cancellation cancels them.
Either may bound how many functions run at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.task_group.clauses import CLAUSES
from quiesce.patterns.task_group.relaxed import RelaxedPlainGroup, RelaxedStructuredGroup
from quiesce.patterns.task_group.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quiesce.adapters import Adapter
    from quiesce.model import Model

__all__ = ["TASK_GROUP"]

LEFT_BEHIND = "TG-23 something that the group started is left"


def nothing(value: object) -> None:
    """What a start returns is a handle, and none of the caller's business."""


PORT = (
    Method(
        "go",
        ("work",),
        "Start work in the group; at the limit wait for a slot. May return a handle of the child.",
        read=nothing,
        refuses=True,
    ),
    Method(
        "try_go",
        ("work",),
        "Start work if a slot is free now, and tell whether it was.",
        capability="try",
        refuses=True,
    ),
    Method(
        "wait",
        (),
        "Wait until all functions have returned; raise the first error, or all in a group.",
        capability="wait",
    ),
    Method(
        "set_limit",
        ("limit",),
        "Change the limit; refused while functions run.",
        capability="set_limit",
        refuses=True,
    ),
    Method(
        "look",
        (),
        "Look at the scope of a plain group: False while it is open, True if it is done without "
        "an error; raises the error that cancelled it.",
        capability="look",
    ),
    Method(
        "go_then_look",
        ("work",),
        "Start work, and look at the scope as soon as that is done.",
        capability="look",
        refuses=True,
    ),
    Method(
        "run",
        ("work",),
        "Enter the group's block, do work as its body, and leave the block; returns the body's "
        "value. One block at a time.",
        capability="run",
        refuses=True,
    ),
    Method(
        "cancel_child",
        ("child",),
        "Cancel the function of an earlier start, and nothing else.",
        capability="cancel_child",
        takes="go",
    ),
    Method(
        "go_now",
        (),
        "Start a function that returns at once, before it waits for anything.",
        capability="immediate",
        refuses=True,
    ),
    Method(
        "fail_now",
        (),
        "Start a function that raises LookupError at once.",
        capability="immediate",
        refuses=True,
    ),
    Method(
        "unclosed",
        (),
        "How many coroutines of refused starts are neither closed nor awaited.",
        capability="coroutines",
    ),
)


def model(adapter: Adapter, made: Mapping[str, object]) -> Model:
    """The model of an adapter's kind of group."""
    kind = RelaxedPlainGroup if "run" in adapter.lacks else RelaxedStructuredGroup
    return kind(adapter, made["limit"])


def constructs(adapter: Adapter, _: str, limit: int | None) -> bool:
    """Whether the adapter's groups can have this limit."""
    if limit is None:
        return True
    return ("limit" if limit > 0 else "limit_zero") not in adapter.lacks


TASK_GROUP = Pattern(
    name="task_group",
    title="Task group: start functions together, wait for all",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-02": "to wait is TG-01, to stop is the scope: TG-03 and TG-19",
                "UN-06": "its bound is the limit: TG-07",
                "UN-07": "there is no stop to repeat; a wait is repeated in TG-15 and TG-16",
                "UN-09": "returning before the functions have ended breaks TG-01; memory order "
                "can't be seen on one OS thread",
                "UN-11": "its functions' values go nowhere, and what is left running is TG-23",
            },
        ),
    ),
    port=PORT,
    constructor={"limit": (None, 1, 2, 0, -1)},
    capabilities={
        "wait": "a plain group: wait",
        "run": "a structured group: run",
        "look": "look and go_then_look: the scope of a plain group can be looked at",
        "limit": "can be limited",
        "limit_zero": "takes limits of 0 and below",
        "set_limit": "the limit can be changed",
        "try": "try_go",
        "cancel_child": "one child can be cancelled alone",
        "immediate": "go_now and fail_now: children that end before they first wait",
        "coroutines": "starts are given coroutines",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={
        "errors": ("first", "all"),
        "on_failure": ("cancel_rest", "continue"),
        "blocked_start_on_cancel": ("runs", "dropped"),
        "reuse": ("allowed", "refused"),
        "at_limit": ("blocks", "queues"),
        "aborting": ("refuses", "cancels"),
        "exits": ("reported", "alone"),
    },
    model=model,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    cancels=lambda _: True,
    constructs=constructs,
    leaks={"go": LEFT_BEHIND, "run": LEFT_BEHIND, "try_go": LEFT_BEHIND},
)
