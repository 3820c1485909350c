"""Known-bad singleflights: each a good one with a single planted defect.

The good ones come first, for asyncio (detached executions) and for threads, and conform.
Their seams are the methods that twins replace.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import quiesce

CURRENT: contextvars.ContextVar[frozenset[int]] = contextvars.ContextVar("current")
PATTERN = "singleflight"
AIO = {"world": "asyncio", "lacks": {"exit"}, "dialect": {"sf_cancel": "detached"}}
THREADS = {"world": "threads", "dialect": {"sf_cancel": "none"}}

Work = Callable[[], Awaitable[object]]


class Shared:
    """One execution and its members."""

    def __init__(self) -> None:
        self.done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.members = 0
        self.joined = False
        self.task: asyncio.Task[None] | None = None


@quiesce.adapter(PATTERN, name="sf_good_asyncio", **AIO)
class Flight:
    def __init__(self) -> None:
        self.calls: dict[object, Shared] = {}

    async def do(self, key: object, work: Work) -> tuple[object, bool]:
        call, joined = self.enter(key, work)
        return await self.member(key, call, joined)

    def do_future(self, key: object, work: Work) -> Any:
        call, joined = self.enter(key, work)
        call.members += 1  # whoever holds the future stays a member
        return self.receive(call, joined)

    def receive(self, call: Shared, joined: bool) -> Any:
        result = asyncio.get_running_loop().create_future()

        def deliver(done: asyncio.Future[object]) -> None:
            if result.done():
                return
            if done.exception() is not None:
                result.set_exception(done.exception())
                result.exception()  # nobody may ever read it
            else:
                result.set_result((done.result(), self.shared(call, joined)))

        call.done.add_done_callback(deliver)
        return result

    def forget(self, key: object) -> None:
        self.calls.pop(key, None)

    def enter(self, key: object, work: Work) -> tuple[Shared, bool]:
        call = self.calls.get(key)
        if call is None:
            return self.start(key, work), False
        if id(call) in CURRENT.get(frozenset()):
            return self.reentered(key, work)
        call.joined = True
        return call, True

    def reentered(self, key: object, work: Work) -> tuple[Shared, bool]:
        raise RuntimeError("the function calls its own key")

    def start(self, key: object, work: Work) -> Shared:
        call = self.calls[key] = Shared()
        call.task = asyncio.get_running_loop().create_task(self.execute(key, call, work))
        return call

    async def execute(self, key: object, call: Shared, work: Work) -> None:
        CURRENT.set(CURRENT.get(frozenset()) | {id(call)})
        try:
            value = await work()
        except asyncio.CancelledError:
            self.unregister(key, call)
            raise
        except Exception as error:
            self.failed(key, call, error)
        else:
            await self.succeeded(key, call, value)

    async def succeeded(self, key: object, call: Shared, value: object) -> None:
        self.unregister(key, call)
        call.done.set_result(value)

    def failed(self, key: object, call: Shared, error: Exception) -> None:
        self.unregister(key, call)
        call.done.set_exception(error)
        call.done.exception()  # it may have no members

    def unregister(self, key: object, call: Shared) -> None:
        if self.calls.get(key) is call:
            del self.calls[key]

    async def member(self, key: object, call: Shared, joined: bool) -> tuple[object, bool]:
        call.members += 1
        try:
            value = await asyncio.shield(call.done)
        except asyncio.CancelledError:
            self.cancelled(key, call, joined)
            raise
        return value, self.shared(call, joined)

    def shared(self, call: Shared, joined: bool) -> bool:
        return joined or call.joined

    def cancelled(self, key: object, call: Shared, joined: bool) -> None:
        call.members -= 1
        if not call.members and not call.done.done():
            self.abandoned(key, call)

    def abandoned(self, key: object, call: Shared) -> None:
        self.unregister(key, call)
        assert call.task is not None
        call.task.cancel()


@quiesce.adapter(PATTERN, name="sf_no_dedupe", **AIO)
class NoDedupe(Flight):
    def enter(self, key: object, work: Work) -> tuple[Shared, bool]:
        return self.start(key, work), False


@quiesce.adapter(PATTERN, name="sf_caches", **AIO)
class Caches(Flight):
    async def succeeded(self, key: object, call: Shared, value: object) -> None:
        call.done.set_result(value)


@quiesce.adapter(PATTERN, name="sf_caches_errors", **AIO)
class CachesErrors(Flight):
    def failed(self, key: object, call: Shared, error: Exception) -> None:
        call.done.set_exception(error)
        call.done.exception()


@quiesce.adapter(PATTERN, name="sf_leader_shared_false", **AIO)
class LeaderToldFalse(Flight):
    def shared(self, call: Shared, joined: bool) -> bool:
        return joined


@quiesce.adapter(PATTERN, name="sf_joiner_shared_false", **AIO)
class JoinerToldFalse(Flight):
    def shared(self, call: Shared, joined: bool) -> bool:
        return call.joined and not joined


@quiesce.adapter(PATTERN, name="sf_joiners_retry_on_error", **AIO)
class JoinersRetry(Flight):
    async def do(self, key: object, work: Work) -> tuple[object, bool]:
        while True:
            call, joined = self.enter(key, work)
            try:
                return await self.member(key, call, joined)
            except Exception:
                if not joined:
                    raise


@quiesce.adapter(PATTERN, name="sf_joiner_runs_too", **AIO)
class JoinerRunsToo(Flight):
    async def do(self, key: object, work: Work) -> tuple[object, bool]:
        call, joined = self.enter(key, work)
        result = await self.member(key, call, joined)
        if not joined:
            return result
        call, joined = self.enter(key, work)
        return await self.member(key, call, joined)


@quiesce.adapter(PATTERN, name="sf_runs_again_for_none", **AIO)
class RunsAgainForNone(Flight):
    async def execute(self, key: object, call: Shared, work: Work) -> None:
        async def insistent() -> object:
            value = await work()
            return await work() if value is None else value

        await super().execute(key, call, insistent)


@quiesce.adapter(PATTERN, name="sf_old_end_unregisters_new", **AIO)
class OldEndUnregistersNew(Flight):
    def unregister(self, key: object, call: Shared) -> None:
        self.calls.pop(key, None)


@quiesce.adapter(PATTERN, name="sf_forget_kills_old_members", **AIO)
class ForgetKills(Flight):
    def forget(self, key: object) -> None:
        call = self.calls.pop(key, None)
        if call is not None:
            call.done.set_exception(RuntimeError("forgotten"))
            call.done.exception()

    async def succeeded(self, key: object, call: Shared, value: object) -> None:
        if not call.done.done():
            await super().succeeded(key, call, value)

    def failed(self, key: object, call: Shared, error: Exception) -> None:
        if not call.done.done():
            super().failed(key, call, error)


@quiesce.adapter(PATTERN, name="sf_global_lock", **AIO)
class GlobalLock(Flight):
    def __init__(self) -> None:
        super().__init__()
        self.lock = asyncio.Lock()

    async def execute(self, key: object, call: Shared, work: Work) -> None:
        try:
            await self.lock.acquire()
        except asyncio.CancelledError:
            self.unregister(key, call)
            raise
        try:
            await super().execute(key, call, work)
        finally:
            self.lock.release()


@quiesce.adapter(PATTERN, name="sf_key_leak_on_error", **AIO)
class KeyLeakOnError(Flight):
    def failed(self, key: object, call: Shared, error: Exception) -> None:
        call.done.set_exception(error)
        call.done.exception()
        self.calls[key] = Shared()  # still registered, and nothing runs for it


@quiesce.adapter(PATTERN, name="sf_answers_before_unregister", **AIO)
class AnswersFirst(Flight):
    async def succeeded(self, key: object, call: Shared, value: object) -> None:
        call.done.set_result(value)
        for _ in range(4):
            await asyncio.sleep(0)
        self.unregister(key, call)


@quiesce.adapter(PATTERN, name="sf_leader_cancel_spreads", **AIO)
class LeaderSpreads(Flight):
    def cancelled(self, key: object, call: Shared, joined: bool) -> None:
        if joined:
            super().cancelled(key, call, joined)
        else:
            self.unregister(key, call)
            assert call.task is not None
            call.task.cancel()
            call.done.cancel()


@quiesce.adapter(PATTERN, name="sf_leader_cancel_strands", **AIO)
class LeaderStrands(Flight):
    def cancelled(self, key: object, call: Shared, joined: bool) -> None:
        if joined:
            call.members -= 1
            return
        self.calls[key] = Shared()  # registered for ever
        assert call.task is not None
        call.task.cancel()


@quiesce.adapter(PATTERN, name="sf_joiner_cancel_unregisters", **AIO)
class JoinerUnregisters(Flight):
    def cancelled(self, key: object, call: Shared, joined: bool) -> None:
        if joined:
            self.unregister(key, call)
        super().cancelled(key, call, joined)


@quiesce.adapter(PATTERN, name="sf_last_cancel_leaks_execution", **AIO)
class LastLeaks(Flight):
    def abandoned(self, key: object, call: Shared) -> None:
        self.unregister(key, call)


@quiesce.adapter(PATTERN, name="sf_newcomer_joins_dying", **AIO)
class NewcomerJoinsDying(Flight):
    def abandoned(self, key: object, call: Shared) -> None:
        assert call.task is not None
        call.task.cancel()  # the key stays registered until the task has ended

    async def execute(self, key: object, call: Shared, work: Work) -> None:
        try:
            await super().execute(key, call, work)
        except asyncio.CancelledError:
            call.done.cancel()
            raise


@quiesce.adapter(PATTERN, name="sf_reentrant_runs_twice", **AIO)
class ReentrantRunsTwice(Flight):
    def reentered(self, key: object, work: Work) -> tuple[Shared, bool]:
        return self.start(key, work), False


@quiesce.adapter(PATTERN, name="sf_keeps_result", **AIO)
class KeepsResult(Flight):
    def __init__(self) -> None:
        super().__init__()
        self.latest: object = None

    async def succeeded(self, key: object, call: Shared, value: object) -> None:
        self.latest = value
        await super().succeeded(key, call, value)


@quiesce.adapter(PATTERN, name="un_swallows_a_cancellation", **AIO)
class SwallowsCancellation(Flight):
    async def member(self, key: object, call: Shared, joined: bool) -> tuple[object, bool]:
        try:
            return await super().member(key, call, joined)
        except asyncio.CancelledError:
            call.members += 1
            return await asyncio.shield(call.done), self.shared(call, joined)

    def abandoned(self, key: object, call: Shared) -> None:
        """Nobody really leaves."""


#: By event loop, so that trials do not meet.
TABLES: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, Shared]]
TABLES = weakref.WeakKeyDictionary()


@quiesce.adapter(PATTERN, name="un_shares_state", **AIO)
class SharesState(Flight):
    def __init__(self) -> None:
        self.calls = TABLES.setdefault(asyncio.get_running_loop(), {})


class ThreadCall:
    """One execution in the thread world."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: object = None
        self.error: BaseException | None = None
        self.joined = False
        self.futures: list[Future[tuple[object, bool]]] = []


