"""The clauses of the read-write lock."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "RW-01",
        Level.MUST,
        "Any number of readers hold the lock, or one writer.",
        "Go sync/rwmutex_test: HammerRWMutex",
        twins=["rw_reader_with_writer", "rw_two_writers", "rw_readers_exclude_each_other"],
    ),
    Clause(
        "RW-02",
        Level.MUST,
        "A waiting writer holds back new readers. So a reader that reads again inside can wait "
        "for itself.",
        "Go sync.RWMutex: RLock",
        twins=["rw_writer_starves"],
    ),
    Clause(
        "RW-03",
        Level.SHOULD,
        "Readers that waited during a write get in before the next writer.",
        "Go sync/rwmutex: Unlock lets the waiting readers in before other writers",
        dialect={"after_write": ("readers",), "handover": ("direct",)},
        twins=["rw_next_writer_first"],
    ),
    Clause(
        "RW-04",
        Level.MUST,
        "Unlocking what is not held, in the wrong mode or too often, is an error and changes "
        "nothing.",
        "Go sync/mutex_test: TestMutexMisuse",
        needs=["anyone"],
        twins=["rw_runlock_too_often_ok", "rw_unlock_in_wrong_mode_ok"],
    ),
    Clause(
        "RW-05",
        Level.MUST,
        "A try never waits. To write it fails with any holder; to read it fails only with a "
        "writer that holds the lock or waits for it.",
        "Go sync/rwmutex_test: TestRWMutex",
        needs=["try"],
        twins=["rw_try_read_overtakes", "rw_try_read_fails_with_readers", "rw_try_write_waits"],
    ),
)
