"""A trial: one scenario performed on a fresh subject in a fresh world, judged as it goes.

The trial turns steps into world actions and facts, keeps the log that user functions
write, and compares what is seen with the model at every barrier. It does not choose
anything: machines draw the steps, schedulers the interleavings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from quiesce.errors import HarnessError, SpinError
from quiesce.functions import Execution, Shape
from quiesce.log import Log, Record, alien, ended, mentions
from quiesce.model import BLOCKED, HOLDS_A_FUTURE, Burst, Checker, Entry, TooManyStates, View, name
from quiesce.patterns.universal import INTERNAL, LEAK, SPIN, SWALLOWED, internal_error
from quiesce.stimuli import (
    NOTHING,
    SETTLE,
    Advance,
    Arguments,
    Began,
    Cancel,
    Cancelled,
    Fact,
    Finished,
    Inside,
    Open,
    Part,
    Start,
    Step,
    Stimulus,
    Ticked,
)
from quiesce.verdicts import violation_type
from quiesce.words import error_in_words, view_in_words
from quiesce.worlds.world import START, Call, Gate, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.cell import Cell, Setup
    from quiesce.patterns.pattern import Method
    from quiesce.schedulers.scheduler import Scheduler

__all__ = ["AdapterFailed", "Hopeless", "Recorded", "Trial"]

#: A burst of more stimuli is settled first: orders grow with the factorial.
BURST_LIMIT: Final = 6
#: How often the end of a trial opens gates and moves the clock before it gives up.
DRAIN_LIMIT: Final = 400
#: Trials that may spin, after the first, before a cell is given up.
SPINS_LIMIT: Final = 8


class AdapterFailed(Exception):
    """The adapter's constructor or lifespan raised: its fault, or its library's."""


class Hopeless(Exception):
    """So many trials spun that the others would as well; each takes long."""


class Recorded(Exception):
    """The trial ran into a violation that is already known; nothing more can be learnt."""


class Trial:
    """One run. Use as a context manager: it closes its world."""

    def __init__(self, cell: Cell, setup: Setup, scheduler: Scheduler | None = None) -> None:
        self.cell = cell
        self.setup = setup
        self.model, memo = cell.model(setup)
        self.checker = Checker(self.model, memo=memo)
        self.journal: list[Entry] = []
        self.steps: list[Step] = []
        self.world = cell.factory.open(scheduler)
        self.log = Log(
            self.world,
            is_async=cell.factory.is_async,
            instances=setup.instances,
            issue=self._issue,
        )
        self._hosts: list[tuple[Call, Gate]] = []
        self._records: list[Record] = []
        self._watched: dict[Part, list[Record]] = {}
        self._pending: dict[Part, tuple[list[Fact], list[frozenset[int]]]] = {}
        self._views: dict[Part, View] = {}
        self._baseline: tuple[str, ...] = ()
        self._operations: set[str] = set()
        #: Parts that broke a clause already recorded: what follows there proves nothing.
        self._tainted: set[Part] = set()
        self.is_ending = False  # the steps are over: what follows is done to every trial
        #: Per subject, the steps that concern it, as if it were the only one.
        self.projections: list[list[Step]] = [[] for _ in range(setup.instances)]
        # Of the step under way: what it came to, its numbers being those of what was there;
        # and the same for each subject that it concerns.
        self._performed: Stimulus | None = None
        self._alone: list[tuple[int, Stimulus]] = []
        self.failed_instance: int | None = None  # the subject that broke a clause

    def __enter__(self) -> Self:
        try:
            self._construct()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> tuple[str, ...]:
        """End the world; returns what had to be abandoned. Closing again does nothing."""
        if self.log.closed:
            return ()
        self.log.close()
        for clause, times in self.checker.exercised.items():
            self.cell.exercised[clause] = self.cell.exercised.get(clause, 0) + times
        return self.world.close()

    # What machines ask.

    def waiting(self) -> list[Execution]:
        """Executions that can be let go, oldest first."""
        return [e for part in self.log.functions.executions.values() for e in part if e.waiting]

    def cancellable(self) -> list[Record]:
        """Blocked calls that can be cancelled, oldest first."""
        if not self.cell.can_cancel:
            return []
        if self.nesting():  # a nested call has no cancellation of its own
            return []
        return [
            record
            for records in self._watched.values()
            for record in records
            if record.call is not None and not ended(record) and not record.call.cancel_requested
        ]

    @property
    def is_tainted(self) -> bool:
        """Whether some part broke a clause that was already recorded."""
        return bool(self._tainted)

    def nesting(self) -> bool:
        """Whether a function is in a call of its own. Two could wait for each other."""
        return any(record.call is None and not ended(record) for record in self._records)

    def instants(self) -> list[int]:
        """Instants in the future at which the world or the model has something due."""
        due = self.world.next_due()
        found = {at for at in self.checker.instants() if at > self.world.now}
        if due is not None and due > self.world.now:
            found.add(due)
        return sorted(found)

    def handles(self, method: Method, instance: int | None = None) -> list[Record]:
        """Calls, on one subject or on any, whose results the method can work on."""
        once = method.takes_again in self.cell.adapter.lacks
        return [
            record
            for record in self._records
            if record.operation in method.needs
            and record.raw is not None
            and instance in (None, record.part[0])
            and not (once and record.taken)
        ]

    # Performing steps.

    def perform(self, step: Step) -> bool:
        """Perform a step, or return False if it is not possible now.

        Raises:
          Violation: what was seen is not what the model allows.
          Recorded: the same, by a violation that is already known.
        """
        if not self.steps and self.log.functions.executions and not self._views:
            self._compare()  # what the constructor or the lifespan has started
        self._alone = []
        self._performed = None
        try:
            self._stimulate(step.stimulus)
        finally:  # also if what it does breaks a clause, as moving the clock may
            if self._performed is not None and not self.is_ending:
                self.steps.append(Step(self._performed, step.follow))
                for instance, stimulus in self._alone:
                    self.projections[instance].append(Step(stimulus, step.follow))
        if self._performed is None:
            return False
        crowded = any(len(facts) >= BURST_LIMIT for facts, _ in self._pending.values())
        if crowded or step.follow == SETTLE:
            self._run(self.world.settle)
        elif step.follow != NOTHING:
            self._run(lambda: self.world.step(step.follow))
        if self.world.is_quiescent():
            self._compare()
        return True

    def finish(self) -> None:
        """Drain the subject, probe it with fresh callers, stop it and look for leaks."""
        self._settle()
        self.is_ending = True
        self._drain()
        for step in self.cell.pattern.probe:
            self.perform(step)
        self._settle()
        self._drain()
        self._unblock()
        if self._blocked():
            return  # the model allows it: a function that waits for itself, say
        for _, stop in self._hosts:
            stop.open()
        self._settle()
        for _ in range(DRAIN_LIMIT):  # stopping may take its time
            if all(call.status is not Status.BLOCKED for call, _ in self._hosts):
                break
            if not self._advance("next", 0, 0):
                break
        if self._tainted or "stop" in self.cell.adapter.lacks:
            return
        self.cell.count("UN-01")
        for call, _ in self._hosts:
            if call.error is not None:
                signature = INTERNAL + alien(call.error)[1]
                self._violated(signature, "it stops", error_in_words(call.error))
            if call.status is Status.BLOCKED:
                self._violated(LEAK, "it stops", "stopping it does not end")
        left = [*self.world.census()]
        for known in self._baseline:
            if known in left:
                left.remove(known)
        if left:
            leaks = self.cell.pattern.leaks
            signature = next((leaks[o] for o in sorted(self._operations) if o in leaks), LEAK)
            self._violated(signature, "nothing is left running", ", ".join(left))

    def _blocked(self) -> list[Record]:
        return [
            record for records in self._watched.values() for record in records if not ended(record)
        ]

    def _unblock(self) -> None:
        """Let calls end that only another call can let go, as long as that helps."""
        for _ in range(DRAIN_LIMIT):  # the steps themselves may block
            blocked = self._blocked()
            for step in self.cell.pattern.unblock if blocked else ():
                self.perform(step)
            self._settle()
            self._drain()
            if not any(ended(record) for record in blocked):
                return

    def still_referenced(self) -> list[str]:
        """What the subject keeps of finished executions, after the trial let go of it.

        Call it after ``finish``; the caller collects garbage first through ``forget``.
        """
        kept = []
        if any(reference() is not None for reference in self.log.functions.tokens):
            kept.append("a result")
        if any(reference() is not None for reference in self.log.functions.made):
            kept.append("a user function")
        return kept

    def forget(self) -> None:
        """Drop every reference of the trial's own to results and user functions."""
        for record in self._records:
            record.raw = None
            call = record.world_call
            call.value = call.error = None
        self._records.clear()
        self.log.functions.executions.clear()
        self._watched.clear()
        self.journal.clear()

    # Inside.

    def _construct(self) -> None:
        for instance in range(self.setup.instances):
            stop = self.world.gate(f"stop {instance}")
            call = self.world.spawn(f"host {instance}", self._host(instance, stop))
            self._hosts.append((call, stop))
            try:
                self.world.settle()
            except SpinError as error:
                raise AdapterFailed(self._not_constructed(str(error))) from error
            if call.status is not Status.BLOCKED or len(self.log.subjects) != instance + 1:
                reason = "it blocks" if call.error is None else error_in_words(call.error)
                raise AdapterFailed(self._not_constructed(reason)) from call.error
        self._baseline = self.world.census()

    def _not_constructed(self, reason: str) -> str:
        return f"{self.cell.adapter.name}: the adapter could not be constructed: {reason}"

    def _host(self, instance: int, stop: Gate) -> Callable[[], Any]:
        arguments = dict(self.setup.arguments)
        for function, shape in self.cell.pattern.functions.items():
            arguments[function] = self.log.functions.make(function, shape, (instance,), None)

        def host() -> None:
            subject = self.cell.subject(**arguments)
            arguments.clear()  # or the host keeps the user function
            lifespan = getattr(subject, "lifespan", None)
            if lifespan is None:
                self.log.subjects.append(subject)
                stop.wait()
                return
            with lifespan():
                self.log.subjects.append(subject)
                stop.wait()

        async def async_host() -> None:
            subject = self.cell.subject(**arguments)
            arguments.clear()  # or the host keeps the user function
            lifespan = getattr(subject, "lifespan", None)
            if lifespan is None:
                self.log.subjects.append(subject)
                await stop.wait()
                return
            async with lifespan():
                self.log.subjects.append(subject)
                await stop.wait()

        return async_host if self.cell.factory.is_async else host

    def _stimulate(self, stimulus: Any) -> None:
        match stimulus:
            case Start():
                self._start(stimulus)
            case Open(which, outcome):
                waiting = self.waiting()
                if not waiting:
                    return
                which %= len(waiting)
                self._performed = Open(which, outcome)
                execution = waiting[which]
                instance = execution.part[0]
                own = [e for e in waiting if e.part[0] == instance].index(execution)
                self._alone.append((instance, Open(own, outcome)))
                assert execution.gate is not None  # it waits there
                execution.waiting = False
                execution.gate.open(outcome)
                self._issue(execution.part, Finished(execution.index, outcome))
                if outcome in ("error", "exit", "panic"):
                    self.cell.count("UN-04")
                self.log.note(f"let {self.log.functions.name(execution)} end: {outcome}")
            case Cancel(which):
                calls = self.cancellable()
                if not calls:
                    return
                which %= len(calls)
                self._performed = Cancel(which)
                record = calls[which]
                instance = record.part[0]
                own = [r for r in calls if r.part[0] == instance].index(record)
                self._alone.append((instance, Cancel(own)))
                assert record.call is not None  # nested calls are not cancellable
                self.world.cancel(record.call)
                self.cell.count("UN-04")
                self._issue(record.part, Cancelled(record.number))
                self.log.note(f"cancel c{record.number}")
            case Inside(which, operation, arguments, instance):
                waiting = self.waiting()
                if not waiting or self.nesting():
                    return
                which %= len(waiting)
                execution = waiting[which]
                nested = self._record(operation, arguments, instance)
                if nested is None:
                    return
                self._performed = Inside(which, operation, arguments, nested.part[0])
                if execution.part[0] == nested.part[0]:
                    own = [e for e in waiting if e.part[0] == nested.part[0]].index(execution)
                    self._alone.append((nested.part[0], Inside(own, operation, arguments)))
                else:  # to its own subject just another caller
                    self._alone.append((nested.part[0], Start(operation, arguments)))
                nested.arguments = arguments
                execution.nested = nested
                nested.inside = execution.index if execution.part == nested.part else -1
                self._records.append(nested)
                nested.nested = Call(-1 - nested.number, nested.label)
                self._watched.setdefault(nested.part, []).append(nested)
                assert execution.gate is not None  # it waits there
                execution.waiting = False
                self._issue(nested.part, Began(nested.number, operation, arguments, nested.inside))
                self.log.note(
                    f"inside {self.log.functions.name(execution)}: c{nested.number} {nested.label}"
                )
                execution.gate.open(nested)
            case Advance(aim, which, offset):
                self._advance(aim, which, offset)

    def _record(self, operation: str, arguments: Arguments, instance: int) -> Record | None:
        method = self.cell.pattern.methods.get(operation.removesuffix("_unread"))
        assert method is not None, f"the port has no {operation}"
        if method.capability in self.cell.adapter.lacks:
            return None
        named = dict(arguments)
        instance %= self.setup.instances
        if method.needs and not self.handles(method, instance):
            return None
        part = (instance, *(named[name] for name in self.cell.pattern.part if name in named))
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments)
        where = f"subject {instance}: " if self.setup.instances > 1 else ""
        self._operations.add(operation)
        if instance:
            self.cell.count("UN-10")
        return Record(len(self._records), part, operation, method, f"{where}{operation}({shown})")

    def _start(self, start: Start) -> None:
        record = self._record(start.operation, start.arguments, start.instance)
        if record is None:
            return
        arguments = dict(start.arguments)
        instance = record.part[0]
        receiver = self.log.subjects[instance]
        if record.method.needs:
            handles = self.handles(record.method, instance)
            arguments["which"] %= len(handles)
        shown = tuple(sorted(arguments.items()))
        self._performed = Start(start.operation, shown, instance, start.cancel)
        given = dict(arguments)
        if record.method.needs:
            handle = handles[arguments.pop("which")]
            handle.taken |= record.method.takes_again is not None
            arguments["of"] = handle.number
            if record.method.receiver is not None:
                receiver = handle.raw
            else:
                given[record.method.parameters[0]] = handle.raw
        alone = Start(start.operation, shown, cancel=start.cancel)
        self._alone.append((instance, alone))
        self._records.append(record)
        self._watched.setdefault(record.part, []).append(record)
        kinds = self.cell.factory.cancel_kinds
        operation = self.log.operation(record, receiver, given)
        if kinds:
            record.call = self.world.spawn(
                record.label, operation, cancel=kinds[start.cancel % len(kinds)]
            )
        else:
            record.call = self.world.spawn(record.label, operation)
        self.log.by_world_number[record.call.number] = record.number
        facts = tuple(sorted(arguments.items()))
        self._issue(record.part, Began(record.number, start.operation, facts))
        self.log.note(f"c{record.number} calls {record.label}")

    def _advance(self, aim: str, which: int, offset: int) -> bool:
        """Move the clock, if there is where to; says whether there was."""
        self._settle()
        if aim == "by":
            target = self.world.now + offset
        else:
            instants = self.instants()
            if not instants:
                return False
            which %= len(instants)
            target = instants[which] + offset
        if target < self.world.now:
            return False
        self._performed = Advance(aim, which, offset)
        moved = Advance("by", 0, target - self.world.now)
        self._alone.extend((instance, moved) for instance in range(self.setup.instances))
        self.log.note(f"the clock moves to {target - START} ns")
        while stops := [at for at in self.instants() if at < target]:
            self._move_clock(stops[0])
        self._move_clock(target, last=True)
        return True

    def _move_clock(self, at: int, *, last: bool = False) -> None:
        lines = len(self.log.history)
        try:
            self.world.advance_to(at)
        except SpinError:
            # Some limiters wait for a clock strictly past the instant they asked for. A real
            # clock always is, so that is no spin if a nanosecond ends it.
            at += 1
            self._run(lambda: self.world.advance_to(at))
        quiet = len(self.log.history) == lines and not any(
            ended(record) for records in self._watched.values() for record in records
        )
        if quiet and not last and not any(instant <= at for instant in self.checker.instants()):
            return  # a poll of the subject's own: nothing to compare
        self._tick()
        self._compare()

    def _tick(self) -> None:
        """Tell every part what time it is."""
        for part in self._parts():
            self._issue(part, Ticked(self.world.now))

    def _parts(self) -> list[Part]:
        return sorted({*self._watched, *self.log.functions.executions, *self._views}, key=repr)

    def _issue(self, part: Part, fact: Fact) -> None:
        facts, after = self._pending.setdefault(part, ([], []))
        if not facts and part not in self._views and self.world.now > START:
            facts.append(Ticked(self.world.now))  # the clock moved before the part's first call
            after.append(frozenset())
        seen = frozenset(i for i, earlier in enumerate(facts) if self._was_seen(part, earlier))
        facts.append(fact)
        after.append(seen)

    def _was_seen(self, part: Part, fact: Fact) -> bool:
        match fact:
            case Began(call):
                record = self._records[call]
                return (
                    ended(record)
                    or record.holds_future
                    or any(e.call == call for e in self.log.functions.executions.get(part, ()))
                )
            case Cancelled(call):
                return ended(self._records[call])
            case Ticked():
                return True
            case Finished(index):
                return any(
                    ended(record) and mentions(self.log.outcome(record), index)
                    for record in self._watched.get(part, ())
                )
        return False

    def _run(self, function: Callable[[], None]) -> None:
        try:
            function()
        except SpinError as error:
            self._tick()
            try:
                # Code that polls until the clock is past its time spins at that very time, but
                # no longer than a real clock stands still.
                self.world.advance_to(self.world.now + 1)
            except (SpinError, HarnessError):
                self._violated(SPIN, "the world comes to rest", str(error))
            self._tick()

    def _settle(self) -> None:
        self._run(self.world.settle)
        self._compare()

    def _drain(self) -> None:
        idle = 0
        for _ in range(DRAIN_LIMIT):
            waiting = self.waiting()
            if waiting:
                ending = "none" if waiting[0].shape is Shape.SOURCE else "value"
                self._stimulate(Open(0, ending))
                self._settle()
            elif (blocked := self._blocked()) and idle < self.cell.pattern.patience:
                if not self._advance("next", -1, 0):
                    return
                idle = 0 if any(ended(record) for record in blocked) else idle + 1
            else:
                return

    def _compare(self) -> None:
        self._tell_ends()
        for part in self._parts():
            facts, after = self._pending.get(part, ((), ()))
            view = self._view(part)
            if not facts and self._views.get(part) == view:
                continue
            entry = Entry(part, Burst(tuple(facts), tuple(after)), view)
            self._pending.pop(part, None)
            if part not in self._tainted:
                self.journal.append(entry)
                try:
                    if not self.checker.compare(entry):
                        self._mismatched(entry)
                except TooManyStates:
                    self._tainted.add(part)
                    self.cell.unjudged += 1
            self._seal(part)
        self.cell.count("UN-03")

    def _tell_ends(self) -> None:
        for records in self._watched.values():
            for record in records:
                if not record.told and ended(record):
                    record.told = True
                    self.log.note(f"c{record.number} is {record.world_call.status.value}")

    def _view(self, part: Part) -> View:
        return View(
            tuple((r.number, self.log.outcome(r)) for r in self._watched.get(part, ())),
            tuple(
                (e.index, e.leader, e.phase) for e in self.log.functions.executions.get(part, ())
            ),
        )

    def _seal(self, part: Part) -> None:
        records = self._watched.get(part)
        if records:
            self._watched[part] = [record for record in records if not ended(record)]
        executions = self.log.functions.executions.get(part)
        if executions:
            self.log.functions.executions[part] = [e for e in executions if e.phase == "running"]
        self._views[part] = self._view(part)

    def _mismatched(self, entry: Entry) -> None:
        journal = tuple(earlier for earlier in self.journal if earlier.part == entry.part)
        recorded = self.cell.knows(self.setup)
        for number in self._goes_on(entry):
            if SWALLOWED in recorded:
                self._tainted.add(entry.part)
                return
            self.failed_instance = entry.part[0]
            self._violated(SWALLOWED, f"c{number} ends", f"c{number} goes on as if nothing was")
        if any(internal_error(outcome) in recorded for _, outcome in entry.seen.calls):
            self._tainted.add(entry.part)  # no news either, and no relaxation's business
            return
        relaxed = recorded & set(self.model.relaxations)
        if relaxed and self.cell.explains(self.model, journal, frozenset(relaxed)):
            self._tainted.add(entry.part)  # no news: violations already recorded explain it
            return
        predicted = self.checker.predict(entry)
        signature = name(self.model, journal, predicted, self.cell.explains)
        if signature in recorded:
            self._tainted.add(entry.part)
            return
        self.failed_instance = entry.part[0]
        expected = " or ".join(view_in_words(view) for view in predicted[:3]) or "nothing"
        self._violated(signature, expected, view_in_words(entry.seen))

    def _goes_on(self, entry: Entry) -> list[int]:
        """Calls that were cancelled and should have ended by that, but have not."""
        left = [
            record.number
            for record in self._watched.get(entry.part, ())
            if record.call is not None and record.call.cancel_requested and not ended(record)
        ]
        if not left:
            return left
        allowed = {
            number
            for view in self.checker.predict(entry)
            for number, outcome in view.calls
            if outcome in (BLOCKED, HOLDS_A_FUTURE)
        }
        return [number for number in left if number not in allowed]

    def _violated(self, signature: str, expected: str, observed: str) -> None:
        if signature in self.cell.knows(self.setup):
            if signature == SPIN:
                self.cell.spins += 1
                if self.cell.spins >= SPINS_LIMIT:
                    raise Hopeless
            raise Recorded(signature)
        raise violation_type(signature)(signature, expected, observed)
