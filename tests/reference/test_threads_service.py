"""The service for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NoReturn

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.errors import ReentrantCallError
from quiesce_reference.threads import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)


def until_stopped(stopping: threading.Event) -> None:
    stopping.wait()


def fails(stopping: threading.Event) -> NoReturn:
    raise KeyError("body")


def test_leaving_the_block_stops_and_waits():
    log: list[str] = []

    with Service(until_stopped, cleanup=lambda: log.append("cleaned up")) as service:
        service.start()

    assert log == ["cleaned up"]


def test_leaving_the_block_raises_what_ended_the_body():
    with pytest.raises(KeyError, match="body"), Service(fails) as service:
        service.start()


def test_the_error_of_the_block_goes_before_that_of_the_body():
    def block() -> NoReturn:
        with Service(fails) as service:
            service.start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()


def test_leaving_the_block_without_a_start_does_nothing():
    with Service(fails) as service:
        service.stop()

    with pytest.raises(RuntimeError, match="was not started"):
        service.wait()


def test_a_service_is_for_one_run():
    with Service(until_stopped) as service:
        service.start()
        with pytest.raises(RuntimeError, match="make a new one"):
            service.start()
        service.stop()
        service.wait()
        with pytest.raises(RuntimeError, match="make a new one"):
            service.start()


def test_a_stop_before_the_start_is_not_remembered():
    seen: list[bool] = []
    service = Service(lambda stopping: seen.append(stopping.is_set()))
    service.stop()
    service.start()
    service.wait()

    assert seen == [False]


def test_every_wait_raises_the_same_object_with_the_same_traceback():
    service = Service(fails)
    service.start()
    raised, lengths = [], []
    for _ in range(3):
        with pytest.raises(KeyError) as caught:
            service.wait()
        raised.append(caught.value)
        lengths.append(len(caught.traceback))

    assert raised[0] is raised[1] is raised[2]
    assert lengths[0] == lengths[1] == lengths[2]


def test_the_error_of_the_clean_up_has_that_of_the_body_as_its_context():
    def cleanup() -> NoReturn:
        raise OSError

    service = Service(fails, cleanup=cleanup)
    service.start()
    with pytest.raises(OSError) as caught:
        service.wait()

    assert isinstance(caught.value.__context__, KeyError)


def test_an_exit_of_the_body_reaches_wait():
    def exits(stopping: threading.Event) -> NoReturn:
        raise SystemExit(3)

    service = Service(exits)
    service.start()

    with pytest.raises(SystemExit, match="3"):
        service.wait()


def test_a_body_that_waits_for_itself_is_told_so():
    services: list[Service] = []
    service = Service(lambda _: services[0].wait())
    services.append(service)
    service.start()

    with pytest.raises(ReentrantCallError):
        service.wait()


def test_a_thread_that_can_not_be_started_leaves_the_service_as_it_was(monkeypatch):
    def refuse(thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    service = Service(until_stopped)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            service.start()

    with service:
        service.start()


class EverybodyAtOnce:
    """One thread starts and stops, others wait as soon as they see it started."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.started = threading.Event()
        self.service = Service(self.body, cleanup=lambda: self.log.append("cleaned up"))

    def body(self, stopping: threading.Event) -> None:
        stopping.wait()
        self.log.append("stopped")

    def start_and_stop(self) -> None:
        self.service.start()
        self.started.set()
        self.service.stop()

    def wait(self) -> None:
        self.started.wait()
        self.service.wait()
        self.log.append("waited")

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.start_and_stop, self.wait, self.wait

    def ok(self) -> bool:
        return self.log == ["stopped", "cleaned up", "waited", "waited"]


def test_whoever_saw_the_start_waits_for_the_clean_up_under_every_schedule():
    found = explore(EverybodyAtOnce, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 100


class TwoStarts:
    """Two threads start the same service."""

    def __init__(self) -> None:
        self.runs = self.refused = 0
        self.service = Service(self.body)

    def body(self, stopping: threading.Event) -> None:
        self.runs += 1

    def start(self) -> None:
        try:
            self.service.start()
        except RuntimeError:
            self.refused += 1
        self.service.wait()

    def tasks(self) -> Sequence[Callable[[], object]]:
        return self.start, self.start

    def ok(self) -> bool:
        return (self.runs, self.refused) == (1, 1)


def test_of_two_starts_one_is_refused_under_every_schedule():
    found = explore(TwoStarts, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
