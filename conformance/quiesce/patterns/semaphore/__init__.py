"""Semaphore: a number of units that callers take and give back.

``acquire`` takes units, or waits until it can; waiters are served in their order, and a caller
that gives up waiting leaves nothing behind. ``try_acquire`` never waits. A weighted semaphore
lends several units at once, a bounded one refuses to get back more than it lent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.semaphore.clauses import CLAUSES
from quiesce.patterns.semaphore.model import Semaphore
from quiesce.patterns.semaphore.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quiesce.adapters import Adapter

__all__ = ["SEMAPHORE"]

PORT = (
    Method("acquire", ("n",), "Take n units, or wait until they are free; returns None."),
    Method(
        "acquire_within",
        ("n", "timeout"),
        "Threads: the same, but give up after timeout nanoseconds; returns whether it got them.",
        capability="timeout",
        timed=True,
    ),
    Method(
        "try_acquire",
        ("n",),
        "Take n units if they are free, and say whether; never waits.",
        capability="try",
    ),
    Method("release", ("n",), "Give n units back; may be refused with an error.", refuses=True),
)


def model(adapter: Adapter, given: Mapping[str, Any]) -> Semaphore:
    """The model of a semaphore of that size."""
    return Semaphore(adapter, given["size"])


SEMAPHORE = Pattern(
    name="semaphore",
    title="Semaphore: a number of units that callers take and give back",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-05": "a semaphore runs no user functions",
                "UN-06": "stated and checked as SM-01",
                "UN-07": "there is no stop; a release too many is SM-06",
                "UN-08": "a semaphore runs no user functions",
            }
        ),
    ),
    port=PORT,
    constructor={"size": (2, 1, 3)},
    capabilities={
        "weighted": "acquire may take several units at once",
        "release_many": "release may give several units back at once",
        "bounded": "a release of more than is held is refused",
        "try": "try_acquire: take units only if they are free",
        "timeout": "acquire_within: an acquire of a thread that gives up after a time",
        "give_up": "an acquire that waits can end without its units: in threads needs timeout",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={"fifo": ("yes", "no"), "handover": ("direct", "barging")},
    model=model,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
)
