"""Hostile adapters: a good singleflight each, with one way to harm who runs it.

A misbehaviour is written once and declared for the worlds where it makes sense. ``trouble``
is called at the start of every call, and ``async_trouble`` in async worlds as well.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import harmless
from anyio import lowlevel, sleep_forever

import quiesce
from quiesce_reference.aio import SingleFlight as AioSingleFlight
from quiesce_reference.threads import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LACKS = {"shared", "future", "forget", "exit", "reentrance_error"}
ALL = ("threads", "asyncio", "trio")
ASYNC = ("asyncio", "trio")


class Flight:
    """A good singleflight for threads, with a place for trouble."""

    def __init__(self) -> None:
        self.flight = SingleFlight[str, object]()

    def trouble(self) -> Any:
        """What a misbehaviour replaces; a value other than None is returned to the caller."""

    def do(self, key: str, work: Callable[[], object]) -> object:
        value = self.trouble()
        return self.flight.do(key, work).value if value is None else value


class AioFlight:
    """The same for asyncio and trio."""

    def __init__(self) -> None:
        self.flight = AioSingleFlight[str, object]()

    def lifespan(self) -> AioSingleFlight[str, object]:
        return self.flight

    def trouble(self) -> Any:
        """See ``Flight``."""

    async def async_trouble(self) -> None:
        """Trouble that needs to wait."""

    async def do(self, key: str, work: Callable[[], Awaitable[object]]) -> object:
        value = self.trouble()
        await self.async_trouble()
        return (await self.flight.do(key, work)).value if value is None else value


def declare(name: str, *worlds: str) -> Callable[[type], type]:
    """Declare a misbehaviour as adapters, one for threads and one for the async worlds."""

    def declared(trouble: type) -> type:
        for world in worlds or ALL:
            base: type = Flight if world == "threads" else AioFlight
            own = f"{trouble.__name__}_{world}"
            adapter = quiesce.adapter(
                "singleflight",
                world=world,
                name=name,
                packages=["quiesce_reference"],
                lacks=LACKS,
                dialect={"sf_cancel": "none" if world == "threads" else "detached"},
            )
            namespace = {"__module__": __name__, "__qualname__": own}
            globals()[own] = adapter(type(own, (trouble, base), namespace))
        return trouble

    return declared


@declare("good")
class Good:
    pass


# Code that never gives the thread back.


@declare("hangs_on_a_real_lock")
class HangsOnARealLock:
    def trouble(self) -> None:
        harmless.LOCKED.acquire()


@declare("loops_for_ever")
class LoopsForEver:
    def trouble(self) -> None:
        while True:
            pass


@declare("loops_in_its_constructor")
class LoopsInItsConstructor:
    def __init__(self) -> None:
        while True:
            pass


@declare("loops_and_swallows_everything")
class LoopsAndSwallowsEverything:
    def trouble(self) -> None:
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass


@declare("spins")
class Spins:
    def trouble(self) -> None:
        while isinstance(self, Flight):
            time.sleep(0)

    async def async_trouble(self) -> None:
        while True:
            await lowlevel.checkpoint()


@declare("recurses")
class Recurses:
    def trouble(self) -> None:
        self.trouble()


# Errors that are no Exceptions, and worse ones.


class Odd(BaseException):
    def __str__(self) -> str:
        raise Odd

    __repr__ = __str__


def raiser(error: type[BaseException]) -> Callable[[object], NoReturn]:
    def raise_it(self: object) -> NoReturn:
        raise error

    return raise_it


@declare("constructor_raises_base_exception")
class ConstructorRaisesBaseException:
    __init__ = raiser(BaseException)


@declare("constructor_raises_keyboard_interrupt")
class ConstructorRaisesKeyboardInterrupt:
    __init__ = raiser(KeyboardInterrupt)


@declare("constructor_raises_system_exit")
class ConstructorRaisesSystemExit:
    __init__ = raiser(SystemExit)


@declare("constructor_raises_odd")
class ConstructorRaisesOdd:
    __init__ = raiser(Odd)


@declare("raises_base_exception", "trio")
class RaisesBaseException:
    trouble = raiser(BaseException)


@declare("raises_keyboard_interrupt")
class RaisesKeyboardInterrupt:
    trouble = raiser(KeyboardInterrupt)


@declare("raises_system_exit")
class RaisesSystemExit:
    trouble = raiser(SystemExit)


@declare("raises_odd")
class RaisesOdd:
    trouble = raiser(Odd)


@declare("raises_cancelled_error", *ASYNC)
class RaisesCancelledError:
    trouble = raiser(asyncio.CancelledError)


@declare("deletes_its_attributes")
class DeletesItsAttributes:
    def trouble(self) -> None:
        vars(self).clear()


# Things left behind.


@declare("leaks_a_thread", "threads")
class LeaksAThread:
    def trouble(self) -> None:
        threading.Thread(target=threading.Event().wait, name="left behind").start()


@declare("leaks_a_task", "asyncio")
class LeaksATask:
    tasks: ClassVar[list[Any]] = []

    def trouble(self) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(asyncio.sleep(1e9), name="left"))


@declare("leaks_a_task", "trio")
class LeaksASystemTask:
    def trouble(self) -> None:
        import trio

        trio.lowlevel.spawn_system_task(trio.sleep_forever, name="left")


@declare("swallows_cancellations", *ASYNC)
class SwallowsCancellations:
    async def async_trouble(self) -> None:
        while True:
            try:  # noqa: SIM105 - as such code looks
                await sleep_forever()
            except BaseException:
                pass


@declare("swallows_the_end", "threads")
class SwallowsTheEnd:
    def trouble(self) -> None:
        while True:
            try:  # noqa: SIM105 - as such code looks
                threading.Event().wait()
            except BaseException:
                pass


@declare("starts_a_real_thread", *ASYNC)
class StartsARealThread:
    def trouble(self) -> None:
        thread = threading.Thread(target=harmless.nothing, name="stray")
        thread.start()
        thread.join()


@declare("swallows_the_refusal_of_a_thread", *ASYNC)
class SwallowsTheRefusalOfAThread:
    def trouble(self) -> None:
        try:  # noqa: SIM105 - as such code looks
            threading.Thread(target=harmless.nothing, name="stray").start()
        except BaseException:
            pass


@declare("has_a_real_thread_started", "threads")
class HasARealThreadStarted:
    def trouble(self) -> None:
        harmless.start_a_thread()


class BadEnd:
    """The end of a lifespan that goes wrong, around the flight's own if that has one."""

    def __init__(self, flight: Any) -> None:
        self.flight = flight

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        raise LookupError("nothing to stop")

    async def __aenter__(self) -> None:
        await self.flight.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await self.flight.__aexit__(*error)
        raise LookupError("nothing to stop")