@quiesce.adapter(PATTERN, name="sf_good_threads", **THREADS)
class ThreadFlight:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls: dict[object, ThreadCall] = {}
        self.running = threading.local()

    def do(self, key: object, work: Callable[[], object]) -> tuple[object, bool]:
        call, leads = self.enter(key)
        if leads:
            self.execute(key, call, work)
        else:
            call.done.wait()
        if call.error is not None:
            raise call.error
        return call.value, not leads or call.joined

    def do_future(self, key: object, work: Callable[[], object]) -> Future[tuple[object, bool]]:
        future: Future[tuple[object, bool]] = Future()
        with self.lock:
            call = self.calls.get(key)
            if call is not None:
                call.joined = True
                call.futures.append(future)
                return future
            call = self.calls[key] = ThreadCall()
            call.futures.append(future)
        threading.Thread(target=self.execute, args=(key, call, work)).start()
        return future

    def forget(self, key: object) -> None:
        with self.lock:
            self.calls.pop(key, None)

    def enter(self, key: object) -> tuple[ThreadCall, bool]:
        with self.lock:
            call = self.calls.get(key)
            if call is None:
                call = self.calls[key] = ThreadCall()
                return call, True
            if call in getattr(self.running, "calls", ()):
                raise RuntimeError("the function calls its own key")
            call.joined = True
            return call, False

    def execute(self, key: object, call: ThreadCall, work: Callable[[], object]) -> None:
        before = getattr(self.running, "calls", ())
        self.running.calls = (*before, call)
        try:
            call.value = work()
        except BaseException as error:
            self.failed(call, error)
        finally:
            self.running.calls = before
        self.end(key, call)

    def failed(self, call: ThreadCall, error: BaseException) -> None:
        call.error = error

    def end(self, key: object, call: ThreadCall) -> None:
        with self.lock:
            if self.calls.get(key) is call:
                del self.calls[key]
        call.done.set()
        for index, future in enumerate(call.futures):
            self.deliver(future, call, leads=index == 0)

    def deliver(self, future: Future[tuple[object, bool]], call: ThreadCall, leads: bool) -> None:
        if call.error is not None:
            future.set_exception(call.error)
        else:
            future.set_result((call.value, call.joined))


