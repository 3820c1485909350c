"""Singleflight for threads, with real threads held at known places."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from quiesce_reference.threads import ReentrantCallError, Result, SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60  # seconds until a hang fails the test; no verdict depends on it


class Caller:
    """One call in a thread of its own."""

    def __init__(self, fn: Callable[[], object]) -> None:
        self._fn = fn
        self.value: object = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.value = self._fn()
        except BaseException as error:
            self.error = error

    def join(self) -> Caller:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the call hangs"
        return self


class Work:
    """A function whose runs block until the test opens them, first run first."""

    def __init__(self) -> None:
        self.runs = 0
        self.began = threading.Semaphore(0)
        self._answers: list[tuple[threading.Event, list[object]]] = [
            (threading.Event(), []) for _ in range(5)
        ]

    def __call__(self) -> Any:
        event, answer = self._answers[self.runs]
        self.runs += 1
        self.began.release()
        assert event.wait(PATIENCE)
        if isinstance(answer[0], BaseException):
            raise answer[0]
        return answer[0]

    def wait_until_begun(self) -> None:
        assert self.began.acquire(timeout=PATIENCE)

    def open(self, answer: object, *, run: int = 0) -> None:
        event, box = self._answers[run]
        box.append(answer)
        event.set()


class WatchedFlight:
    """A SingleFlight, and a way to wait until so many callers have entered it."""

    def __init__(self) -> None:
        self.flight = SingleFlight[str, Any]()
        self._entered = threading.Semaphore(0)
        enter = self.flight._enter

        def announcing(key: str, *, waits: bool) -> Any:
            try:
                return enter(key, waits=waits)
            finally:
                self._entered.release()

        self.flight._enter = announcing  # type: ignore[method-assign]  # to watch it

    def start(self, work: Callable[[], object], key: str = "a") -> Caller:
        caller = Caller(lambda: self.flight.do(key, work))
        assert self._entered.acquire(timeout=PATIENCE)
        return caller


def test_callers_share_one_execution_and_its_value() -> None:
    watched, works, value = WatchedFlight(), [Work() for _ in range(3)], object()
    callers = [watched.start(work) for work in works]
    works[0].open(value)
    assert [caller.join().value for caller in callers] == [Result(value, True)] * 3
    assert [work.runs for work in works] == [1, 0, 0]


def test_a_lone_caller_does_not_share_and_nothing_is_cached() -> None:
    flight = SingleFlight[str, int]()
    assert flight.do("a", lambda: 1) == Result(1, False)
    assert flight.do("a", lambda: 2) == Result(2, False)
    for failing in (lambda: int("no"), lambda: sys.exit()):
        with pytest.raises((ValueError, SystemExit)):
            flight.do("a", failing)
        assert flight.do("a", lambda: 3) == Result(3, False)


@pytest.mark.parametrize("error", [ValueError(), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_all_members_get_the_same_exception_object(error: BaseException) -> None:
    watched, work = WatchedFlight(), Work()
    callers = [watched.start(work) for _ in range(3)]
    future = watched.flight.do_future("a", work)
    work.open(error)
    assert all(caller.join().error is error for caller in callers)
    assert future.exception(PATIENCE) is error
    assert watched.flight.do("a", lambda: 1) == Result(1, False)


def test_a_blocked_key_blocks_no_other_and_a_function_may_use_one() -> None:
    watched, work = WatchedFlight(), Work()
    blocked = watched.start(work)
    flight = watched.flight
    assert flight.do("b", lambda: flight.do("c", lambda: 1).value + 1) == Result(2, False)
    work.open(0)
    assert blocked.join().value == Result(0, False)


@pytest.mark.parametrize("error", [None, ValueError(), SystemExit(1)], ids=repr)
def test_a_future_gets_one_answer_and_its_thread_ends(error: BaseException | None) -> None:
    before = set(threading.enumerate())
    flight, work = SingleFlight[str, int](), Work()
    first = flight.do_future("a", work)
    second = flight.do_future("a", work)
    (thread,) = set(threading.enumerate()) - before
    assert not thread.daemon
    assert not first.cancel()
    work.open(error or 1)
    for future in (first, second):
        if error is None:
            assert future.result(PATIENCE) == Result(1, True)
        else:
            assert future.exception(PATIENCE) is error
    thread.join(PATIENCE)
    assert set(threading.enumerate()) == before
    assert work.runs == 1


def test_when_no_thread_can_be_started_the_key_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    flight, error = SingleFlight[str, int](), RuntimeError("can't start new thread")

    def refuse(thread: threading.Thread) -> None:
        raise error

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError) as caught:
        flight.do_future("a", lambda: 1)
    assert caught.value is error
    assert flight.do("a", lambda: 2) == Result(2, False)


def test_forget_starts_a_new_execution_and_leaves_the_old_members() -> None:
    watched, work = WatchedFlight(), Work()
    old = [watched.start(work), watched.start(work)]
    work.wait_until_begun()
    watched.flight.forget("a")
    watched.flight.forget("a")
    new = [watched.start(work)]
    work.wait_until_begun()
    work.open("old", run=0)
    assert [caller.join().value for caller in old] == [Result("old", True)] * 2
    # The end of the old one has not unregistered the new one.
    new.append(watched.start(work))
    work.open("new", run=1)
    assert [caller.join().value for caller in new] == [Result("new", True)] * 2
    assert work.runs == 2


def test_a_nested_call_for_the_same_key_raises_and_does_not_count_as_a_joiner() -> None:
    flight = SingleFlight[str, int]()

    def nested() -> int:
        with pytest.raises(ReentrantCallError, match="'a'"):
            flight.do("a", nested)
        with pytest.raises(ReentrantCallError, match="'a'"):
            flight.do("b", lambda: flight.do("a", nested).value)
        return 1

    assert flight.do("a", nested) == Result(1, False)


def test_a_nested_future_joins_its_own_execution() -> None:
    flight, futures = SingleFlight[str, int](), []

    def nested() -> int:
        futures.append(flight.do_future("a", nested))
        return 1

    assert flight.do("a", nested) == Result(1, True)
    assert futures[0].result(PATIENCE) == Result(1, True)


class Thing:
    """Something that can be referred to weakly."""


def make_things(fails: bool) -> tuple[Thing, Any, list[weakref.ref[Any]]]:
    """A key, a function, and weak references to them and to the function's value."""
    key, value = Thing(), Thing()

    def make() -> Thing:
        if fails:
            raise ValueError
        return value

    return key, make, [weakref.ref(thing) for thing in (key, value, make)]


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_kept_after_the_end(fails: bool) -> None:
    key, make, references = make_things(fails)
    flight = SingleFlight[Thing, Thing]()
    with contextlib.suppress(ValueError):
        flight.do(key, make)
    del key, make
    gc.collect()
    assert [reference() for reference in references] == [None] * 3