class NoEnd(BadEnd):
    def __exit__(self, *_: object) -> None:
        threading.Event().wait()

    async def __aexit__(self, *error: object) -> None:
        await self.flight.__aexit__(*error)
        await sleep_forever()


@declare("fails_to_stop")
class FailsToStop:
    flight: Any

    def lifespan(self) -> BadEnd:
        return BadEnd(self.flight)


@declare("never_stops")
class NeverStops:
    flight: Any

    def lifespan(self) -> BadEnd:
        return NoEnd(self.flight)


# Vandalism.


@declare("writes_garbage")
class WritesGarbage:
    def trouble(self) -> None:
        print("\0\x1b[2J\udcff".encode("utf-8", "replace"), flush=True)
        os.write(1, b"\xff\x00garbage\n")


@declare("closes_the_loop", "asyncio")
class ClosesTheLoop:
    def trouble(self) -> None:
        asyncio.get_running_loop().close()


@declare("stops_the_loop", "asyncio")
class StopsTheLoop:
    def trouble(self) -> None:
        asyncio.get_running_loop().stop()


@declare("cancels_the_root", "trio")
class CancelsTheRoot:
    def trouble(self) -> None:
        import trio

        root = trio.lowlevel.current_root_task()
        assert root is not None
        for nursery in root.child_nurseries:
            nursery.cancel_scope.cancel()


@declare("cancels_every_task", "asyncio")
class CancelsEveryTask:
    def trouble(self) -> None:
        for task in asyncio.all_tasks():
            task.cancel()


@declare("changes_the_interpreter")
class ChangesTheInterpreter:
    def trouble(self) -> None:
        sys.setswitchinterval(0.5)
        sys.setrecursionlimit(2_345)
        sys.settrace(harmless.trace)
        sys.setprofile(harmless.trace)
        threading.settrace(harmless.trace)
        signal.signal(signal.SIGINT, harmless.trace)
        sys.excepthook = harmless.trace
        sys.stdout = None
        os.environ["QUIESCE_HOSTILE"] = "was here"


@declare("takes_the_alarm")
class TakesTheAlarm:
    def trouble(self) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)


# Objects that strike back.


class Strange:
    def __eq__(self, other: object) -> bool:
        raise Odd

    def __hash__(self) -> int:
        raise Odd

    def __repr__(self) -> str:
        raise Odd

    def __bool__(self) -> bool:
        raise Odd


class StrangeInt(int):
    __eq__ = Strange.__eq__
    __hash__ = Strange.__hash__
    __repr__ = Strange.__repr__


class StrangeTuple(tuple[Any, ...]):
    __eq__ = Strange.__eq__
    __hash__ = Strange.__hash__
    __repr__ = Strange.__repr__

    def __iter__(self) -> NoReturn:
        raise Odd


class Masked:
    @property  # type: ignore[misc]  # as such code does
    def __class__(self) -> type:
        raise Odd


@declare("returns_a_strange_object")
class ReturnsAStrangeObject:
    def trouble(self) -> object:
        return Strange()


@declare("returns_a_strange_int", "asyncio")
class ReturnsAStrangeInt:
    def trouble(self) -> object:
        return StrangeInt(3)


@declare("returns_a_strange_tuple", "asyncio")
class ReturnsAStrangeTuple:
    def trouble(self) -> object:
        return StrangeTuple((1, 2))


@declare("returns_a_masked_object", "trio")
class ReturnsAMaskedObject:
    def trouble(self) -> object:
        return Masked()


@declare("returns_a_bottomless_list", "asyncio")
class ReturnsABottomlessList:
    def trouble(self) -> object:
        bottomless: list[object] = []
        bottomless.append(bottomless)
        return bottomless


# For processes of their own.


@declare("dies")
class Dies:
    def trouble(self) -> None:
        os._exit(9)


@declare("is_interrupted")
class IsInterrupted:
    """Sends its process the signal that Ctrl-C sends."""

    def trouble(self) -> None:
        signal.raise_signal(signal.SIGINT)


@declare("is_interrupted_and_swallows_it")
class IsInterruptedAndSwallowsIt:
    def trouble(self) -> None:
        try:  # noqa: SIM105 - as such code looks
            signal.raise_signal(signal.SIGINT)
        except BaseException:
            pass
