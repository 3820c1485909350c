"""Mutex: of all callers at most one is inside.

A function runs while its caller holds the lock; the others wait. Whoever tries without waiting
gets the lock if it is free. Who may unlock, what becomes of an owner who locks again, and in
which order waiters get in are declared: libraries differ there, and say so.
"""

from __future__ import annotations

from quiesce.patterns.mutex.clauses import CLAUSES
from quiesce.patterns.mutex.model import Mutex
from quiesce.patterns.mutex.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

__all__ = ["MUTEX"]

PORT = (
    Method(
        "hold",
        ("work",),
        "Take the lock, run work, give the lock back; returns work's value. An error in giving "
        "it back replaces work's.",
        refuses=True,
    ),
    Method(
        "try_hold",
        ("work",),
        "The same without waiting: returns (True, work's value), or (False, None) if the lock "
        "is held.",
        capability="try",
        refuses=True,
    ),
    Method(
        "acquire",
        (),
        "Take the lock and keep it: the caller ends, and anybody may release it.",
        capability="anyone",
        refuses=True,
    ),
    Method("release", (), "Give the lock back, or raise: see the dialects.", refuses=True),
)

MUTEX = Pattern(
    name="mutex",
    title="Mutex: of all callers at most one is inside",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-01": "a lock starts nothing",
                "UN-08": "the function runs under the lock, by contract; MX-05 and MX-03 say "
                "what it may do with it",
                "UN-11": "a lock is given nothing that it could keep",
            }
        ),
    ),
    port=PORT,
    constructor={},
    capabilities={
        "try": "try_hold",
        "anyone": "acquire: a lock outlives the task that took it, and anybody releases it",
    },
    dialects={
        "ownership": ("any", "owner"),
        "relock": ("blocks", "counts", "raises"),
        "handover": ("direct", "barging"),
        "fifo": ("yes", "no"),
    },
    model=lambda adapter, _: Mutex(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
)
