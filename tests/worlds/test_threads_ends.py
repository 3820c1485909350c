"""How a run of the thread world ends: census, unwinding, hangs, Ctrl-C, and what stays behind."""

from __future__ import annotations

import _thread
import functools
import gc
import queue
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from quiesce.errors import HangError, HarnessError
from quiesce.worlds.threads import Points, ThreadWorld, ThreadWorldFactory
from quiesce.worlds.world import START, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECOND = 1_000_000_000

# ---- subjects: loaded again for the world


class Leaky:
    kept = threading.Lock()  # outlives a run

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def thread(self, wait: Callable[[], object]) -> None:
        threading.Thread(target=wait, name="worker").start()

    def daemon(self, wait: Callable[[], object]) -> None:
        threading.Thread(target=wait, name="daemon", daemon=True).start()

    def raw_thread(self, wait: Callable[[], object]) -> None:
        _thread.start_new_thread(wait, ())

    def thread_on_lock(self, wait: Callable[[], object]) -> None:
        self.lock.acquire()
        threading.Thread(target=self.lock.acquire, name="stuck").start()

    def timer(self, wait: Callable[[], object]) -> None:
        timer = threading.Timer(60, wait)
        timer.name = "timer"
        timer.start()

    def executor(self, wait: Callable[[], object]) -> None:
        self.kept_executor = ThreadPoolExecutor(2, thread_name_prefix="pool")
        self.kept_executor.submit(wait)
        self.kept_executor.submit(int)

    def dying_thread(self, wait: Callable[[], object]) -> None:
        threading.Thread(target=int, args=("x",), name="victim").start()

    def dying_raw_thread(self, wait: Callable[[], object]) -> None:
        _thread.start_new_thread(int, ("x",))

    def ended_thread(self, wait: Callable[[], object]) -> None:
        threading.Thread(target=sys.exit).start()

    def keep(self) -> bool:
        return self.kept.acquire(timeout=1)


