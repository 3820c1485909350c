"""The core of the thread world: tasks, who runs next, and the virtual clock.

A task is what the code under test takes for an OS thread. It lives in a greenlet, and
greenlets are pooled, because a fresh one costs as much as twenty switches. Tasks hand
over to each other directly; the hub runs only when nothing else can, after ``step``, or
when the run has to stop.

The hot path is a *point*, a place where the running task may be preempted. Where no
other task is ready it is one test of ``ready``; else it also counts a choice and compares
its number with ``stop``. Everything dearer lies behind that comparison. ``ready`` is one
list object for the life of a core (the points hold on to it), and it is empty whenever
the hub has control, so code that the hub calls never meets a point.
"""

from __future__ import annotations

import sys
from _thread import get_ident as real_ident
from collections.abc import Callable, Sequence
from contextvars import Context
from heapq import heappop, heappush
from math import ceil
from typing import TYPE_CHECKING, Any, Final, Protocol, final

import attrs
from greenlet import GreenletExit, getcurrent, greenlet

from quiesce.errors import HarnessError, SpinError
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from quiesce.schedulers.scheduler import Scheduler

__all__ = ["NEVER", "Core", "Sleep", "Task", "Waitable", "nanoseconds"]

#: A choice number, or an instant, that no run reaches.
NEVER: Final = sys.maxsize

#: Choices in a row that one task may pass without handing over, before it has to yield: the
#: default schedule would otherwise let ``while not flag: pass`` run for ever.
_FAIR: Final = 2_000

#: Reads of a frozen clock and failed tries without blocking, after which a task counts as polling.
_POLLS: Final = 64

#: Attempts to unwind a task that swallows GreenletExit, and waits it may refuse to leave.
_THROWS: Final = 5
_REFUSALS: Final = 100

#: Greenlets kept for the next run.
_POOLED: Final = 256

#: Enabled tasks up to which a scheduler is given a list of them; above, a view.
_FEW: Final = 64

#: Identifiers of one run are this far from those of the next: they never repeat, and yet
#: sets and dicts keyed by them have the same order in each run.
_IDENTS: Final = 1 << 20

# Tasks that could not be unwound. Dropping a suspended greenlet would throw into it again.
_graveyard: list[Task] = []


class Waitable(Protocol):
    """What a task can be blocked on."""

    def describe(self, task: Task, /) -> str:
        """Say what ``task`` waits for, such as ``lock 2 held by call 1 (do)``."""

    def forget(self, task: Task, /) -> None:
        """Stop waiting: the task timed out or is being unwound."""


@final
@attrs.define(eq=False)
class Task:
    """One thread of the code under test."""

    number: int  # birth order in the run, from 0
    ident: int  # what get_ident() says
    run: int  # number of the run it belongs to
    body: Callable[[], object]
    name: Callable[[], str]
    thread: object = None  # the threading.Thread it runs, if any
    is_call: bool = False
    greenlet: greenlet | None = None  # None before the start and after the end
    waits_for: Waitable | None = None
    deadline: int | None = None  # of the wait, in nanoseconds
    timer: int = 0  # number of the wait's timer; 0 is none
    timed_out: bool = False  # how the last wait ended
    polls: int = 0  # since it was last blocked
    refusals: int = 0  # waits it entered while being unwound
    ended: bool = False
    at_end: list[Callable[[], None]] | None = None


def _nothing() -> None:
    raise AssertionError("this task is a marker and never runs")


def _nobody() -> str:
    return "the hub"


@final
class Sleep:
    """What a sleeping task waits for."""

    def describe(self, task: Task, /) -> str:
        """Name the instant, in seconds."""
        assert task.deadline is not None
        return f"timer at {task.deadline / 1e9:.9g} s"

    def forget(self, task: Task, /) -> None:
        """Nothing to leave."""


_SLEEP: Final = Sleep()


