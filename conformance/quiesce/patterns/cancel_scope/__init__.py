"""Cancel scopes: blocks whose body is interrupted when they are cancelled, or too late.

Scopes nest. A cancellation reaches everything inside the scope; leaving the scope absorbs it,
that one and no other, and the program goes on behind the block. A shield keeps what comes
from further out away for a while. What a scope that only tells is worth is the pattern
``context``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from quiesce.patterns.cancel_scope.clauses import CLAUSES
from quiesce.patterns.cancel_scope.model import CancelScope
from quiesce.patterns.cancel_scope.scenarios import PROBE, SCENARIOS, STIMULI
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from collections.abc import Hashable

    from quiesce.adapters import Adapter

__all__ = ["CANCEL_SCOPE"]


def _made(_: object) -> Hashable:
    """Of a nest nothing is compared: running it tells what it is."""
    return None


def _constructs(adapter: Adapter, _: str, value: object) -> bool:
    """Only asyncio counts requests, so only there a task can have been asked before."""
    return not value or adapter.world == "asyncio"


PORT = (
    Method(
        "nest",
        ("outer", "inner", "shield"),
        "Two scopes for one run. Each argument is a delay until the scope's deadline, in "
        "nanoseconds, from now or from the entry, or None; with shield, the inner one is shielded.",
        is_async=False,
        read=_made,
    ),
    Method(
        "run",
        ("nest", "work"),
        "Enter outer, then inner, and await work; leave inner, and await work again; leave "
        "outer. Returns ('left', whether inner absorbed, whether outer did, the change of the "
        "task's count of cancellation requests or 0).",
        takes="nest",
        takes_again="entered_once",
        refuses=True,
    ),
    Method(
        "cancel",
        ("nest", "scope"),
        "Cancel a scope of a nest: 'outer', 'inner', or 'both', in that order and at once. Of "
        "a scope that was left, or is cancelled already, this changes nothing.",
        capability="cancel",
        is_async=False,
        takes="nest",
    ),
)

UNIVERSALS = universal(
    untested={
        "UN-02": "a scope starts no work",
        "UN-06": "a scope bounds nothing",
        "UN-08": "a scope holds no lock; its body runs in the caller's own task",
        "UN-09": "a scope's body releases nobody",
        "UN-11": "the body's function belongs to the caller's own frame",
    },
    checked=["UN-07"],
)

CANCEL_SCOPE = Pattern(
    name="cancel_scope",
    title="Cancel scope: a block whose body can be interrupted",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *(
            attrs.evolve(clause, needs={"cancel"}) if clause.id == "UN-07" else clause
            for clause in UNIVERSALS
        ),
    ),
    port=PORT,
    #: Whether each run's task was asked to cancel before, and went on.
    constructor={"asked": (False, True)},
    capabilities={
        "cancel": "cancel: a scope ends by other means than its deadline",
        "shield": "a scope can be shielded",
        "past": "a body whose deadline is past begins, and is interrupted where it first waits",
        "entered_once": "entering a scope again is refused with an error",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={
        # What becomes of cancelling a scope that is not entered yet.
        "early_cancel": ("kept", "ignored"),
        # Since when the delay of a deadline counts.
        "deadline_from": ("creation", "entry"),
    },
    model=lambda adapter, _: CancelScope(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    constructs=_constructs,
)
