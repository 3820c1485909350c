"""Once for threads, with real threads held at known places."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from quiesce_reference.threads import Once, ReentrantCallError, once_func, once_value

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


class AnnouncingCondition(threading.Condition):
    """Tells of each wait. Nobody can notify before the wait has really begun."""

    def __init__(self) -> None:
        super().__init__(threading.Lock())
        self.announced = threading.Semaphore(0)

    def wait(self, timeout: float | None = None) -> bool:
        self.announced.release()
        return super().wait(timeout)

    def wait_for_waiters(self, count: int) -> None:
        for _ in range(count):
            assert self.announced.acquire(timeout=PATIENCE)


class Work:
    """A function that blocks until the test opens it."""

    def __init__(self, outcome: object = None) -> None:
        self.runs = 0
        self.began = threading.Semaphore(0)
        self.opened = threading.Semaphore(0)
        self.outcome = outcome

    def __call__(self) -> object:
        self.runs += 1
        self.began.release()
        assert self.opened.acquire(timeout=PATIENCE)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def wait_until_begun(self) -> None:
        assert self.began.acquire(timeout=PATIENCE)


def watched(once: Once) -> AnnouncingCondition:
    condition = AnnouncingCondition()
    once._changed = condition
    return condition


def test_the_first_call_executes_and_the_others_wait_for_its_end() -> None:
    once, works = Once(), [Work() for _ in range(4)]
    condition = watched(once)
    first = Caller(lambda: once.do(works[0]))
    works[0].wait_until_begun()
    others = [Caller(partial(once.do, work)) for work in works[1:]]
    condition.wait_for_waiters(3)
    works[0].opened.release()
    assert [caller.join().error for caller in [first, *others]] == [None] * 4
    assert [work.runs for work in works] == [1, 0, 0, 0]


def test_what_the_function_wrote_is_there_for_every_returned_caller() -> None:
    for _ in range(20):
        once, box = Once(), list[int]()
        barrier = threading.Barrier(4)

        def race(once: Once = once, box: list[int] = box, barrier: Any = barrier) -> list[int]:
            barrier.wait(PATIENCE)
            once.do(lambda: box.append(1))
            return list(box)

        callers = [Caller(race) for _ in range(4)]
        assert [caller.join().value for caller in callers] == [[1]] * 4


def test_an_error_goes_to_its_caller_alone_and_counts_as_done() -> None:
    once, error = Once(), ValueError()
    condition, work = watched(once), Work(error)
    first = Caller(lambda: once.do(work))
    work.wait_until_begun()
    second = Caller(lambda: once.do(work))
    condition.wait_for_waiters(1)
    work.opened.release()
    assert first.join().error is error
    assert second.join().error is None
    once.do(work)
    assert work.runs == 1


def test_wrappers_give_everybody_the_same_value_object() -> None:
    value, calls = object(), []

    def make() -> object:
        calls.append(1)
        return value

    get = once_value(make)
    callers = [Caller(get) for _ in range(3)]
    assert all(caller.join().value is value for caller in callers)
    assert get() is value
    assert len(calls) == 1


def test_wrappers_give_everybody_the_same_exception_object() -> None:
    error, calls = ValueError(), []

    def fail() -> None:
        calls.append(1)
        raise error

    call = once_func(fail)
    callers = [Caller(call) for _ in range(3)]
    assert all(caller.join().error is error for caller in callers)
    with pytest.raises(ValueError) as caught:
        call()
    assert caught.value is error
    assert len(calls) == 1


def test_once_func_returns_nothing() -> None:
    assert once_func(lambda: 5)() is None


def test_a_nested_call_raises_and_executes_nothing() -> None:
    once, log = Once(), []

    def nested() -> None:
        log.append("outer")
        with pytest.raises(ReentrantCallError, match="same Once"):
            once.do(nested)
        log.append("after")

    once.do(nested)
    once.do(nested)
    assert log == ["outer", "after"]


def test_an_object_may_be_used_inside_the_function_of_another() -> None:
    outer, inner, log = Once(), Once(), []
    outer.do(lambda: inner.do(lambda: log.append("inner")))
    outer.do(lambda: log.append("again"))
    assert log == ["inner"]


@pytest.mark.parametrize("request_to_exit", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_after_an_exit_request_exactly_one_waiter_takes_over(
    request_to_exit: BaseException,
) -> None:
    once = Once()
    condition, interrupted, work = watched(once), Work(request_to_exit), Work()
    first = Caller(lambda: once.do(interrupted))
    interrupted.wait_until_begun()
    others = [Caller(lambda: once.do(work)) for _ in range(3)]
    condition.wait_for_waiters(3)
    interrupted.opened.release()
    assert first.join().error is request_to_exit
    work.wait_until_begun()
    condition.wait_for_waiters(2)  # the two who found an heir already at work
    work.opened.release()
    assert [caller.join().error for caller in others] == [None] * 3
    assert (interrupted.runs, work.runs) == (1, 1)


def test_a_wrapper_executes_again_after_an_exit_request() -> None:
    runs = []

    def make() -> str:
        runs.append(1)
        if len(runs) == 1:
            raise SystemExit
        return "value"

    get = once_value(make)
    with pytest.raises(SystemExit):
        get()
    assert get() == get() == "value"
    assert len(runs) == 2


def make_released_function(fails: bool) -> tuple[Any, list[weakref.ref[Any]]]:
    """A function that holds on to something, and weak references to both."""

    class Captured:
        pass

    captured = Captured()

    def use() -> None:
        assert captured
        if fails:
            # Three more errors drag this frame along: a member, a cause and a context.
            member, cause, context = KeyError(), LookupError(), ValueError()
            for error in (member, cause, context):
                with contextlib.suppress(Exception):
                    raise error
            group = ExceptionGroup("a member", [member])
            group.__cause__, group.__context__ = cause, context
            raise group

    return use, [weakref.ref(use), weakref.ref(captured)]


@pytest.mark.parametrize("fails", [False, True])
def test_the_function_is_released_after_the_execution(fails: bool) -> None:
    use, references = make_released_function(fails)
    call, notes = once_func(use), []
    del use
    try:
        call()
    except ExceptionGroup as error:
        notes = error.__notes__
    gc.collect()
    assert [reference() for reference in references] == [None, None]
    # What is lost with the frames is told in words.
    assert ["in make_released_function.<locals>.use" in note for note in notes] == [True] * fails


def test_what_the_caller_was_handling_keeps_its_traceback() -> None:
    def fail() -> None:
        raise ValueError

    handled = KeyError()
    try:
        raise handled
    except KeyError:
        with pytest.raises(ValueError) as caught:
            once_func(fail)()
    assert handled.__traceback__ is not None
    assert caught.value.__context__ is handled


def test_a_kept_error_does_not_grow_with_its_callers() -> None:
    def fail() -> None:
        raise ValueError

    call, lengths = once_func(fail), set()
    for _ in range(3):
        try:
            call()
        except ValueError as error:
            trace, length = error.__traceback__, 0
            while trace is not None:
                trace, length = trace.tb_next, length + 1
            lengths.add(length)
    assert len(lengths) == 1
