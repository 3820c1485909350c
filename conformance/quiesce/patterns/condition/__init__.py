"""Condition: callers that wait, under a lock, until somebody tells them to look again.

``wait`` takes the lock, gives it up while it waits, and runs its function once it was notified
and has the lock back. ``hold`` runs a function under the lock. ``notify`` takes the lock and
wakes some of those who wait, ``notify_all`` all of them.
"""

from __future__ import annotations

from quiesce.patterns.condition.clauses import CLAUSES
from quiesce.patterns.condition.model import Condition
from quiesce.patterns.condition.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

__all__ = ["CONDITION"]

PORT = (
    Method(
        "wait",
        ("work",),
        "Take the lock, wait, run work while holding the lock, give it back; returns work's value.",
    ),
    Method(
        "wait_within",
        ("timeout", "work"),
        "Threads: the same, but wait for at most timeout nanoseconds; returns (whether it was "
        "notified, work's value).",
        capability="timeout",
    ),
    Method(
        "hold",
        ("work",),
        "Take the lock, run work, give it back; returns work's value.",
    ),
    Method("notify", ("n",), "Take the lock, wake n waiters, give it back."),
    Method("notify_all", (), "Take the lock, wake all waiters, give it back."),
    Method(
        "notify_here",
        ("n",),
        "Wake n waiters without taking the lock: right inside a function that runs under it.",
        refuses=True,
    ),
    Method("wait_here", (), "Wait without taking the lock, which is refused.", refuses=True),
)

CONDITION = Pattern(
    name="condition",
    title="Condition: wait under a lock until somebody tells to look again",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-06": "that one caller at a time holds the lock is checked as CO-01",
                "UN-07": "there is no stop",
                "UN-08": "the function runs under the condition's own lock, on purpose",
            }
        ),
    ),
    port=PORT,
    constructor={},
    capabilities={
        "ownership": "who does not hold the lock is refused although somebody else does",
        "timeout": "wait_within: a wait of a thread that gives up after a time",
        "give_up": "a wait can end without a notification: in threads needs timeout",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={"fifo": ("yes", "no"), "spurious_wakeup": ("no", "yes")},
    model=lambda adapter, _: Condition(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
)
