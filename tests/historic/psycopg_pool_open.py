"""psycopg_pool 3.3.0: ``ConnectionPool.open`` as once; it may open twice.

``open`` promises that it is safe to call again and takes a lock, but the lock is made on
first use, in a race: two callers may each make their own. Reported as issue 1300 of
psycopg, fixed in 3.3.1.
"""

from __future__ import annotations

import types
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

import quiesce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Connection:
    """Stands in for a connection to a database."""

    def __init__(self) -> None:
        self.closed = False
        self._pool: object = None  # the pool keeps itself here
        self.pgconn = types.SimpleNamespace(transaction_status=TransactionStatus.IDLE, status=0)

    @classmethod
    def connect(cls, *args: object, **kwargs: object) -> Connection:
        return cls()

    def close(self) -> None:
        self.closed = True

    def rollback(self) -> None:
        pass


class CountedPool(ConnectionPool[Any]):
    """Calls ``work`` where it starts its workers, which it should do once."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        super().__init__(
            min_size=1,
            max_size=1,
            open=False,
            connection_class=Connection,
            num_workers=1,
        )

    def _start_workers(self) -> None:
        self._work()
        super()._start_workers()


@quiesce.adapter(
    "once",
    world="threads",
    distribution="psycopg-pool",
    packages=["psycopg_pool"],
    lacks={
        *("own_function", "value"),  # open() takes no function and returns None
        "reentrance_error",  # its lock is re-entrant: opening a pool from within returns
        "release",  # the pool keeps its hook
    },
    # Once the flags are set a failed open() is not repeated; later calls return.
    dialect={"once_error": "done_silently", "once_cancel": "none"},
)
class OpenPool:
    """``open()`` of one pool."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._pool = CountedPool(work)

    def call(self) -> None:
        self._pool.open()

    @contextmanager
    def lifespan(self) -> Iterator[None]:
        yield
        self._pool.close()
