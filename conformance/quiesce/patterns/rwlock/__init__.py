"""Read-write lock: many readers or one writer.

A function reads or writes while its caller holds the lock. Readers share it; a writer has it
alone. A waiting writer holds back new readers, so readers that come and go can't starve it, and
readers that waited for a writer get in before the next one, so writers can't starve them.
"""

from __future__ import annotations

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.rwlock.clauses import CLAUSES
from quiesce.patterns.rwlock.model import RWLock
from quiesce.patterns.rwlock.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

__all__ = ["RWLOCK"]

PORT = (
    Method(
        "read",
        ("work",),
        "Take the lock to read, run work, give it back; returns work's value. An error in "
        "giving it back replaces work's.",
        refuses=True,
    ),
    Method("write", ("work",), "The same, to write.", refuses=True),
    Method(
        "try_read",
        ("work",),
        "read without waiting: returns (True, work's value), or (False, None).",
        capability="try",
        refuses=True,
    ),
    Method(
        "try_write",
        ("work",),
        "write without waiting: returns (True, work's value), or (False, None).",
        capability="try",
        refuses=True,
    ),
    Method(
        "release_read",
        (),
        "Give back what a reader holds, whoever it is.",
        capability="anyone",
        refuses=True,
    ),
    Method(
        "release_write",
        (),
        "Give back what the writer holds, whoever it is.",
        capability="anyone",
        refuses=True,
    ),
)

RWLOCK = Pattern(
    name="rwlock",
    title="Read-write lock: many readers or one writer",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-01": "a lock starts nothing",
                "UN-08": "the function runs under the lock, by contract; RW-02 and RW-05 say "
                "what it may do with it",
                "UN-11": "a lock is given nothing that it could keep",
            }
        ),
    ),
    port=PORT,
    constructor={},
    capabilities={
        "try": "try_read and try_write",
        "anyone": "release_read and release_write: anybody unlocks, as the lock has no owner",
    },
    dialects={"after_write": ("readers", "any"), "handover": ("direct", "barging")},
    model=lambda adapter, _: RWLock(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
)