@quiesce.adapter(PATTERN, name="un_holds_a_lock_while_it_runs", **THREADS)
class HoldsALock(ThreadFlight):
    """Each thread has a lock of its own, held while its function runs."""

    def do(self, key: object, work: Callable[[], object]) -> tuple[object, bool]:
        if not hasattr(self.running, "lock"):
            self.running.lock = threading.Lock()
        if key in getattr(self.running, "keys", ()):
            return super().do(key, work)
        with self.running.lock:
            self.running.keys = (key,)
            try:
                return super().do(key, work)
            finally:
                self.running.keys = ()


@quiesce.adapter(PATTERN, name="sf_check_then_act", **THREADS)
class CheckThenAct(ThreadFlight):
    """Looks the key up and registers it under two different holds of the lock."""

    def enter(self, key: object) -> tuple[ThreadCall, bool]:
        with self.lock:
            call = self.calls.get(key)
        if call is not None:
            return super().enter(key)
        with self.lock:
            call = self.calls[key] = ThreadCall()
        return call, True


@quiesce.adapter(PATTERN, name="sf_panic_strands_joiners", **THREADS)
class PanicStrands(ThreadFlight):
    def failed(self, call: ThreadCall, error: BaseException) -> None:
        if not isinstance(error, Exception | SystemExit):
            raise error  # past the end, which would have released the others
        super().failed(call, error)


