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

from _thread import get_ident as real_ident
from contextvars import Context
from typing import TYPE_CHECKING, Final, final

import attrs
from greenlet import (
    GreenletExit,
    getcurrent,
    greenlet,
)

from quiesce.errors import HangError, HarnessError, SpinError
from quiesce.worlds.threads.greenlets import Pool, switch_traced
from quiesce.worlds.threads.tasks import Task, Waitable, marker
from quiesce.worlds.threads.timers import Timers
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from quiesce.schedulers.scheduler import Scheduler
    from quiesce.worlds.threads.choices import Choices

__all__ = ["Core"]

#: Looks at a frozen clock, and failed tries, without blocking, after which a task polls.
_POLLS: Final = 64

#: Attempts to unwind a task that swallows GreenletExit, and waits it may refuse to leave.
_THROWS: Final = 5
_REFUSALS: Final = 100

#: Identifiers of one run are this far from those of the next: they never repeat, and yet
#: sets and dicts keyed by them have the same order in each run.
_IDENTS: Final = 1 << 20

# Tasks that could not be unwound. Dropping a suspended greenlet would throw into it again.
_graveyard: list[Task] = []


@final
@attrs.define(eq=False)
class Core:
    """The tasks of one factory's worlds, one run after another.

    Attributes:
      ready: tasks that could run, besides the running one, in round-robin order. Empty
        while the hub has control.
      choices: which points need a decision.
      now: virtual time in nanoseconds.
    """

    choices: Choices
    ready: list[Task] = attrs.Factory(list)
    current: Task | None = None
    now: int = START
    run: int = 0
    home: int = attrs.Factory(real_ident)  # the real OS thread of the world
    killing: bool = False
    running: bool = False
    fault: BaseException | None = None  # what the hub has to raise
    deaths: list[str] = attrs.Factory(list)  # threads that ended by an error
    tasks: dict[int, Task] = attrs.Factory(dict)  # alive, in birth order
    timers: Timers = attrs.Factory(Timers)
    births: int = 0
    locks: int = 0
    main: Task = attrs.Factory(lambda: marker("the hub", 1))

    _backlog: list[Task] = attrs.Factory(list)  # ready tasks while the hub has control
    queue: list[Task] = attrs.Factory(list)  # ready or the backlog, whichever counts now
    _paused: Task | None = None  # stopped at a point, goes on first
    _stepping: bool = False  # then a marker in ``ready`` makes every point look closer
    _steps: int = 0
    _marker: Task = attrs.Factory(lambda: marker("a step", 0))

    _entries: int = 0  # times that a task was given control from the hub
    _hub: greenlet | None = None
    _pool: Pool = attrs.Factory(lambda self: Pool(self._serve), takes_self=True)

    def __attrs_post_init__(self) -> None:
        self.queue = self._backlog

    def begin(self, scheduler: Scheduler | None) -> None:
        """Start a run on the calling OS thread."""
        self.run += 1
        self.home = real_ident()
        self.now = START
        self.births = 0
        self.locks = 0
        self.choices.begin(scheduler)
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

    def progress(self) -> int:
        """A number that changes while tasks get anywhere, for the watchdog."""
        return self._entries + self.choices.step + 2 * self.births - len(self.tasks)

    def is_quiescent(self) -> bool:
        """Whether nothing could run."""
        return not self._backlog and self._paused is None

    def go(self, steps: int = 0) -> None:
        """Let tasks run: to quiescence, or at most ``steps`` steps if that is positive."""
        ready = self.ready
        self._hub = getcurrent()
        self._pool.prepare()
        self._entries += 1
        self.running = True
        ready.extend(self._backlog)
        self._backlog.clear()
        self.queue = ready
        self.choices.enter(len(self.tasks))
        task = self._paused
        self._paused = None
        if task is None:
            task = self._next()
        if task is not None:
            if steps > 0:
                self._steps = steps
                self._set_stepping(on=True)
                self._mark()
            self._switch(task, traced=False)
        self.current = None
        self.running = False
        self._stop_stepping()
        self._backlog.extend(ready)
        ready.clear()
        self.queue = self._backlog

    def fire(self, at: int) -> None:
        """Move the clock to ``at`` nanoseconds and end every wait that is due by then."""
        self.now = at
        for task in self.timers.take_due(at):
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
        abandoned = []
        for task in list(self.tasks.values()):
            throws = 0
            while task.greenlet is not None and not task.ended:
                if throws == _THROWS or self.fault is not None:
                    abandoned.append(task)
                    if isinstance(self.fault, HangError):
                        self.fault = None
                    break
                throws += 1
                self._entries += 1
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
        self.timers.clear()
        self._backlog.clear()
        self._paused = None
        _graveyard.extend(abandoned)
        self._pool.trim()
        return abandoned

    def shut(self) -> None:
        """Let go of all greenlets."""
        self._pool.close()

    def point(self) -> None:
        """Pass a scheduling point. Only with other tasks ready."""
        choices = self.choices
        step = choices.step
        choices.step = step + 1
        if step >= choices.stop:
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
        elif task.polls > self.choices.step_limit:
            task.polls = 0
            self.halt(
                SpinError(
                    f"{task.name()} spins at a frozen clock: it asked "
                    f"{self.choices.step_limit} times for the time or for a lock without ever "
                    "waiting, and nothing else can run"
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
            self.timers.set(task, deadline)
        self._switch(self._pass_on(), traced=False)
        task.waits_for = None
        task.timer = 0
        task.deadline = None
        return not task.timed_out

    def wake(self, task: Task) -> None:
        """Make a task ready. Its wait must have been left already."""
        if self.killing:
            return
        task.timer = 0
        self.queue.append(task)
        self.choices.notice()

    def offer(self, tasks: Sequence[Task]) -> None:
        """Make several tasks ready for one thing that only one of them will get."""
        if not self.killing:
            self.queue.extend(tasks)
            self.choices.notice()

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

    def choose_data(self, options: int, label: str) -> int:
        """Choose a number below ``options``; 0 is the default."""
        try:
            return self.choices.choose_data(options, label)
        except BaseException as error:
            self.halt(error)
            return 0

    def decide(self, step: int, *, traced: bool) -> None:
        """Make choice ``step`` for the running task, which could go on."""
        ready = self.ready
        choices = self.choices
        if self._stepping:
            choices.step = step
            self._count_step(traced=traced)
            if not ready:
                self._mark()
                return
            choices.step = step + 1
        task = self.current
        assert task is not None
        if choices.is_unfair(step, task):
            choices.step = step
            self._choose_other(traced=traced)
            return
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
        step = self.choices.step
        self.choices.step = step + 1
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
                self._set_stepping(on=False)
                return None
            task = self._next()
            if task is not None:
                self._mark()
            return task
        return self._next()

    def _next(self) -> Task | None:
        ready = self.ready
        if len(ready) > 1:
            choices = self.choices
            step = choices.step
            choices.step = step + 1
            index = 0
            if choices.scheduler is not None or step >= choices.stop:
                index = self._index(step, ready, forced=True)
                if index < 0:
                    return None
            return ready.pop(index)
        return ready.pop() if ready else None

    def _index(self, step: int, enabled: Sequence[Task], *, forced: bool) -> int:
        """The choice, or -1 if there is a fault and the hub must have control."""
        try:
            return self.choices.choose(step, enabled, forced=forced)
        except BaseException as error:
            self.fault = error
            return -1

    def _set_stepping(self, *, on: bool) -> None:
        self._stepping = self.choices.always = on
        self.choices.aim()

    def _stop_stepping(self) -> None:
        if self._stepping:
            self._set_stepping(on=False)
            if self._marker in self.ready:
                self.ready.remove(self._marker)

    def _mark(self) -> None:
        if self._stepping:
            self.ready.append(self._marker)

    def _count_step(self, *, traced: bool) -> None:
        self.ready.remove(self._marker)
        self._steps -= 1
        if not self._steps:
            self._pause(traced=traced)

    def _pause(self, *, traced: bool) -> None:
        """Give control to the hub; this task goes on when tasks next run."""
        self._stop_stepping()
        self._paused = self.current
        self._switch(None, traced=traced)
        if self._stepping:
            self.ready.remove(self._marker)

    def _switch(self, task: Task | None, *, traced: bool) -> None:
        """Hand over to ``task``, or to the hub. Returns when somebody hands back.

        Args:
          task: who is next; None is the hub.
          traced: whether this happens inside a trace or monitoring callback.
        """
        self.current = task
        args: tuple[Task, ...] = ()
        if task is None:
            target = self._hub
        elif task.greenlet is None:
            target = self._pool.take()
            args = (task,)
        else:
            target = task.greenlet
        assert target is not None
        if traced:
            switch_traced(target, *args)
        else:
            target.switch(*args)

    def _serve(self, task: Task) -> None:
        """What a pooled greenlet does: one task after another."""
        me = getcurrent()
        while True:
            task.greenlet = me
            try:
                Context().run(task.body)
            except GreenletExit:
                pass  # unwound by the end of the run
            except BaseException as error:
                self.fault = error
            self._end(task)
            chosen = None if self.killing or self.fault is not None else self._pass_on()
            self.current = chosen
            if chosen is not None and chosen.greenlet is None:
                task = chosen
                continue
            self._pool.put(me)
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
