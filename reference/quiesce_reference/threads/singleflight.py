"""Singleflight: callers who want the same thing at the same time share one execution.

After Go's golang.org/x/sync/singleflight. It is no cache: what has ended is forgotten. We
deviate where Go hangs or crashes: nested calls raise, and whatever ends the function,
``SystemExit`` included, ends every member's call the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar, final

from quiesce_reference.errors import ReentrantCallError
from quiesce_reference.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SingleFlight"]

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@final
class _Call(Generic[T]):
    """One execution and what its members need to know of it."""

    __slots__ = ("future", "is_shared", "runner")

    def __init__(self) -> None:
        self.future: Future[Result[T]] = Future()
        # From now on no member can cancel it: it is everybody's.
        self.future.set_running_or_notify_cancel()
        # Protected by SingleFlight._lock.
        self.is_shared = False
        # Written by the executing thread before the function begins. A thread that reads
        # its own id here has written it itself; any other value means "somebody else".
        self.runner: int | None = None


@final
class SingleFlight(Generic[K, T]):
    """A space of keys, each with at most one execution that callers may join.

    Any number of threads may call any method at the same time. Keys are independent: a
    blocked one blocks no other, and a function may use the object with another key. Keys
    are compared under an internal lock, so ``__hash__`` and ``__eq__`` must not call back.
    After an execution has ended nothing of it is kept, neither key nor function nor result.

    Clauses: SF-01, SF-05, SF-07, SF-14, SF-18, UN-08, UN-10, UN-11.
    """

    def __init__(self) -> None:
        # Held for a few statements at a time, never while a function runs (UN-08).
        self._lock = threading.Lock()
        # Protected by _lock: the executions that can be joined.
        self._calls: dict[K, _Call[T]] = {}

    def do(self, key: K, fn: Callable[[], T]) -> Result[T]:
        """Execute ``fn``, or share the execution for ``key`` that is under way.

        The first caller executes ``fn`` in his own thread. Callers who arrive before it
        has ended wait for it, and their functions are never called. All get the same value
        object or the same exception object; whatever ``fn`` raises, exit requests such as
        ``SystemExit`` included, every member's call ends by it. The next call after the
        end executes anew, whatever the outcome was.

        Raises:
          ReentrantCallError: ``fn``, in the thread that executes it, calls ``do`` for the same
            key, directly or through another key. Nothing is executed a second time.

        Clauses: SF-01 to SF-07, SF-10, SF-12, SF-13, SF-18, UN-03, UN-05, UN-09.
        """
        call, is_first = self._enter(key, waits=True)
        if is_first:
            self._execute(key, call, fn)
        return call.future.result()

    def do_future(self, key: K, fn: Callable[[], T]) -> Future[Result[T]]:
        """As ``do``, but return at once, with a future of the result.

        A first caller's ``fn`` is executed in a thread of its own, which ends with it. The
        number of such threads is not bounded: it is that of the keys in flight. They are
        not daemons, so the interpreter waits for them at its end.

        The future gets exactly one answer: the result, or whatever ``fn`` raised (exit
        requests too: they do not disappear with the thread). Joining this way never waits, so
        ``fn`` itself may do it. The future can't be cancelled, and may be dropped unread.

        Raises:
          RuntimeError: no thread could be started. Those who joined meanwhile get it too.

        Clauses: SF-02 to SF-05, SF-08, SF-11, SF-12, UN-01.
        """
        call, is_first = self._enter(key, waits=False)
        if is_first:
            thread = threading.Thread(target=self._execute, args=(key, call, fn), daemon=False)
            try:
                thread.start()
            except BaseException as error:
                self._leave(key, call)
                call.future.set_exception(error)
                raise
        return call.future

    def forget(self, key: K) -> None:
        """Let the next call for ``key`` execute anew, although one may be under way.

        Members of the old execution still get its result, and its end does not touch the new
        one. Later callers join the new one. Without an execution this does nothing.

        Clauses: SF-09, UN-07.
        """
        with self._lock:
            self._calls.pop(key, None)

    def _enter(self, key: K, *, waits: bool) -> tuple[_Call[T], bool]:
        """Join the execution for ``key``, or register a new one and tell so by True."""
        with self._lock:
            # Looked and registered under one hold of the lock: one execution a key.
            call = self._calls.get(key)
            if call is None:
                call = self._calls[key] = _Call()
                return call, True
            if waits and call.runner == threading.get_ident():
                msg = f"the function executed for key {key!r} calls do() for the same key"
                raise ReentrantCallError(msg)
            call.is_shared = True
            return call, False

    def _execute(self, key: K, call: _Call[T], fn: Callable[[], T]) -> None:
        """Run ``fn`` and answer the members; raises nothing itself."""
        call.runner = threading.get_ident()
        try:
            value = fn()
        except BaseException as error:
            self._leave(key, call)
            call.future.set_exception(error)
            # The error's frames lead here: don't let it lead to itself and to fn.
            del call, fn
        else:
            self._leave(key, call)
            # Nobody can join any more, so is_shared is final.
            call.future.set_result(Result(value, call.is_shared))

    def _leave(self, key: K, call: _Call[T]) -> None:
        # Always before the answer: whoever has seen it, and calls again, must not meet
        # the execution that has ended (SF-06).
        with self._lock:
            # After a forget the key may be gone, or belong to a newer execution (SF-09).
            if self._calls.get(key) is call:
                del self._calls[key]
