"""Capacity limiter: units that are lent to borrowers, one to each, and how many may change.

``acquire`` borrows a unit for a new borrower, or waits for one; ``try_acquire`` borrows one for
a borrower that was there before, without waiting; ``release`` gives a borrower's unit back.
``set_total`` changes how many units there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quiesce.patterns.capacity_limiter.clauses import CLAUSES
from quiesce.patterns.capacity_limiter.model import CapacityLimiter
from quiesce.patterns.capacity_limiter.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from quiesce.adapters import Adapter

__all__ = ["CAPACITY_LIMITER"]


def read_borrower(borrower: Any) -> Hashable:
    """What is compared of a borrower: itself."""
    return borrower  # type: ignore[no-any-return]  # the number that acquire was given


PORT = (
    Method(
        "acquire",
        ("item",),
        "Borrow a unit for the new borrower item, or wait for one; returns item.",
        read=read_borrower,
    ),
    Method(
        "try_acquire",
        ("borrower",),
        "Borrow a unit for a known borrower if one is free, and say whether; an error if it has "
        "one.",
        takes="acquire",
        refuses=True,
    ),
    Method(
        "release",
        ("borrower",),
        "Give the borrower's unit back; an error if it has none.",
        takes="acquire",
        refuses=True,
    ),
    Method("set_total", ("total",), "Change how many units there are, to 1 or more."),
)


def model(_: Adapter, given: Mapping[str, Any]) -> CapacityLimiter:
    """The model of a limiter that starts with that total."""
    return CapacityLimiter(given["total"])


CAPACITY_LIMITER = Pattern(
    name="capacity_limiter",
    title="Capacity limiter: units lent to borrowers, and their total may change",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-05": "a limiter runs no user functions",
                "UN-06": "stated and checked as SM-11",
                "UN-07": "there is no stop; a second release is SM-12",
                "UN-08": "a limiter runs no user functions",
            }
        ),
    ),
    port=PORT,
    constructor={"total": (2, 1, 3)},
    capabilities={"stop": "what it runs in the background can be stopped"},
    dialects={},
    model=model,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
)
