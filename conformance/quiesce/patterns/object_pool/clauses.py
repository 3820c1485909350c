"""The clauses of the object pool."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

GO = "Go sync.Pool"
ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "OP-01",
        Level.MUST,
        "An object is never in the hands of two holders.",
        f"{GO}: Get removes the object",
        twins=["op_get_keeps_entry", "op_steal_race"],
    ),
    Clause(
        "OP-02",
        Level.MUST,
        "get returns an idle object or a new one; the factory runs only when get does not re-use.",
        f"{GO}: Get; pool_test: TestPoolNew",
        twins=["op_makes_in_vain"],
    ),
    Clause(
        "OP-03",
        Level.MAY,
        "The pool may drop an idle object at any time, also in put; get may ignore idle ones.",
        f"{GO}: the Pool documentation",
        untested="a freedom: the model never predicts re-use",
    ),
    Clause(
        "OP-04",
        Level.MUST,
        "Putting None is ignored.",
        f"{GO}: Put",
        needs=["none"],
        twins=["op_stores_none"],
    ),
    Clause(
        "OP-05",
        Level.MUST,
        "No data of one holder reaches the next: between two holders of an object reset runs "
        "exactly once.",
        "the purpose of a reset hook",
        needs=["reset"],
        twins=["op_no_reset", "op_resets_twice"],
    ),
    Clause(
        "OP-06",
        Level.SHOULD,
        "Reset runs before the object becomes idle, so that idle objects keep no holder's data "
        "alive.",
        "the purpose of a reset hook",
        needs=["reset"],
        twins=["op_reset_on_get"],
    ),
    Clause(
        "OP-07",
        Level.MUST,
        "An object whose reset raises is discarded, and the error surfaces.",
        "the purpose of a reset hook",
        needs=["reset"],
        twins=["op_reset_error_pooled"],
    ),
    Clause(
        "OP-08",
        Level.SHOULD,
        "Putting an object a second time is refused and changes nothing.",
        "a checked pool; sync.Pool does not look",
        needs=["checked"],
        twins=["op_double_put_ok"],
    ),
    Clause(
        "OP-09",
        Level.SHOULD,
        "Idle objects do not live for ever: after trim none of them comes back.",
        f"{GO}_test: TestPool, where two collections do it",
        needs=["trim"],
        twins=["op_unbounded_idle"],
    ),
    Clause(
        "OP-10",
        Level.MUST,
        "A factory that fails raises to the caller who needed the object, and costs no capacity.",
        "SQLAlchemy issue 6652",
        twins=["op_factory_failure_eats_slot"],
    ),
    Clause(
        "OP-11",
        Level.MUST,
        "Whoever holds an object may put it back, whichever task got it; a checked pool refuses "
        "objects that it did not make.",
        f"{GO}: Put",
        needs=["checked"],
        twins=["op_takes_strangers"],
    ),
    Clause(
        "OP-12",
        Level.MUST,
        "What was written to an object before put is visible after the get that returns it.",
        f"{GO}: the Pool documentation, memory order",
        untested="memory order can't be seen on one OS thread",
    ),
    Clause(
        "OP-13",
        Level.MUST,
        "A bounded pool has at most that many objects out; get blocks at the bound and is "
        "served in order of arrival; a cancelled get neither takes nor loses an object.",
        "MagicStack/asyncpg issue 467; SQLAlchemy issues 8145 and 12077",
        needs=["bound"],
        twins=["op_one_too_many", "op_last_come_first_served", "op_cancelled_get_loses_object"],
    ),
    Clause(
        "OP-14",
        Level.MUST,
        "After scoped use the object comes back exactly once, on a normal end, an error and a "
        "cancellation.",
        "SQLAlchemy issue 12077",
        needs=["scoped"],
        twins=["op_no_return_on_cancel", "op_returns_twice"],
    ),
    Clause(
        "OP-15",
        Level.MUST,
        "After close every get is refused, also those that wait, and an object that is put is "
        "dropped.",
        "psycopg_pool: close",
        needs=["close"],
        twins=["op_put_after_close_revives", "op_close_strands_waiters"],
    ),
    Clause(
        "OP-16",
        Level.MAY,
        "Idle objects are handed out in any order.",
        GO,
        untested="a freedom: nothing to break",
    ),
)