@final
class _Numbers(Sequence[int]):
    """The numbers of many tasks, without a copy for a scheduler that doesn't look."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [task.number for task in self._tasks[index]]
        return self._tasks[index].number


def nanoseconds(seconds: float) -> int:
    """Convert a positive delay to whole nanoseconds, at least 1.

    What float arithmetic leaves within a thousandth of a whole nanosecond is that
    nanosecond; anything else is rounded up, for a wait may not end early.
    """
    exact = seconds * 1e9
    near = round(exact)
    return max(1, near if abs(exact - near) <= 0.001 else ceil(exact))


def _switch_traced(target: greenlet, *args: Task) -> None:
    if sys.version_info < (3, 12):
        # call_tracing resets the counter, but here a flag of the C stack says "off" as well.
        sys.settrace(sys.gettrace())
    target.switch(*args)


@final
@attrs.define(eq=False)
class Core:
    """The tasks of one factory's worlds, one run after another.

    Attributes:
      ready: tasks that could run, besides the running one, in round-robin order. Empty
        while the hub has control.
      step: number of the next choice of a task.
      stop: choice from which on a point has to look closer.
      now: virtual time in nanoseconds.
    """

    step_limit: int  # choices at one instant, per live task
    late_sleeps: tuple[int, ...] = ()  # nanoseconds that a sleep may oversleep
    ready: list[Task] = attrs.Factory(list)
    current: Task | None = None
    step: int = 0
    stop: int = NEVER
    now: int = START
    run: int = 0
    home: int = attrs.Factory(real_ident)  # the real OS thread of the world
    killing: bool = False
    running: bool = False
    progress: int = 0  # changes with every entry, for the watchdog
    fault: BaseException | None = None  # what the hub has to raise
    deaths: list[str] = attrs.Factory(list)  # threads that ended by an error
    tasks: dict[int, Task] = attrs.Factory(dict)  # alive, in birth order
    births: int = 0
    locks: int = 0
    main: Task = attrs.Factory(lambda: Task(-1, 1, 0, _nothing, _nobody))

    _scheduler: Scheduler | None = None
    _next_ask: int = NEVER
    _news: bool = False  # a task became ready since the scheduler was last asked
    _limit_at: int = NEVER
    _fair_at: int = NEVER
    _seen: Task | None = None  # who ran at the last look at fairness

    _backlog: list[Task] = attrs.Factory(list)  # ready tasks while the hub has control
    queue: list[Task] = attrs.Factory(list)  # ready or the backlog, whichever counts now
    _paused: Task | None = None  # stopped at a point, goes on first
    _stepping: bool = False
    _steps: int = 0
    _marker: Task = attrs.Factory(lambda: Task(-1, 0, 0, _nothing, _nobody))

    _timers: list[tuple[int, int, Task]] = attrs.Factory(list)
    _timer: int = 0
    _hub: greenlet | None = None
    _pool: list[greenlet] = attrs.Factory(list)
    _maker: greenlet | None = None

    def __attrs_post_init__(self) -> None:
        self.queue = self._backlog

    # ---- a run, seen from the hub

    def begin(self, scheduler: Scheduler | None) -> None:
        """Start a run on the calling OS thread."""
        self.run += 1
        self.home = real_ident()
        self.now = START
        self.step = 0
        self.births = 0
        self.locks = 0
        self._timer = 0
        self._scheduler = scheduler
        self._next_ask = NEVER if scheduler is None else scheduler.next_ask
        self._news = False
        self.fault = None
        self.deaths.clear()

    def spawn(
        self,
        body: Callable[[], object],
        name: Callable[[], str],
        *,
        thread: object = None,
        is_call: bool = False,
    ) -> Task:
        """Make a task; it is ready at once."""
        if real_ident() != self.home:
            self.refuse_foreign_thread()
        number = self.births
        self.births = number + 1
        ident = self.run * _IDENTS + number
        task = Task(number, ident, self.run, body, name, thread, is_call)
        if not self.killing:
            self.tasks[number] = task
            self.wake(task)
        return task

    def is_quiescent(self) -> bool:
        """Whether nothing could run."""
        return not self._backlog and self._paused is None

    def go(self, steps: int = 0) -> None:
        """Let tasks run: to quiescence, or at most ``steps`` steps if that is positive."""
        ready = self.ready
        self._hub = getcurrent()
        if self._maker is None:
            self._maker = greenlet(self._make_greenlets, self._hub)
            self._maker.switch()
        self.progress += 1
        self.running = True
        ready.extend(self._backlog)
        self._backlog.clear()
        self.queue = ready
        self._limit_at = self.step + self.step_limit * (len(self.tasks) + 1)
        self._fair_at = self.step + _FAIR
        self._seen = None
        self._aim()
        task = self._paused
        self._paused = None
        if task is None:
            task = self._next()
        if task is not None:
            if steps > 0:
                self._steps = steps
                self._stepping = True
                self._mark()
            self._switch(task, traced=False)
        self.current = None
        self.running = False
        if self._stepping:
            self._stepping = False
            if self._marker in ready:
                ready.remove(self._marker)
        self._backlog.extend(ready)
        ready.clear()
        self.queue = self._backlog

    def next_due(self) -> int | None:
        """The earliest instant, in nanoseconds, at which a wait times out."""
        timers = self._timers
        while timers:
            due, timer, task = timers[0]
            if task.timer == timer:
                return due
            heappop(timers)
        return None

    def fire(self, at: int) -> None:
        """Move the clock to ``at`` nanoseconds and end every wait that is due by then."""
        self.now = at
        while (due := self.next_due()) is not None and due <= at:
            task = heappop(self._timers)[2]
            task.timed_out = True
            assert task.waits_for is not None
            task.waits_for.forget(task)
            self.wake(task)

    def unwind(self) -> list[Task]:
        """End every task by throwing GreenletExit into it; return those that would not end.

        Meanwhile no task is ever preempted, free locks can be taken, releasing a lock that
        the task doesn't hold is silent, and waiting raises GreenletExit again.
        """
        self._hub = getcurrent()
        self.killing = True
        self.running = True
        self._backlog.clear()
        self._paused = None
        self.queue = self._backlog
        self.stop = NEVER
        abandoned = []
        for task in list(self.tasks.values()):
            throws = 0
            while task.greenlet is not None and not task.ended:
                if throws == _THROWS or self.fault is not None:
                    abandoned.append(task)
                    self.fault = None
                    break
                throws += 1
                self.progress += 1
                if task.waits_for is not None:
                    task.waits_for.forget(task)
                    task.waits_for = None
                self.current = task
                task.greenlet.throw(GreenletExit)
            if task.greenlet is None and not task.ended:
                self._end(task)
        self.current = None
        self.running = False
        self.killing = False
        self.tasks.clear()
        self._timers.clear()
        self._backlog.clear()
        self._paused = None
        _graveyard.extend(abandoned)
        if len(self._pool) > _POOLED:
            self.drain(_POOLED)
        return abandoned

    def drain(self, keep: int = 0) -> None:
        """Let go of pooled greenlets, except ``keep``; if that is none, of everything else too."""
        idle = self._pool[keep:]
        del self._pool[keep:]
        if not keep and self._maker is not None:
            idle.append(self._maker)
            self._maker = None
        for each in idle:
            each.parent = getcurrent()
            each.throw(GreenletExit)

    # ---- seen from the running task

    def point(self) -> None:
        """Pass a scheduling point. Only with other tasks ready."""
        step = self.step
        self.step = step + 1
        if step >= self.stop:
            self.decide(step, traced=False)

    def give_way(self) -> None:
        """Let every other ready task run first, as ``sleep(0)`` does."""
        task = self.current
        assert task is not None
        self.poll(task)
        if self.ready:
            self._give_way(traced=False)

    def poll(self, task: Task) -> None:
        """Note that ``task`` looked at something that only others, or time, can change.

        Raises:
          SpinError: in the hub, if nothing else can run and the task won't stop looking.
        """
        task.polls += 1
        if task.polls < _POLLS:
            return
        if self.ready:
            self._give_way(traced=False)
        elif task.polls > self.step_limit:
            task.polls = 0
            self.halt(
                SpinError(
                    f"{task.name()} spins at a frozen clock: it asked {self.step_limit} times "
                    "for the time or for a lock without ever waiting, and nothing else can run"
                )
            )

    def block(self, on: Waitable, deadline: int | None = None) -> bool:
        """Wait until woken, or until ``deadline`` nanoseconds; whether it was woken."""
        task = self.current
        if task is None:
            raise HarnessError(
                f"the hub would block on {on.describe(self.main)}: call what may wait from an "
                "operation, not from the test itself"
            )
        if real_ident() != self.home:
            self.refuse_foreign_thread()
        if self.killing:
            self._refuse(task)
        task.waits_for = on
        task.timed_out = False
        task.polls = 0
        if deadline is not None:
            self._timer += 1
            task.timer = self._timer
            task.deadline = deadline
            heappush(self._timers, (deadline, self._timer, task))
        self._switch(self._pass_on(), traced=False)
        task.waits_for = None
        if deadline is not None:
            task.timer = 0
            task.deadline = None
        return not task.timed_out

    def sleep(self, delay: int) -> None:
        """Sleep for ``delay`` nanoseconds (positive), or a little longer if so chosen."""
        if self.late_sleeps and self._scheduler is not None and not self.killing:
            late = self._choose_data(len(self.late_sleeps) + 1, "late sleep")
            if late:
                delay += self.late_sleeps[late - 1]
        self.block(_SLEEP, self.now + delay)

    def wake(self, task: Task) -> None:
        """Make a task ready. Its wait must have been left already."""
        if self.killing:
            return
        task.timer = 0
        self.queue.append(task)
        self._notice()

    def offer(self, tasks: Sequence[Task]) -> None:
        """Make several tasks ready for one thing that only one of them will get."""
        if not self.killing:
            self.queue.extend(tasks)
            self._notice()

    def withdraw(self, tasks: list[Task]) -> None:
        """Take an offer back from those who came too late."""
        queue = self.queue
        n = len(tasks)
        at = queue.index(tasks[0]) if tasks[0] in queue else 0
        if queue[at : at + n] == tasks:  # the usual case, and cheap for thousands
            del queue[at : at + n]
        else:
            late = {task.number for task in tasks}
            queue[:] = [task for task in queue if task.number not in late]

    def undisturbed(self, function: Callable[[], None]) -> None:
        """Call ``function`` without preempting it, for importlib is not reentrant."""
        others = self.ready[:]
        self.ready.clear()
        try:
            function()
        finally:
            self.ready[:0] = others

    def report_death(self, task: Task | None, error: BaseException) -> None:
        """Note that a thread ended by an error, which nobody else will hear of."""
        if not self.killing:
            name = (task or self.main).name()
            self.deaths.append(f"{name} died of {type(error).__name__}: {error}")

    def refuse_foreign_thread(self) -> None:
        """Object to a real OS thread that the world did not start.

        Raises:
          HarnessError: always, here and later in the hub as well.
        """
        error = HarnessError(
            "an unmanaged thread touches the thread world: something started a real OS thread "
            "which shares objects with the code under test. Run it in the world os-threads, or "
            "name its package among the packages to load"
        )
        self.fault = error
        raise error

    def halt(self, error: BaseException, *, traced: bool = False) -> None:
        """Stop the run where it is, so that the hub raises ``error``."""
        self.fault = error
        self._pause(traced=traced)

    # ---- choices

    def decide(self, step: int, *, traced: bool) -> None:
        """Make choice ``step`` for the running task, which could go on."""
        ready = self.ready
        if self._stepping:
            self.step = step
            self._count_step(traced=traced)
            if not ready:
                self._mark()
                return
            self.step = step + 1
        task = self.current
        assert task is not None
        if step >= self._fair_at:
            self._fair_at = step + _FAIR
            if self._seen is task:
                self.step = step
                self._choose_other(traced=traced)
                return
            self._seen = task
        index = self._index(step, [task, *ready], forced=False)
        if index < 0:
            self._pause(traced=traced)
        elif index:
            chosen = ready.pop(index - 1)
            ready.append(task)
            self._mark()
            self._switch(chosen, traced=traced)
            return
        self._mark()

    def _give_way(self, *, traced: bool) -> None:
        if self._stepping:
            self._count_step(traced=traced)
        if self.ready:
            self._choose_other(traced=traced)
        else:
            self._mark()

    def _choose_other(self, *, traced: bool) -> None:
        task = self.current
        assert task is not None
        ready = self.ready
        step = self.step
        self.step = step + 1
        ready.append(task)
        index = self._index(step, ready, forced=True)
        if index < 0:
            ready.pop()
            self._pause(traced=traced)
            self._mark()
            return
        chosen = ready.pop(index)
        self._mark()
        if chosen is not task:
            self._switch(chosen, traced=traced)

    def _pass_on(self) -> Task | None:
        """Choose who runs after a task that can't go on; None is the hub."""
        if self._stepping:
            self.ready.remove(self._marker)
            self._steps -= 1
            if not self._steps:
                self._stepping = False
                return None
            task = self._next()
            if task is not None:
                self._mark()
            return task
        return self._next()

    def _next(self) -> Task | None:
        ready = self.ready
        if len(ready) > 1:
            step = self.step
            self.step = step + 1
            index = 0
            if self._scheduler is not None or step >= self.stop:
                index = self._index(step, ready, forced=True)
                if index < 0:
                    return None
            return ready.pop(index)
        return ready.pop() if ready else None

    def _index(self, step: int, enabled: Sequence[Task], *, forced: bool) -> int:
        """The scheduler's choice, or -1 if there is a fault and the hub must have control."""
        if step >= self._limit_at:
            who = ", ".join(task.name() for task in enabled[:4])
            self.fault = SpinError(
                f"tasks keep running at a frozen clock: {self.step_limit} choices for each live "
                f"task at one instant; able to run: {who}"
            )
            return -1
        scheduler = self._scheduler
        index = 0
        if scheduler is not None and (forced or self._news or step >= self._next_ask):
            few = len(enabled) <= _FEW
            numbers = [task.number for task in enabled] if few else _Numbers(enabled)
            try:
                index = scheduler.choose(numbers, step=step, forced=forced)
                self._next_ask = scheduler.next_ask
            except BaseException as error:  # noqa: BLE001 - the hub raises it
                self.fault = error
                return -1
            if not 0 <= index < len(enabled):
                self.fault = HarnessError(
                    f"the scheduler chose option {index} of {len(enabled)} at choice {step}"
                )
                return -1
            self._news = False
        self._aim()
        return index

    def _choose_data(self, options: int, label: str) -> int:
        assert self._scheduler is not None
        try:
            value = self._scheduler.choose_data(options, label=label)
            self._next_ask = self._scheduler.next_ask
        except BaseException as error:  # noqa: BLE001 - the hub raises it
            self.halt(error)
            return 0
        self._aim()
        return value

    def _notice(self) -> None:
        if self._scheduler is not None:
            self._news = True
            self.stop = -1

    def _aim(self) -> None:
        if self._stepping or self._news:
            self.stop = -1
        else:
            self.stop = min(self._next_ask, self._limit_at, self._fair_at)

    # ---- stepping: a marker in ``ready`` makes every point look closer

    def _mark(self) -> None:
        if self._stepping:
            self.ready.append(self._marker)
            self.stop = -1

    def _count_step(self, *, traced: bool) -> None:
        self.ready.remove(self._marker)
        self._steps -= 1
        if not self._steps:
            self._pause(traced=traced)

    def _pause(self, *, traced: bool) -> None:
        """Give control to the hub; this task goes on when tasks next run."""
        if self._stepping:
            self._stepping = False
            if self._marker in self.ready:
                self.ready.remove(self._marker)
        self._paused = self.current
        self.current = None
        hub = self._hub
        assert hub is not None
        if traced:
            sys.call_tracing(hub.switch, ())
        else:
            hub.switch()
        if self._stepping:
            self.ready.remove(self._marker)

    # ---- greenlets

    def _switch(self, task: Task | None, *, traced: bool) -> None:
        """Hand over. Returns when somebody hands back.

        Args:
          task: who is next; None is the hub.
          traced: whether this happens inside a trace or monitoring callback. CPython counts
            "inside a callback" per OS thread, and a plain switch there would leave every
            event of the other tasks switched off until this one came back.
        """
        self.current = task
        if task is None:
            hub = self._hub
            assert hub is not None
            target, args = hub, ()
        elif task.greenlet is None:
            target = self._pool.pop() if self._pool else self._maker
            assert target is not None
            args = (task,)
        else:
            target, args = task.greenlet, ()
        if traced:
            sys.call_tracing(_switch_traced, (target, *args))
        else:
            target.switch(*args)

    def _make_greenlets(self) -> None:
        """Start each greenlet from here: one begins at the stack depth of its starter."""
        assert self._hub is not None
        task = self._hub.switch()
        while True:
            task = greenlet(self._serve, self._hub).switch(task)

    def _serve(self, task: Task) -> None:
        """What a pooled greenlet does: one task after another."""
        me = getcurrent()
        while True:
            task.greenlet = me
            try:
                Context().run(task.body)
            except GreenletExit:
                pass  # unwound by the end of the run
            except BaseException as error:  # noqa: BLE001 - bodies don't raise: it is our own fault
                self.fault = error
            self._end(task)
            chosen = None if self.killing or self.fault is not None else self._pass_on()
            self.current = chosen
            if chosen is not None and chosen.greenlet is None:
                task = chosen
                continue
            self._pool.append(me)
            target = self._hub if chosen is None else chosen.greenlet
            assert target is not None
            del task, chosen
            task = target.switch()

    def _end(self, task: Task) -> None:
        if task.at_end is not None:
            # The latest first: thread-local data goes, maybe through finalizers that take locks
            # like any code, before the thread counts as ended.
            while task.at_end:
                task.at_end.pop()()
        task.ended = True
        task.greenlet = None
        self.tasks.pop(task.number, None)

    def _refuse(self, task: Task) -> None:
        """Don't let a task wait while it is being unwound."""
        task.refusals += 1
        if task.refusals >= _REFUSALS:
            task.refusals = 0
            assert self._hub is not None
            self._hub.switch()  # it swallows GreenletExit in a loop; unwind() decides
        raise GreenletExit
