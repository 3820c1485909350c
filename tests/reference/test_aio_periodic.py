"""The periodic task for async tasks: what its docstrings promise beyond the clauses."""

from __future__ import annotations

from typing import Any, NoReturn

import anyio
import pytest

from quiesce_reference.aio import ExecutionCancelledError, Periodic

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


async def nothing() -> None:
    """Do it."""


async def live(periodic: Periodic, seconds: float, error: Exception | None = None) -> None:
    """Start a periodic task, and leave its block after some time."""
    async with periodic:
        periodic.start()
        await anyio.sleep(seconds)
        if error is not None:
            raise error


def test_a_period_of_nothing_is_refused(arena: Any) -> None:
    async def main() -> None:
        for period in (0, -1):
            with pytest.raises(ValueError, match=f"more than 0 nanoseconds, not {period}"):
                Periodic(period, nothing)

    arena.run(main)


def test_a_block_is_left_at_once_however_long_the_period_is(arena: Any) -> None:
    async def main() -> None:
        began_at = anyio.current_time()
        await live(Periodic(HOUR, nothing), 0)
        assert anyio.current_time() == began_at

    arena.run(main)


def test_leaving_the_block_lets_a_run_end(arena: Any) -> None:
    ended: list[float] = []

    async def run() -> None:
        await anyio.sleep(5)
        ended.append(anyio.current_time())

    async def main() -> None:
        began_at = anyio.current_time()
        await live(Periodic(SECOND, run), 2)
        assert ended == [began_at + 6]

    arena.run(main)


def test_a_block_that_fails_or_is_cancelled_cancels_the_run(arena: Any, new_work: Any) -> None:
    async def main() -> None:
        failing, cancelled = new_work(), new_work()
        with pytest.raises(ZeroDivisionError):
            await live(Periodic(SECOND, failing), 1.5, ZeroDivisionError())
        periodic = Periodic(SECOND, cancelled)
        with anyio.move_on_after(1.5):
            await live(periodic, 9)
        with pytest.raises(ExecutionCancelledError):
            await periodic.wait()
        assert (failing.ends, cancelled.ends) == (["cancelled"], ["cancelled"])

    arena.run(main)


def test_leaving_the_block_raises_what_ended_the_task(arena: Any) -> None:
    async def fails() -> NoReturn:
        raise KeyError("run")

    async def main() -> None:
        with pytest.raises(KeyError, match="run"):
            await live(Periodic(SECOND, fails), 3)

    arena.run(main)


def test_a_long_run_is_followed_by_one_run_at_once_and_the_phase_is_kept(arena: Any) -> None:
    begun: list[float] = []

    async def run() -> None:
        begun.append(anyio.current_time())
        if len(begun) == 2:
            await anyio.sleep(2.5)

    async def main() -> None:
        began_at = anyio.current_time()
        await live(Periodic(SECOND, run, overrun="run_once"), 5.5)
        assert [at - began_at for at in begun] == [1, 2, 4.5, 5]

    arena.run(main)


def test_errors_go_to_the_handler_until_that_fails_itself(arena: Any) -> None:
    handled: list[str] = []

    async def fails() -> NoReturn:
        raise KeyError(len(handled))

    async def handle(error: Exception) -> None:
        handled.append(repr(error))
        if len(handled) == 2:
            raise OSError("enough") from error

    async def main() -> None:
        with pytest.raises(OSError, match="enough"):
            await live(Periodic(SECOND, fails, on_error=handle), 5)
        assert handled == ["KeyError(0)", "KeyError(1)"]

    arena.run(main)
