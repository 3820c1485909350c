"""One run of the trio world: ``trio.run`` in a greenlet, and the hub outside it.

A scheduling step is one step of a task. Within a batch of ready tasks the order is the
scheduler's; trio promises none.
"""

from __future__ import annotations

import gc
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Final, TypeVar, final

import trio
from greenlet import getcurrent, greenlet

from quiesce.errors import HangError, HarnessError, SpinError
from quiesce.worlds.closing import make_immortal, silence
from quiesce.worlds.interrupts import hear_interrupts, ignore_interrupts
from quiesce.worlds.trio.callers import Caller
from quiesce.worlds.trio.clock import ParkingClock
from quiesce.worlds.trio.gates import TrioGate, waits_for
from quiesce.worlds.trio.order import BatchOrder, OrderKind
from quiesce.worlds.trio.process import Process
from quiesce.worlds.trio.state import RunState, Shuffle
from quiesce.worlds.trio.steps import SPIN_SAMPLE, Steps
from quiesce.worlds.virtual_time import Place, VirtualClock, seconds
from quiesce.worlds.watchdog import Watch, watchdog
from quiesce.worlds.world import START, Blocked, Call, CancelKind, Operation, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.schedulers.scheduler import Scheduler

__all__ = ["TrioWorld"]

T = TypeVar("T")

#: How often close() lets the tasks go on, opening gates and firing timers, before it gives up.
CLOSE_ROUNDS: Final = 100
#: Deadlines that are no further apart than this, in nanoseconds, count as one instant when
#: spinning is judged: code that asks for a little more time again and again.
NEXT_INSTANT_NS: Final = 1_000