class Stubborn:
    """Tasks that are hard to unwind."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.queue = queue.Queue[int]()
        self.log: list[str] = []

    def tidy(self) -> None:
        self.lock.acquire()
        try:
            self.queue.get()
        finally:
            self.lock.release()
            with self.lock:  # free: allowed
                self.log.append("tidy")

    def wait_again(self) -> None:
        try:
            self.queue.get()
        finally:
            self.log.append("waiting again")
            self.queue.get()
            self.log.append("never")

    def release_twice(self) -> None:
        with self.lock:
            try:
                self.queue.get()
            finally:
                self.lock.release()

    def start_thread(self) -> None:
        try:
            self.queue.get()
        finally:
            threading.Thread(target=self.log.append, args=("never",)).start()

    def swallow_once(self) -> None:
        try:
            self.queue.get()
        except BaseException:
            self.log.append("swallowed")

    def swallow_always(self) -> None:
        while True:
            try:  # noqa: SIM105 - as such code looks
                self.queue.get()
            except BaseException:
                pass


class Hanging:
    def __init__(self, real_lock: object) -> None:
        self.real_lock = real_lock

    def loop(self) -> None:
        while True:
            pass

    def block(self) -> None:
        with self.real_lock:  # type: ignore[attr-defined]  # a real lock from the hub
            pass

    def block_and_swallow(self) -> None:
        while True:
            try:  # noqa: SIM105 - as such code looks
                self.block()
            except BaseException:
                pass


@pytest.fixture(scope="module")
def factory() -> Iterator[ThreadWorldFactory]:
    factory = ThreadWorldFactory(points=Points.GIL, hang_limit_s=0.05)
    yield factory
    factory.shut()


@pytest.fixture
def world(factory: ThreadWorldFactory) -> Iterator[ThreadWorld]:
    world = factory.open()
    yield world
    world.close()


# ---- census


@pytest.mark.parametrize(
    ("method", "census"),
    [
        ("thread", ("thread worker",)),
        ("daemon", ("thread daemon",)),
        ("raw_thread", ("thread ThreadGate.wait",)),
        ("thread_on_lock", ("thread stuck",)),
        ("timer", ("thread timer",)),
        ("executor", ("thread pool_0", "thread pool_1")),
        (
            "dying_thread",
            ("thread victim died of ValueError: invalid literal for int() with base 10: 'x'",),
        ),
        (
            "dying_raw_thread",
            ("thread int died of ValueError: invalid literal for int() with base 10: 'x'",),
        ),
        ("ended_thread", ()),
    ],
)
def test_the_census_sees_every_kind_of_leak(
    factory: ThreadWorldFactory, world: ThreadWorld, method: str, census: tuple[str, ...]
) -> None:
    leaky = factory.load(__name__, "Leaky")()
    gate = world.gate("g")
    call = world.spawn(method, lambda: getattr(leaky, method)(gate.wait))
    world.settle()
    assert call.status is Status.RETURNED
    assert world.census() == census
    assert world.close() == ()
    threads = factory._overlay.module("threading")
    assert threads is not None
    assert threads.enumerate() == [threads.main_thread()]
    assert not threads._limbo
    assert len(getattr(threads, "_shutdown_locks", [0])) == 1  # the main thread's


def test_a_lock_kept_from_an_earlier_run_is_free(factory: ThreadWorldFactory) -> None:
    for _ in range(2):
        world = factory.open()
        leaky = factory.load(__name__, "Leaky")()
        calls = [world.spawn("keep", leaky.keep) for _ in range(2)]
        world.advance_to(START + SECOND)
        assert [call.value for call in calls] == [True, False]
        world.close()


# ---- unwinding


@pytest.mark.parametrize(
    ("method", "log"),
    [
        ("tidy", ["tidy"]),
        ("wait_again", ["waiting again"]),
        ("release_twice", []),
        ("start_thread", []),
        ("swallow_once", ["swallowed"]),
    ],
)
def test_a_blocked_call_is_unwound(
    factory: ThreadWorldFactory, world: ThreadWorld, method: str, log: list[str]
) -> None:
    subject = factory.load(__name__, "Stubborn")()
    call = world.spawn(method, getattr(subject, method))
    world.settle()
    assert call.status is Status.BLOCKED
    assert world.close() == ()
    assert subject.log == log
    assert not subject.lock.locked()


def test_a_task_that_swallows_everything_is_abandoned_by_name(factory: ThreadWorldFactory) -> None:
    world = factory.open()
    subject = factory.load(__name__, "Stubborn")()
    world.spawn("swallow", subject.swallow_always)
    world.spawn("tidy", subject.tidy)
    world.settle()
    assert world.close() == ("call 0 (swallow)",)
    assert subject.log == ["tidy"]
    again = factory.open()
    call = again.spawn("get", lambda: factory.points)
    again.settle()
    assert call.value is Points.GIL
    again.close()


def test_a_task_parked_at_a_point_is_unwound(factory: ThreadWorldFactory) -> None:
    world = factory.open()
    subject = factory.load(__name__, "Stubborn")()
    call = world.spawn("tidy", subject.tidy)
    world.spawn("tidy", subject.tidy)
    world.step(2)
    assert not world.is_quiescent()
    assert world.close() == ()
    assert call.status is Status.BLOCKED


# ---- hangs


def hangs(factory: ThreadWorldFactory, method: str) -> tuple[ThreadWorld, str]:
    lock = threading.Lock()
    lock.acquire()
    world = factory.open()
    world.spawn(method, getattr(factory.load(__name__, "Hanging")(lock), method))
    with pytest.raises(HangError) as raised:
        world.settle()
    return world, str(raised.value)


@pytest.mark.parametrize("method", ["loop", "block"])
def test_a_task_that_keeps_the_real_thread_is_named_with_its_place(
    factory: ThreadWorldFactory, method: str
) -> None:
    world, message = hangs(factory, method)
    assert message.startswith(f"call 0 ({method}) holds the real thread at test_threads_ends.py:")
    assert f"(Hanging.{method})" in message
    assert world.close() == ()


def test_a_hanging_task_that_swallows_everything_is_abandoned(factory: ThreadWorldFactory) -> None:
    world, _ = hangs(factory, "block_and_swallow")
    assert world.close() == ("call 0 (block_and_swallow)",)


def test_ctrl_c_is_raised_in_the_hub_and_not_in_the_operation(
    factory: ThreadWorldFactory, world: ThreadWorld
) -> None:
    def operation() -> None:
        signal.raise_signal(signal.SIGINT)

    call = world.spawn("interrupt", operation)
    with pytest.raises(KeyboardInterrupt):
        world.settle()
    assert (call.status, call.error) == (Status.BLOCKED, None)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)  # and in the hub as ever


# ---- real threads


def test_a_real_thread_that_touches_the_world_is_refused(
    factory: ThreadWorldFactory, world: ThreadWorld
) -> None:
    leaky = factory.load(__name__, "Leaky")()
    errors: list[BaseException] = []

    def touch() -> None:
        try:
            leaky.lock.acquire()
        except HarnessError as error:
            errors.append(error)

    thread = threading.Thread(target=touch)
    thread.start()
    thread.join()
    assert "unmanaged thread" in str(errors[0])
    with pytest.raises(HarnessError, match="unmanaged thread"):
        world.settle()


def test_a_real_thread_started_in_the_world_is_an_error(world: ThreadWorld) -> None:
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def operation() -> None:
        thread = threading.Thread(target=stop.wait, name="stray")
        threads.append(thread)
        thread.start()

    world.spawn("start", operation)
    try:
        with pytest.raises(HarnessError, match=r"started a real OS thread.*stray"):
            world.settle()
    finally:
        stop.set()
        threads[0].join()


# ---- what stays behind


def test_nothing_stays_behind() -> None:
    def state() -> tuple[object, ...]:
        return (
            dict(sys.modules),
            list(sys.meta_path),
            sys.gettrace(),
            signal.getsignal(signal.SIGALRM),
            signal.getsignal(signal.SIGINT),
            signal.getitimer(signal.ITIMER_REAL)[1],
            threading.enumerate(),
            list(threading._limbo),  # type: ignore[attr-defined]  # private, and ours to leave alone
            gc.isenabled(),
            threading.excepthook,
        )

    before = state()
    factory = ThreadWorldFactory(points=Points.FREE_THREADED)
    leaky = factory.load(__name__, "Leaky")
    for method in ("thread", "timer", "executor", "dying_thread"):
        world = factory.open()
        subject = leaky()
        world.spawn(method, functools.partial(getattr(subject, method), world.gate("g").wait))
        world.settle()
        assert not gc.isenabled()
        assert sys.modules["threading"] is threading
        assert world.close() == ()
    factory.shut()
    assert state() == before


def test_the_collector_is_left_off_if_it_was_off(factory: ThreadWorldFactory) -> None:
    gc.disable()
    try:
        factory.open().close()
        assert not gc.isenabled()
    finally:
        gc.enable()
    factory.open().close()
    assert gc.isenabled()
