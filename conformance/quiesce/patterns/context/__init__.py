"""Contexts: scopes in a tree, each of which says when its work should end, and why.

A scope is done once it was cancelled, once its deadline has come, or once its parent is done;
error and cause tell which. Cancelling reaches all descendants and nobody else, at once, and
waits for nobody. Whoever works under a scope looks at it, waits for it, or registers a
callback. A scope interrupts nothing by itself: scopes that do are the pattern
``cancel_scope``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from quiesce.patterns.context.clauses import CLAUSES
from quiesce.patterns.context.model import Context
from quiesce.patterns.context.scenarios import (
    CANCELLABLE,
    PROBE,
    RELEASE,
    SCENARIOS,
    SCOPES,
    STIMULI,
    UNBLOCK,
)
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["CONTEXT"]


def _made(_: object) -> Hashable:
    """Of a scope, or a handle, nothing is compared: calls on it tell what it is."""
    return None


PORT = (
    Method(
        "background",
        (),
        "The subject's own scope, always the same, that nobody cancels and that has no deadline.",
        is_async=False,
        read=_made,
    ),
    Method(
        "with_cancel",
        ("of",),
        "A child of a scope.",
        is_async=False,
        takes=SCOPES,
        read=_made,
    ),
    Method(
        "with_deadline",
        ("of", "delay", "caused", "item"),
        "A child with a deadline delay nanoseconds from now, maybe past; if caused, its cause "
        "then is item.",
        capability="deadlines",
        is_async=False,
        takes=SCOPES,
        read=_made,
    ),
    Method(
        "with_value",
        ("of", "key", "empty", "item"),
        "A child, or the same scope, in which key is bound to item, or to None if empty.",
        capability="values",
        is_async=False,
        takes=SCOPES,
        read=_made,
    ),
    Method(
        "with_function",
        ("of", "work"),
        "The same with a function as the value; it is never called.",
        capability="values",
        is_async=False,
        takes=SCOPES,
        read=_made,
    ),
    Method(
        "without_cancel",
        ("of",),
        "A scope with the values of another, and nothing else of it.",
        capability="detached",
        is_async=False,
        takes=SCOPES,
        read=_made,
    ),
    Method(
        "cancel",
        ("of", "caused", "item"),
        "Cancel, if caused with the cause item; returns the kind of the error that is seen right "
        "afterwards: 'cancelled' or 'deadline'.",
        is_async=False,
        takes=CANCELLABLE,
    ),
    Method(
        "look",
        ("of",),
        "Read, in this order, whether it is done, its error, its cause, whether it is done; "
        "returns ('look', done, error, cause, done). The error as its kind or None; the cause "
        "as the item given, or as the error's kind where the error itself is the cause.",
        is_async=False,
        takes=SCOPES,
    ),
    Method(
        "wait",
        ("of", "timeout"),
        "Wait until it is done, for timeout nanoseconds at most unless that is None; returns "
        "whether it is done.",
        capability="wait",
        takes=SCOPES,
        timed=True,
    ),
    Method(
        "deadline",
        ("of",),
        "Returns ('due', the effective deadline in nanoseconds of the world's monotonic clock, "
        "or None).",
        capability="shown_deadline",
        is_async=False,
        takes=SCOPES,
    ),
    Method(
        "value",
        ("of", "key"),
        "Returns ('bound', what key is bound to, or None).",
        capability="values",
        is_async=False,
        takes=SCOPES,
    ),
    Method(
        "after",
        ("of", "work"),
        "Register work, to be run in a task of its own once the scope is done.",
        capability="callbacks",
        is_async=False,
        takes=SCOPES,
        read=_made,
    ),
    Method(
        "stop",
        ("callback",),
        "Take a registration back; returns whether that prevents the run.",
        capability="callbacks",
        is_async=False,
        takes="after",
    ),
)

UNIVERSALS = universal(
    untested={
        "UN-02": "a scope starts nothing but its callbacks, and these run as they like",
        "UN-05": "nobody waits for a callback, so its error has no place to go to",
        "UN-06": "a scope bounds nothing",
        "UN-09": "nobody waits for a callback's end",
        "UN-11": "stated and checked in CX-10",
    },
    checked=["UN-07"],
)
#: Universal clauses whose situations arise by some methods only.
NEEDS = {"UN-04": {"wait"}, "UN-08": {"callbacks"}}

CONTEXT = Pattern(
    name="context",
    title="Context: a tree of scopes that say when work should end, and why",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *(attrs.evolve(clause, needs=NEEDS.get(clause.id, clause.needs)) for clause in UNIVERSALS),
    ),
    port=PORT,
    constructor={},
    capabilities={
        "causes": "a scope tells the cause of its end; without it look has None there",
        "wait": "wait",
        "deadlines": "with_deadline",
        "shown_deadline": "deadline: a scope tells its effective deadline",
        "values": "with_value, value",
        "detached": "without_cancel",
        "callbacks": "after and stop",
        "stop": "what it runs in the background can be stopped",
        "release": "a scope that is done is let go by its parent",
    },
    dialects={},
    model=lambda adapter, _: Context(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    release=(RELEASE, "CX-10 a scope that is done is kept by its parent"),
    leaks={"with_deadline": "CX-10 a scope that is done leaves its timer running"},
)