@quiesce.adapter(PATTERN, name="sf_exit_strands_joiners", **THREADS)
class ExitStrands(ThreadFlight):
    def failed(self, call: ThreadCall, error: BaseException) -> None:
        if isinstance(error, SystemExit):
            raise error
        super().failed(call, error)


@quiesce.adapter(PATTERN, name="sf_panic_loses_futures", **THREADS)
class PanicLosesFutures(ThreadFlight):
    def deliver(self, future: Future[tuple[object, bool]], call: ThreadCall, leads: bool) -> None:
        if call.error is None or isinstance(call.error, Exception):
            super().deliver(future, call, leads)


@quiesce.adapter(PATTERN, name="sf_panic_becomes_none", **THREADS)
class PanicBecomesNone(ThreadFlight):
    def do(self, key: object, work: Callable[[], object]) -> tuple[object, bool]:
        call, leads = self.enter(key)
        if leads:
            self.execute(key, call, work)
        else:
            call.done.wait()
        if call.error is not None and (leads or isinstance(call.error, Exception | SystemExit)):
            raise call.error
        return call.value, not leads or call.joined


@quiesce.adapter(PATTERN, name="sf_unbuffered_chan_leak", **THREADS)
class UnbufferedLeak(ThreadFlight):
    def do_future(self, key: object, work: Callable[[], object]) -> Any:
        future = Handover()
        inner = super().do_future(key, work)

        def hand_over() -> None:
            try:
                outcome: tuple[object, BaseException | None] = (inner.result(), None)
            except BaseException as error:
                outcome = (None, error)
            future.put(outcome)  # blocks until somebody takes it

        threading.Thread(target=hand_over).start()
        return future


class Handover:
    """A rendezvous: ``put`` returns when ``result`` was called."""

    def __init__(self) -> None:
        self.ready, self.taken = threading.Event(), threading.Event()
        self.outcome: tuple[object, BaseException | None] = (None, None)

    def put(self, outcome: tuple[object, BaseException | None]) -> None:
        self.outcome = outcome
        self.ready.set()
        self.taken.wait()

    def result(self) -> object:
        self.ready.wait()
        self.taken.set()
        value, error = self.outcome
        if error is not None:
            raise error
        return value