@final
class TrioWorld:
    """See ``quiesce.worlds.world.World``.

    Attributes:
      order: ``controlled`` if the scheduler chooses the order of ready tasks (birth order
        without one); ``fixed`` if this trio can't be told and goes by its own.
    """

    name = "trio"

    def __init__(
        self,
        *,
        scheduler: Scheduler | None,
        order: OrderKind,
        places: tuple[Place, ...],
        spin_limit: int,
        hang_after_s: float,
    ) -> None:
        self.order = order
        self.is_closed = False
        self._face = VirtualClock(START, self._sleep)
        self._clock = ParkingClock(self._face, self._rest)
        self._steps = Steps(pause=self._park, thread_seen=self._see_thread, spin_limit=spin_limit)
        chooser = BatchOrder(self._steps.alive, scheduler, self._break)
        self._state = RunState(Shuffle(chooser.arrange) if order == "controlled" else None)
        self._process = Process(self._face, places, self._refuse_thread, self._note_interrupt)
        self._callers: list[Caller] = []
        self._caller_of: dict[trio.lowlevel.Task, Caller] = {}
        self._gates: list[TrioGate] = []
        self._closing = False
        self._broken: BaseException | None = None  # the first harness error; it stays
        self._interrupted = False
        self._death: str | None = None  # why the run ended before close()
        self._at_rest = False  # parked in the clock, and the hub has done nothing since
        self._fiber = greenlet(self._live)
        self._hub = getcurrent()
        # Finalizers run in whichever task happens to allocate: not while the world lives.
        self._collected = gc.isenabled()
        gc.disable()
        self._watch = Watch(hang_after_s, lambda: self._steps.total, self._worker, self._break)
        self._watching = watchdog(self._watch)
        self._watching.__enter__()
        self._hears = hear_interrupts()
        self._resume(None)

    @property
    def now(self) -> int:
        """The virtual time, in nanoseconds."""
        return self._face.now

    # Calls and gates.

    def spawn(
        self, name: str, operation: Operation, *, cancel: CancelKind = CancelKind.SCOPE
    ) -> Call:
        """Start one concurrent caller. A result that can't be awaited is returned as it is.

        Raises:
          HarnessError: the kind of cancellation isn't SCOPE, the only one that trio has.
        """
        if cancel is not CancelKind.SCOPE:
            raise HarnessError("trio cancels scopes only; spawn the call with CancelKind.SCOPE")
        caller = Caller(Call(len(self._callers), name), operation, self._note)
        self.act(self._context.run, self._nursery.start_soon, caller.attend)
        task = next(reversed(self._steps.alive))
        self._callers.append(caller)
        self._caller_of[task] = caller
        return caller.call

    def cancel(self, call: Call) -> None:
        """Cancel a call's scope; a call that has ended stays as it is."""
        if call.number >= len(self._callers) or self._callers[call.number].call is not call:
            raise HarnessError(f"call {call.number} ({call.name}) is not a call of this world")
        if call.status is Status.BLOCKED:
            call.cancel_requested = True
            self.act(self._callers[call.number].scope.cancel)

    def gate(self, name: str) -> TrioGate:
        """Make a gate."""
        gate = TrioGate(name, self.act)
        self._gates.append(gate)
        return gate

    def act(self, function: Callable[..., T], *args: object) -> T:
        """Call a plain function of trio or of the subject from the hub, as if in this run.

        It isn't called in a task, and what it makes ready runs when the world next runs.
        """
        self._enter()
        task = self._state.take_task()
        try:
            return function(*args)
        finally:
            self._state.put_task(task)
            self._at_rest = False
            self._leave()

    def _note(self, call: Call, status: Status, value: object, error: BaseException | None) -> bool:
        if self._closing:  # what close() does to a call is not the call's outcome
            return False
        call.status, call.value, call.error = status, value, error
        call.ended_at = self._face.now
        return True

    # Running.

    def settle(self) -> None:
        """Run to quiescence at a frozen clock."""
        self._resume(None)

    def step(self, count: int) -> None:
        """Let tasks take ``count`` steps, or fewer if the world becomes quiescent."""
        if count > 0 and not self.is_quiescent():
            self._resume(count)

    def is_quiescent(self) -> bool:
        """Whether no task is ready."""
        return not self._steps.ready

    def next_due(self) -> int | None:
        """The earliest nanosecond at which a deadline passes."""
        if self._at_rest:
            return self._clock.due
        left = self.act(trio.lowlevel.current_statistics).seconds_to_next_deadline
        return self._clock.due_of(self._clock.current_time() + left)

    def advance_to(self, at: int) -> None:
        """Move the clock to ``at``; what is ready runs first, at the old time.

        Raises:
          ValueError: ``at`` lies in the past.
        """
        if at < self.now:
            raise ValueError(f"can't go back from {seconds(self.now)} to {seconds(at)}")
        self.settle()
        hops = 0
        while (due := self.next_due()) is not None and due <= at:
            hops = hops + 1 if due - self.now <= NEXT_INSTANT_NS else 0
            self._clock.move_to(due)
            self._resume(None)
            if hops > self._steps.spin_limit:
                raise SpinError(
                    f"{self._worker()} asks for one time after another, {NEXT_INSTANT_NS} ns "
                    f"apart or less, more than {hops} times up to {seconds(due)}: it will "
                    f"hardly ever arrive at {seconds(at)}."
                )
        if at > self.now:
            self._clock.move_to(at)

    def _resume(self, budget: int | None) -> None:
        """Let the run go on until it's parked, and judge what happened meanwhile."""
        steps = self._steps
        steps.begin(budget)
        self._at_rest = False
        self._enter()
        try:
            self._hub = self._fiber.parent = getcurrent()
            self._fiber.switch()
        finally:
            self._leave()
        steps.urgent = False
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt
        if self._broken is not None and not self._closing:
            raise self._broken
        if self._fiber.dead and not self._closing:
            self._broken = HarnessError(f"trio's run has ended: {self._death}")
            raise self._broken
        if steps.spinning and not self._at_rest:
            task, times = steps.spinning.most_common(1)[0]
            raise SpinError(
                f"{self._label(task)} keeps running at a frozen clock: {times} of the last "
                f"{SPIN_SAMPLE} steps, after {steps.spin_limit} at {seconds(self.now)} did not "
                "lead to rest. It polls, or waits for a time that rounds to now."
            )

    def _enter(self) -> None:
        if self.is_closed:
            raise HarnessError("this trio world is closed; open another one")
        if self._fiber.dead and self._broken is not None:
            raise self._broken
        if self._watch.running:
            raise HarnessError("code in a trio world called its hub; only the test may")
        self._state.enter()
        self._process.enter()
        self._watch.running = True

    def _leave(self) -> None:
        self._watch.running = False
        self._process.leave()
        self._state.leave()

    # The greenlet's side.

    def _live(self) -> None:
        try:
            trio.run(self._main, clock=self._clock, instruments=[self._steps])
        except BaseException as error:
            if isinstance(error, trio.TrioInternalError) and error.__cause__ is not None:
                error = error.__cause__
            while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
                error = error.exceptions[0]
            self._death = repr(error)

    async def _main(self) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery: trio.Nursery = nursery
            self._context: Context = copy_context()  # not the hub's, which varies
            self._steps.open()
            await trio.sleep_forever()

    def _park(self) -> None:
        self._hub.switch()

    def _rest(self) -> None:
        self._at_rest = True
        self._hub.switch()

    # What must not happen in a world.

    def _break(self, error: BaseException) -> None:
        if self._broken is None:
            self._broken = error
        self._steps.urgent = True

    def _note_interrupt(self) -> None:
        if getcurrent() is not self._hub:  # else it comes out in the hub anyway
            self._interrupted = self._steps.urgent = True

    def _refuse_thread(self, name: str) -> HarnessError:
        error = HarnessError(
            f"{self._worker()} started the real thread {name!r}, which no trio world controls. "
            "Code that needs threads, also by trio.to_thread or anyio.to_thread, belongs in "
            "the asyncio world or the thread world."
        )
        self._break(error)
        return error

    def _see_thread(self) -> None:
        self._refuse_thread("trio.to_thread")

    def _sleep(self, delay: float) -> None:
        error = HangError(
            f"{self._worker()} called time.sleep({delay!r}), which blocks every task of trio; "
            "use trio.sleep()."
        )
        self._break(error)
        raise error

    def _worker(self) -> str:
        task = self._steps.current
        return "the world" if task is None else self._label(task)

    def _label(self, task: trio.lowlevel.Task) -> str:
        caller = self._caller_of.get(task)
        return f"task {task.name}" if caller is None else caller.label

    # Looking.

    def blocked(self) -> tuple[Blocked, ...]:
        """What each unfinished task waits for, in birth order."""
        ready, due_of = self._steps.ready, self._clock.due_of
        return tuple(
            Blocked(
                self._label(task),
                "nothing: it is ready to run" if task in ready else waits_for(task, due_of),
            )
            for task in self._steps.alive
        )

    def census(self) -> tuple[str, ...]:
        """Names of the tasks alive that are not calls."""
        return tuple(
            sorted(self._label(task) for task in self._steps.alive if task not in self._caller_of)
        )

    # The end.

    def close(self) -> tuple[str, ...]:
        """End the world and return the names of what would not end."""
        if self.is_closed:
            return ()
        self._closing = True
        try:
            self._wind_up()
            left = tuple(self._label(task) for task in self._steps.alive)
            if not self._fiber.dead:
                self._abandon()
            return left
        finally:
            self.is_closed = True
            self._watching.__exit__(None, None, None)
            if self._hears:
                ignore_interrupts()
            if self._collected:
                gc.enable()

    def _wind_up(self) -> None:
        """Cancel everything, and let shielded tasks have their gates and their time."""
        if self._fiber.dead:
            return
        self.act(self._nursery.cancel_scope.cancel)
        for _ in range(CLOSE_ROUNDS):
            try:
                self._resume(None)
            except (SpinError, HarnessError):
                return
            if self._fiber.dead:
                return
            shut = [gate for gate in self._gates if not gate.is_open]
            for gate in shut:
                gate.open()
            if shut or not self._steps.alive:
                continue  # trio comes to rest once more when its last task has ended
            if (due := self.next_due()) is None:
                return
            self._clock.move_to(due)

    def _abandon(self) -> None:
        """End a run that won't end, by an error in its loop."""
        make_immortal(task.coro for task in (*self._steps.own, *self._steps.alive))
        with silence():
            self._clock.poisoned = True
            while not self._fiber.dead:  # it may be in the midst of a batch
                self._resume(None)
