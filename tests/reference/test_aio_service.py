"""The service for async tasks: what its docstrings promise beyond the conformance clauses."""

from __future__ import annotations

from typing import Any, NoReturn

import anyio
import pytest

from quiesce_reference.aio import ExecutionCancelledError, ReentrantCallError, Service


async def fails() -> NoReturn:
    raise KeyError("body")


async def live(service: Service, arena: Any, error: Exception | None = None) -> None:
    """Start a service, let it run as far as it can, and leave its block."""
    async with service:
        service.start()
        await arena.settle()
        if error is not None:
            raise error


def test_leaving_the_block_cancels_and_waits_for_the_clean_up(arena: Any, work: Any) -> None:
    log: list[str] = []

    async def cleanup() -> None:
        await anyio.sleep(5)
        log.append("cleaned up")

    async def main() -> None:
        await live(Service(work, cleanup=cleanup), arena)
        assert (work.ends, log) == (["cancelled"], ["cleaned up"])

    arena.run(main)


def test_leaving_the_block_raises_what_ended_the_body_unless_it_failed_itself(arena: Any) -> None:
    async def main() -> None:
        with pytest.raises(KeyError, match="body"):
            await live(Service(fails), arena)
        with pytest.raises(ZeroDivisionError):
            await live(Service(fails), arena, ZeroDivisionError())

    arena.run(main)


def test_outside_the_block_nothing_starts_and_nothing_is_waited_for(arena: Any) -> None:
    async def main() -> None:
        service = Service(fails)
        service.stop()
        with pytest.raises(RuntimeError, match="inside its 'async with' block"):
            service.start()
        with pytest.raises(RuntimeError, match="was not started"):
            await service.wait()
        async with service:
            with pytest.raises(RuntimeError, match="open already"):
                await service.__aenter__()

    arena.run(main)


def test_a_service_is_for_one_run(arena: Any, work: Any) -> None:
    async def main() -> None:
        async with Service(work) as service:
            service.start()
            with pytest.raises(RuntimeError, match="make a new one"):
                service.start()
            service.stop()
            await service.wait()
            with pytest.raises(RuntimeError, match="make a new one"):
                service.start()

    arena.run(main)


def test_a_body_that_is_stopped_before_it_began_gets_to_its_first_checkpoint(
    arena: Any, work: Any
) -> None:
    async def main() -> None:
        async with Service(work) as service:
            service.start()
            service.stop()
            await service.wait()
        assert work.ends == ["cancelled"]

    arena.run(main)


def test_neither_a_second_stop_nor_the_block_cuts_the_clean_up_short(arena: Any, work: Any) -> None:
    log: list[str] = []

    async def cleanup() -> None:
        await anyio.sleep(1)
        log.append("cleaned up")

    async def main() -> None:
        with anyio.CancelScope() as scope:
            async with Service(work, cleanup=cleanup) as service:
                service.start()
                await arena.settle()
                service.stop()
                await arena.settle()
                service.stop()
                scope.cancel()
        assert log == ["cleaned up"]

    arena.run(main)


def test_who_waits_outside_a_cancelled_block_is_not_cancelled_himself(
    arena: Any, work: Any
) -> None:
    async def main() -> None:
        service = Service(work)
        with anyio.CancelScope() as scope:
            async with service:
                service.start()
                (caller,) = await arena.started(service.wait)
                scope.cancel()
                await anyio.sleep(1)
        await arena.settle()
        assert caller.status == "raised"
        assert isinstance(caller.error, ExecutionCancelledError)

    arena.run(main)


def test_a_body_that_waits_for_itself_is_told_so(arena: Any) -> None:
    async def main() -> None:
        services: list[Service] = []
        services.append(Service(lambda: services[0].wait()))
        with pytest.raises(ReentrantCallError):
            await live(services[0], arena)

    arena.run(main)


def test_the_error_of_the_clean_up_has_that_of_the_body_as_its_context(arena: Any) -> None:
    async def cleanup() -> NoReturn:
        raise OSError

    async def main() -> None:
        with pytest.raises(OSError) as caught:
            await live(Service(fails, cleanup=cleanup), arena)
        assert isinstance(caught.value.__context__, KeyError)

    arena.run(main)
