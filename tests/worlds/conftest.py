"""The vocabulary in which the battery is written: one program, in the words of each world.

A program is a generator that yields *actions* and gets their results (or has their errors
raised at the ``yield``). An action is a function: in the thread world it does the thing, in
the async worlds it returns a coroutine that does.
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from quiesce.worlds.world import Operation, World, WorldFactory

Action = Callable[[], Any]
Body = Callable[[], Generator[Action, Any, Any]]


class Speech(Protocol):
    """How things are said in one world."""

    name: str
    has_choice: bool  # whether a scheduler can order its tasks in different ways
    library: str | None  # what sniffio calls it

    def make_factory(self) -> WorldFactory: ...
    def program(self, body: Body) -> Operation: ...
    def is_cancellation(self, error: BaseException) -> bool: ...
    def sleep(self, seconds: float) -> Action: ...
    def pause(self) -> Action: ...
    def make_lock(self) -> Action: ...
    def acquire(self, lock: Any) -> Action: ...
    def release(self, lock: Any) -> Action: ...
    def leaks(self, world: World) -> dict[str, Operation]:
        """Programs that leave something behind, by a word that its name contains."""


def _load_factory(module: str, name: str, **arguments: Any) -> WorldFactory:
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        pytest.fail(f"{module} does not offer {name}: {error}", pytrace=False)
    made: WorldFactory = factory(**arguments)
    return made


class _Async:
    """What asyncio and trio have in common."""

    def program(self, body: Body) -> Operation:
        async def operation() -> Any:
            steps = body()
            go_on: Callable[[], Action] = functools.partial(next, steps)
            while True:
                try:
                    action = go_on()
                except StopIteration as end:
                    return end.value
                try:
                    done = action()
                    result = await done if isinstance(done, Awaitable) else done
                except BaseException as error:
                    go_on = functools.partial(steps.throw, error)
                else:
                    go_on = functools.partial(steps.send, result)

        return operation


class AsyncioSpeech(_Async):
    name = "asyncio"
    has_choice = False
    library: str | None = "asyncio"

    def make_factory(self) -> WorldFactory:
        return _load_factory("quiesce.worlds.asyncio", "AsyncioWorldFactory")

    def is_cancellation(self, error: BaseException) -> bool:
        import asyncio

        return isinstance(error, asyncio.CancelledError)

    def sleep(self, seconds: float) -> Action:
        import asyncio

        return lambda: asyncio.sleep(seconds)

    def pause(self) -> Action:
        return self.sleep(0)

    def make_lock(self) -> Action:
        import asyncio

        return asyncio.Lock

    def acquire(self, lock: Any) -> Action:
        return lambda: lock.acquire()

    def release(self, lock: Any) -> Action:
        return lambda: lock.release()

    def leaks(self, world: World) -> dict[str, Operation]:
        import asyncio

        kept: list[Any] = []
        gate: Any = world.gate("leaky")

        async def leaky_wait() -> None:
            await gate.wait()

        async def leave_task() -> None:
            kept.append(asyncio.create_task(leaky_wait()))

        async def leave_timer() -> None:
            def leaky_timer() -> None: ...

            asyncio.get_running_loop().call_later(5, leaky_timer)

        async def leave_job() -> None:
            def leaky_job() -> None:
                gate.wait_in_job()

            kept.append(asyncio.get_running_loop().run_in_executor(None, leaky_job))

        async def leave_error() -> None:
            async def leaky_failure() -> None:
                raise ValueError("lost")

            kept.append(asyncio.create_task(leaky_failure()))

        async def leave_generator() -> None:
            async def leaky_generator() -> Any:
                yield 1
                yield 2

            kept.append(leaky_generator())
            await anext(kept[-1])

        return {
            "leaky_wait": leave_task,
            "leaky_timer": leave_timer,
            "leaky_job": leave_job,
            "leaky_failure": leave_error,
            "leaky_generator": leave_generator,
        }


class TrioSpeech(_Async):
    name = "trio"
    has_choice = True
    library: str | None = "trio"

    def make_factory(self) -> WorldFactory:
        return _load_factory("quiesce.worlds.trio", "TrioWorldFactory")

    def is_cancellation(self, error: BaseException) -> bool:
        import trio

        return isinstance(error, trio.Cancelled)

    def sleep(self, seconds: float) -> Action:
        import trio

        return lambda: trio.sleep(seconds)

    def pause(self) -> Action:
        import trio

        return trio.lowlevel.checkpoint

    def make_lock(self) -> Action:
        import trio

        return trio.Lock

    def acquire(self, lock: Any) -> Action:
        return lambda: lock.acquire()

    def release(self, lock: Any) -> Action:
        return lambda: lock.release()

    def leaks(self, world: World) -> dict[str, Operation]:
        import trio

        gate: Any = world.gate("leaky")

        async def leaky_task() -> None:
            await gate.wait()

        async def leave_task() -> None:
            trio.lowlevel.spawn_system_task(leaky_task)

        return {"leaky_task": leave_task}


class ThreadSpeech:
    """Imports stand inside functions, where the world shows its simulated modules."""

    name = "threads"
    has_choice = True
    library: str | None = None

    def make_factory(self) -> WorldFactory:
        return _load_factory("quiesce.worlds.threads", "ThreadWorldFactory")

    def program(self, body: Body) -> Operation:
        def operation() -> Any:
            steps = body()
            go_on: Callable[[], Action] = functools.partial(next, steps)
            while True:
                try:
                    action = go_on()
                except StopIteration as end:
                    return end.value
                try:
                    result = action()
                except BaseException as error:
                    go_on = functools.partial(steps.throw, error)
                else:
                    go_on = functools.partial(steps.send, result)

        return operation

    def is_cancellation(self, error: BaseException) -> bool:
        return False

    def sleep(self, seconds: float) -> Action:
        def act() -> None:
            import time

            time.sleep(seconds)

        return act

    def pause(self) -> Action:
        return self.sleep(0)

    def make_lock(self) -> Action:
        def act() -> Any:
            import threading

            return threading.Lock()

        return act

    def acquire(self, lock: Any) -> Action:
        return lambda: lock.acquire()

    def release(self, lock: Any) -> Action:
        return lambda: lock.release()

    def leaks(self, world: World) -> dict[str, Operation]:
        gate: Any = world.gate("leaky")

        def leave_thread() -> None:
            import threading

            threading.Thread(target=gate.wait, name="leaky_thread", daemon=True).start()

        def leave_timer() -> None:
            import threading

            timer = threading.Timer(5, gate.wait)
            timer.name = "leaky_timer"
            timer.start()

        return {"leaky_thread": leave_thread, "leaky_timer": leave_timer}


@pytest.fixture(params=[AsyncioSpeech, TrioSpeech, ThreadSpeech], ids=lambda each: each.name)
def speech(request: pytest.FixtureRequest) -> Speech:
    """One world's words."""
    spoken: Speech = request.param()
    return spoken


@pytest.fixture
def asyncio_speech() -> Speech:
    """The words of asyncio, where a second world is needed."""
    return AsyncioSpeech()


@pytest.fixture
def factory(speech: Speech) -> Iterator[WorldFactory]:
    """A factory of the world at hand."""
    made = speech.make_factory()
    yield made
    made.shut()


@pytest.fixture
def world(factory: WorldFactory) -> Iterator[World]:
    """An open world."""
    opened = factory.open()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def no_real_thread_is_left() -> Iterator[None]:
    """Worlds know one real thread."""
    before = threading.enumerate()
    yield
    assert threading.enumerate() == before
