"""The periodic task for threads: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

from quiesce.explore import explore
from quiesce.schedulers.portfolio import Budget
from quiesce_reference.threads import Periodic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECOND = 1_000_000_000
#: Schedules that are tried of each program.
FEW = Budget(executions=300, bounded=200, deviations=50, slice=20)
HOUR = 3600 * SECOND


@pytest.mark.parametrize("period", [0, -1])
def test_a_period_of_nothing_is_refused(period):
    with pytest.raises(ValueError, match=f"more than 0 nanoseconds, not {period}"):
        Periodic(period, print)


def test_a_block_is_left_at_once_however_long_the_period_is():
    before = threading.active_count()

    with Periodic(HOUR, print) as periodic:
        periodic.start()
        assert threading.active_count() == before + 1

    assert threading.active_count() == before


def test_it_is_started_once():
    with Periodic(HOUR, print) as periodic:
        periodic.start()
        with pytest.raises(RuntimeError, match="make a new one"):
            periodic.start()


class ThreeRuns:
    """The third run stops the loop; the second one takes longer than two periods."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.start = time.monotonic_ns()
        self.periodic = Periodic(SECOND, self.run, overrun="run_once")

    def run(self) -> None:
        self.begun.append((time.monotonic_ns() - self.start) // 10**8)
        if len(self.begun) == 2:
            time.sleep(2.5)
        if len(self.begun) == 4:
            self.periodic.stop()

    def main(self) -> None:
        self.periodic.start()
        self.periodic.wait()

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (self.main,)

    def ok(self) -> bool:
        return self.begun == [10, 20, 45, 50]


def test_a_long_run_is_followed_by_one_run_at_once_and_the_phase_is_kept():
    found = explore(ThreeRuns, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found


class StopAtAnyTime:
    """A stop races with the loop, wherever that stands."""

    def __init__(self) -> None:
        self.runs = 0
        self.ended = -1
        self.periodic = Periodic(SECOND, self.run)

    def run(self) -> None:
        self.runs += 1

    def stop(self) -> None:
        self.periodic.start()
        time.sleep(1)
        self.periodic.stop()
        self.periodic.wait()
        self.ended = self.runs

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (self.stop,)

    def ok(self) -> bool:
        return self.ended == self.runs <= 1


def test_a_stop_in_the_instant_of_a_run_ends_the_loop_in_that_instant():
    found = explore(StopAtAnyTime, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
    assert found.executions > 20


class Failing:
    """Every run fails; the handler gives up at the second failure."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.error: BaseException | None = None

    def run(self) -> NoReturn:
        raise KeyError(len(self.handled))

    def handle(self, error: Exception) -> None:
        self.handled.append(repr(error))
        if len(self.handled) == 2:
            raise OSError("enough") from error

    def main(self) -> None:
        periodic = Periodic(SECOND, self.run, on_error=self.handle)
        periodic.start()
        try:
            periodic.wait()
        except OSError as error:
            self.error = error

    def tasks(self) -> Sequence[Callable[[], object]]:
        return (self.main,)

    def ok(self) -> bool:
        return self.handled == ["KeyError(0)", "KeyError(1)"] and str(self.error) == "enough"


def test_errors_go_to_the_handler_until_that_fails_itself():
    found = explore(Failing, packages=["quiesce_reference"], budget=FEW)

    assert found.failure is None, found
