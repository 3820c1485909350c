"""A trial: one scenario performed on a fresh subject in a fresh world, judged as it goes.

The trial turns steps into world actions and facts, keeps the log that user functions
write, and compares what is seen with the model at every barrier. It does not choose
anything: machines draw the steps, schedulers the interleavings.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from quiesce.adapters import Adapter
from quiesce.errors import ConfigurationError, SpinError
from quiesce.model import BLOCKED, Burst, Checker, Entry, Memo, Mismatch, Model, View, explain
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import ALIEN_CANCEL, LEAK, SPIN
from quiesce.schedulers.scheduler import Scheduler
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
    Ticked,
)
from quiesce.verdicts import Violation, violation_type
from quiesce.worlds.world import CURRENT_CALL, START, Call, Gate, Status, WorldFactory

__all__ = ["AdapterFailed", "Cell", "Recorded", "Setup", "Token", "Trial", "WorkError", "WorkExit"]

#: A burst of more stimuli is settled first: orders grow with the factorial.
BURST_LIMIT: Final = 6
#: How often the end of a trial opens gates and moves the clock before it gives up.
DRAIN_LIMIT: Final = 400


class WorkError(Exception):
    """The ordinary error of a user function."""


class WorkExit(SystemExit):
    """The error of a user function that wants its thread to end."""


class AdapterFailed(Exception):
    """The adapter's constructor or lifespan raised: its fault, or its library's."""


class Recorded(Exception):
    """The trial ran into a violation that is already known; nothing more can be learnt."""


@attrs.define(eq=False)
class Token:
    """The value of one execution: compared by identity, and weakly referenced."""

    part: Part
    index: int


@attrs.frozen
class Setup:
    """How a trial's subjects are made."""

    arguments: Arguments = ()  # of the adapter's constructor
    instances: int = 1


@attrs.define(eq=False)
class Execution:
    """One run of a user function, as it logged itself."""

    part: Part
    index: int  # order of start within its part
    leader: int | None
    phase: str = "running"
    gate: Gate | None = None
    waiting: bool = False  # at its gate
    token: Token | None = None
    error: BaseException | None = None


@attrs.define(eq=False)
class Record:
    """A call of the subject, as the trial follows it."""

    number: int
    part: Part
    operation: str
    method: Method
    label: str
    call: Call | None = None  # None for calls from inside a user function
    nested: Call | None = None
    holds_future: bool = False
    raw: object = None  # what the operation returned, for later calls on it
    told: bool = False  # its end stands in the history
    inside: int | None = None
    arguments: Arguments = ()

    @property
    def world_call(self) -> Call:
        """Where its outcome stands."""
        found = self.call or self.nested
        assert found is not None  # one of them is made with the record
        return found


@attrs.define(eq=False)
class Cell:
    """What the trials of one cell share."""

    adapter: Adapter
    pattern: Pattern
    factory: WorldFactory
    subject: type
    known: set[str] = attrs.field(factory=set)  # signatures already recorded
    exercised: dict[str, int] = attrs.field(factory=dict)
    recorded: dict[str, int] = attrs.field(factory=dict)
    trials: int = 0
    _memos: dict[Arguments, tuple[Model, Memo]] = attrs.field(factory=dict)

    def model(self, setup: Setup) -> tuple[Model, Memo]:
        """The model for subjects made so, and what its checker remembers."""
        found = self._memos.get(setup.arguments)
        if found is None:
            found = (self.pattern.model(self.adapter, dict(setup.arguments)), {})
            self._memos[setup.arguments] = found
        return found

    def allows(self, needs: frozenset[str], worlds: tuple[str, ...]) -> bool:
        """Whether a stimulus or scenario with these needs makes sense here."""
        return self.adapter.world in worlds and not needs & self.adapter.lacks

    @property
    def can_cancel(self) -> bool:
        """Whether calls can be cancelled and the adapter says what that does."""
        declared = (v for k, v in self.adapter.dialect.items() if k.endswith("_cancel"))
        return bool(self.factory.cancel_kinds) and "none" not in declared

    def count(self, clause: str) -> None:
        """Note that a clause's situation arose."""
        self.exercised[clause] = self.exercised.get(clause, 0) + 1


class Trial:
    """One run. Use as a context manager: it closes its world."""

    def __init__(self, cell: Cell, setup: Setup, scheduler: Scheduler | None = None) -> None:
        self.cell = cell
        self.setup = setup
        self.model, memo = cell.model(setup)
        self.checker = Checker(self.model, cell.known & set(self.model.relaxations), memo)
        self.journal: list[Entry] = []
        self.history: list[str] = []
        self.steps: list[Step] = []
        self.world = cell.factory.open(scheduler)
        self._subjects: list[Any] = []
        self._hosts: list[tuple[Call, Gate]] = []
        self._records: list[Record] = []
        self._watched: dict[Part, list[Record]] = {}
        self._executions: dict[Part, list[Execution]] = {}
        self._begun: dict[Part, int] = {}
        self._pending: dict[Part, tuple[list[Fact], list[frozenset[int]]]] = {}
        self._views: dict[Part, View] = {}
        self._by_world_number: dict[int, int] = {}
        self._works: list[weakref.ref[Any]] = []
        self._tokens: list[weakref.ref[Token]] = []
        self._baseline: tuple[str, ...] = ()
        self._operations: set[str] = set()
        self._closing = False

    def __enter__(self) -> Trial:
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
        if self._closing:
            return ()
        self._closing = True
        self.cell.trials += 1
        for clause, times in self.checker.exercised.items():
            self.cell.exercised[clause] = self.cell.exercised.get(clause, 0) + times
        for signature, times in self.checker.recorded.items():
            self.cell.recorded[signature] = self.cell.recorded.get(signature, 0) + times
        return self.world.close()

    # What machines ask.

    def waiting(self) -> list[Execution]:
        """Executions that can be let go, oldest first."""
        return [e for part in self._executions.values() for e in part if e.waiting]

    def cancellable(self) -> list[Record]:
        """Blocked calls that can be cancelled, oldest first."""
        if not self.cell.can_cancel:
            return []
        # A nested call has no cancellation of its own, so nobody around it is cancelled.
        if any(r.call is None and not ended(r) for r in self._records):
            return []
        return [
            record
            for records in self._watched.values()
            for record in records
            if record.call is not None
            and not ended(record)
            and not record.call.cancel_requested
        ]

    def instants(self) -> list[int]:
        """Instants in the future at which the world or the model has something due."""
        due = self.world.next_due()
        found = {at for at in self.checker.instants() if at > self.world.now}
        if due is not None and due > self.world.now:
            found.add(due)
        return sorted(found)

    def handles(self, operation: str) -> list[Record]:
        """Calls of an operation that have returned what later calls are made on."""
        return [r for r in self._records if r.operation == operation and r.raw is not None]

    # Performing steps.

    def perform(self, step: Step) -> bool:
        """Perform a step, or return False if it is not possible now.

        Raises:
          Violation: what was seen is not what the model allows.
          Recorded: the same, by a violation that is already known.
        """
        if not self._stimulate(step.stimulus):
            return False
        self.steps.append(step)
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
        self._drain()
        for step in self.cell.pattern.probe:
            self.perform(step)
        self._settle()
        self._drain()
        for _, stop in self._hosts:
            stop.open()
        self._settle()
        blocked = any(not ended(record) for records in self._watched.values() for record in records)
        if blocked or self.checker.recorded or "stop" in self.cell.adapter.lacks:
            return
        self.cell.count("UN-01")
        left = [*self.world.census()]
        for name in self._baseline:
            if name in left:
                left.remove(name)
        if left:
            leaks = self.cell.pattern.leaks
            signature = next((leaks[o] for o in sorted(self._operations) if o in leaks), LEAK)
            self._violated(signature, "nothing is left running", ", ".join(left))

    def still_referenced(self) -> list[str]:
        """What the subject keeps of finished executions, after the trial let go of it.

        Call it after ``finish``; the caller collects garbage first through ``forget``.
        """
        kept = []
        if any(reference() is not None for reference in self._tokens):
            kept.append("a result")
        if any(reference() is not None for reference in self._works):
            kept.append("a user function")
        return kept

    def forget(self) -> None:
        """Drop every reference of the trial's own to results and user functions."""
        for record in self._records:
            record.raw = None
            call = record.world_call
            call.value = call.error = None
        self._records.clear()
        self._executions.clear()
        self._watched.clear()
        self.journal.clear()

    # Inside.

    def _construct(self) -> None:
        for instance in range(self.setup.instances):
            stop = self.world.gate(f"stop {instance}")
            call = self.world.spawn(f"host {instance}", self._host(instance, stop))
            self._hosts.append((call, stop))
            self.world.settle()
            if call.status is not Status.BLOCKED or len(self._subjects) != instance + 1:
                error = call.error
                message = (
                    f"{self.cell.adapter.name}: the adapter could not be constructed: "
                    + (f"{type(error).__name__}: {error}" if error else "it blocks")
                )
                raise AdapterFailed(message) from error
        self._baseline = self.world.census()

    def _host(self, instance: int, stop: Gate) -> Callable[[], Any]:
        arguments = dict(self.setup.arguments)
        if "work" in self.cell.pattern.constructor:
            arguments["work"] = self._work((instance,), None)

        def host() -> None:
            subject = self.cell.subject(**arguments)
            lifespan = getattr(subject, "lifespan", None)
            if lifespan is None:
                self._subjects.append(subject)
                stop.wait()
                return
            with lifespan():
                self._subjects.append(subject)
                stop.wait()

        async def async_host() -> None:
            subject = self.cell.subject(**arguments)
            lifespan = getattr(subject, "lifespan", None)
            if lifespan is None:
                self._subjects.append(subject)
                await stop.wait()
                return
            async with lifespan():
                self._subjects.append(subject)
                await stop.wait()

        return async_host if self.cell.factory.is_async else host

    def _stimulate(self, stimulus: Any) -> bool:
        match stimulus:
            case Start():
                return self._start(stimulus)
            case Open(which, outcome):
                waiting = self.waiting()
                if not waiting:
                    return False
                execution = waiting[which % len(waiting)]
                assert execution.gate is not None  # it waits there
                execution.waiting = False
                execution.gate.open(outcome)
                self._issue(execution.part, Finished(execution.index, outcome))
                self._note(f"let {self._name(execution)} end: {outcome}")
            case Cancel(which):
                calls = self.cancellable()
                if not calls:
                    return False
                record = calls[which % len(calls)]
                assert record.call is not None  # nested calls are not cancellable
                self.world.cancel(record.call)
                self.cell.count("UN-04")
                self._issue(record.part, Cancelled(record.number))
                self._note(f"cancel c{record.number}")
            case Inside(which, operation, arguments, instance):
                waiting = self.waiting()
                if not waiting:
                    return False
                execution = waiting[which % len(waiting)]
                record = self._record(operation, arguments, instance)
                if record is None:
                    return False
                record.arguments = arguments
                record.inside = execution.index if execution.part == record.part else -1
                self._records.append(record)
                record.nested = Call(-1 - record.number, record.label)
                self._watched.setdefault(record.part, []).append(record)
                assert execution.gate is not None  # it waits there
                execution.waiting = False
                self._issue(
                    record.part, Began(record.number, operation, arguments, record.inside)
                )
                self._note(f"inside {self._name(execution)}: c{record.number} {record.label}")
                execution.gate.open(record)
            case Advance(aim, which, offset):
                return self._advance(aim, which, offset)
        return True

    def _record(self, operation: str, arguments: Arguments, instance: int) -> Record | None:
        method = self.cell.pattern.methods.get(operation.removesuffix("_unread"))
        assert method is not None, f"the port has no {operation}"
        named = dict(arguments)
        if method.receiver is not None and not self.handles(method.receiver):
            return None
        instance %= self.setup.instances
        part = (instance, *(named[name] for name in self.cell.pattern.part if name in named))
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments)
        where = f"subject {instance}: " if self.setup.instances > 1 else ""
        self._operations.add(operation)
        if instance:
            self.cell.count("UN-10")
        return Record(
            len(self._records), part, operation, method, f"{where}{operation}({shown})"
        )

    def _start(self, start: Start) -> bool:
        record = self._record(start.operation, start.arguments, start.instance)
        if record is None:
            return False
        arguments = dict(start.arguments)
        receiver = self._subjects[start.instance % self.setup.instances]
        if record.method.receiver is not None:
            handles = self.handles(record.method.receiver)
            handle = handles[arguments.pop("which") % len(handles)]
            receiver, arguments["of"] = handle.raw, handle.number
        self._records.append(record)
        self._watched.setdefault(record.part, []).append(record)
        kinds = self.cell.factory.cancel_kinds
        operation = self._operation(record, receiver, arguments)
        if kinds:
            record.call = self.world.spawn(
                record.label, operation, cancel=kinds[start.cancel % len(kinds)]
            )
        else:
            record.call = self.world.spawn(record.label, operation)
        self._by_world_number[record.call.number] = record.number
        facts = tuple(sorted(arguments.items()))
        self._issue(record.part, Began(record.number, start.operation, facts))
        self._note(f"c{record.number} calls {record.label}")
        return True

    def _operation(
        self, record: Record, receiver: Any, arguments: Mapping[str, Any]
    ) -> Callable[[], Any]:
        """The function that makes the call, sync or async as the world needs."""
        method, unread = record.method, record.operation.endswith("_unread")
        work = self._work(record.part, record.number) if "work" in method.parameters else None
        given = [work if name == "work" else arguments[name] for name in method.parameters]

        def sync_operation() -> Any:
            try:
                value = getattr(receiver, method.name)(*given)
                if method.future:
                    record.holds_future = True
                    if unread:
                        return self._returned(record, None)
                    value = value.result()
                return self._returned(record, value)
            except BaseException as error:
                self._raised(record, error)
                raise

        async def async_operation() -> Any:
            try:
                value = getattr(receiver, method.name)(*given)
                if method.future:
                    record.holds_future = True
                    if unread:
                        return self._returned(record, None)
                    value = await value
                elif inspect.isawaitable(value):
                    value = await value
                return self._returned(record, value)
            except BaseException as error:
                self._raised(record, error)
                raise

        return async_operation if self.cell.factory.is_async else sync_operation

    def _returned(self, record: Record, value: Any) -> Any:
        if record.method.read is not None:
            record.raw = value
            value = record.method.read(value)
        record.told = True
        self._note(f"c{record.number} returns {self._show(value)}")
        return value

    def _raised(self, record: Record, error: BaseException) -> None:
        record.told = True
        if not self._closing:
            self._note(f"c{record.number} ends with {self._show(error)}")

    def _work(self, part: Part, number: int | None) -> Callable[[], Any]:
        """A user function, and its log: it starts, waits at a gate, and ends as told."""

        def sync_work() -> Any:
            execution = self._begins(part, number)
            while True:
                assert execution.gate is not None  # made by _begins
                try:
                    payload = execution.gate.wait()
                except BaseException:
                    self._interrupted(execution)
                    raise
                if not isinstance(payload, Record):
                    return self._ends(execution, payload)
                token = CURRENT_CALL.set(-1 - payload.number)
                try:
                    value = self._nested(payload)()
                    self._nested_ends(payload, Status.RETURNED, value, None)
                except BaseException as error:
                    self._nested_ends(payload, Status.RAISED, None, error)
                finally:
                    CURRENT_CALL.reset(token)
                self._wait_again(execution)

        async def async_work() -> Any:
            execution = self._begins(part, number)
            while True:
                assert execution.gate is not None  # made by _begins
                try:
                    payload = await execution.gate.wait()
                except BaseException:
                    self._interrupted(execution)
                    raise
                if not isinstance(payload, Record):
                    return self._ends(execution, payload)
                token = CURRENT_CALL.set(-1 - payload.number)
                try:
                    value = await self._nested(payload)()
                    self._nested_ends(payload, Status.RETURNED, value, None)
                except Exception as error:
                    self._nested_ends(payload, Status.RAISED, None, error)
                except BaseException as error:
                    self._nested_ends(payload, Status.CANCELLED, None, error)
                    self._interrupted(execution)
                    raise
                finally:
                    CURRENT_CALL.reset(token)
                self._wait_again(execution)

        work = async_work if self.cell.factory.is_async else sync_work
        self._works.append(weakref.ref(work))
        return work

    def _nested(self, record: Record) -> Callable[[], Any]:
        instance = record.part[0]
        return self._operation(record, self._subjects[instance], dict(record.arguments))

    def _nested_ends(
        self, record: Record, status: Status, value: object, error: BaseException | None
    ) -> None:
        call = record.world_call
        call.status, call.value, call.error, call.ended_at = status, value, error, self.world.now

    def _begins(self, part: Part, number: int | None) -> Execution:
        if number is None:
            current = CURRENT_CALL.get()
            if current is not None and current < 0:
                number = -1 - current
            elif current is not None:
                number = self._by_world_number.get(current)
        index = self._begun.get(part, 0)
        self._begun[part] = index + 1
        execution = Execution(part, index, number)
        self._executions.setdefault(part, []).append(execution)
        self._note(f"{self._name(execution)} starts" + ("" if number is None else f" for c{number}"))
        self._wait_again(execution)
        return execution

    def _wait_again(self, execution: Execution) -> None:
        execution.gate = self.world.gate(self._name(execution))
        execution.waiting = True

    def _interrupted(self, execution: Execution) -> None:
        execution.waiting = False
        if not self._closing:
            execution.phase = "cancelled"
            self._note(f"{self._name(execution)} is cancelled")

    def _ends(self, execution: Execution, outcome: str) -> Any:
        execution.phase = "ended"
        self._note(f"{self._name(execution)} ends: {outcome}")
        if outcome == "error":
            execution.error = WorkError(f"error of {self._name(execution)}")
            raise execution.error
        if outcome == "exit":
            execution.error = WorkExit(f"exit of {self._name(execution)}")
            raise execution.error
        if outcome == "none":
            return None
        token = Token(execution.part, execution.index)
        self._tokens.append(weakref.ref(token))
        return token

    def _advance(self, aim: str, which: int, offset: int) -> bool:
        self._settle()
        if aim == "by":
            target = self.world.now + offset
        else:
            instants = self.instants()
            if not instants:
                return False
            target = instants[which % len(instants)] + offset
        if target < self.world.now:
            return False
        self._note(f"the clock moves to {target - START} ns")
        while (due := self.world.next_due()) is not None and due < target:
            stops = [at for at in self.checker.instants() if self.world.now < at < due]
            self._move_clock(min([due, *stops]))
        stops = [at for at in self.checker.instants() if self.world.now < at < target]
        for at in stops:
            self._move_clock(at)
        self._move_clock(target, last=True)
        return True

    def _move_clock(self, at: int, *, last: bool = False) -> None:
        lines = len(self.history)
        self._run(lambda: self.world.advance_to(at))
        quiet = len(self.history) == lines and not any(
            ended(record) for records in self._watched.values() for record in records
        )
        if quiet and not last and not any(instant <= at for instant in self.checker.instants()):
            return  # a poll of the subject's own: nothing to compare
        for part in self._parts():
            self._issue(part, Ticked(at))
        self._compare()

    def _parts(self) -> list[Part]:
        return sorted({*self._watched, *self._executions, *self._views}, key=repr)

    def _issue(self, part: Part, fact: Fact) -> None:
        facts, after = self._pending.setdefault(part, ([], []))
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
                    or any(e.leader == call for e in self._executions.get(part, ()))
                )
            case Cancelled(call):
                return ended(self._records[call])
            case Finished(index):
                return any(
                    ended(record) and mentions(self._outcome(record), index)
                    for record in self._watched.get(part, ())
                )
        return False

    def _run(self, function: Callable[[], None]) -> None:
        try:
            function()
        except SpinError as error:
            self._violated(SPIN, "the world comes to rest", str(error))

    def _settle(self) -> None:
        self._run(self.world.settle)
        self._compare()

    def _drain(self) -> None:
        for _ in range(DRAIN_LIMIT):
            waiting = self.waiting()
            if waiting:
                self._stimulate(Open())
                self._settle()
            elif not all(ended(r) for records in self._watched.values() for r in records):
                if not self._advance("next", 0, 0):
                    return
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
            self.journal.append(entry)
            mismatch = self.checker.compare(entry)
            if mismatch is not None:
                self._mismatched(mismatch)
            self._seal(part)
        self.cell.count("UN-03")

    def _tell_ends(self) -> None:
        for records in self._watched.values():
            for record in records:
                if not record.told and ended(record):
                    record.told = True
                    self._note(f"c{record.number} is {record.world_call.status.value}")

    def _view(self, part: Part) -> View:
        return View(
            tuple((r.number, self._outcome(r)) for r in self._watched.get(part, ())),
            tuple((e.index, e.leader, e.phase) for e in self._executions.get(part, ())),
        )

    def _seal(self, part: Part) -> None:
        records = self._watched.get(part)
        if records:
            self._watched[part] = [record for record in records if not ended(record)]
        executions = self._executions.get(part)
        if executions:
            self._executions[part] = [e for e in executions if e.phase == "running"]
        self._views[part] = self._view(part)

    def _outcome(self, record: Record) -> tuple[Any, ...]:
        call = record.world_call
        match call.status:
            case Status.BLOCKED:
                return ("holds a future",) if record.holds_future else BLOCKED
            case Status.CANCELLED:
                return ("cancelled",)
            case Status.RETURNED:
                outcome: tuple[Any, ...] = ("returned", freeze(call.value, record.part))
            case Status.RAISED:
                assert call.error is not None  # the world says what was raised
                outcome = ("raised", self._error(record, call.error))
                if outcome == ALIEN_CANCEL:
                    return outcome
        return (*outcome, call.ended_at) if record.method.timed else outcome

    def _error(self, record: Record, error: BaseException) -> tuple[Any, ...]:
        for execution in self._executions.get(record.part, ()):
            if execution.error is error:
                return ("error" if isinstance(error, WorkError) else "exit", execution.index)
        if isinstance(error, WorkError | WorkExit):
            return ("stale error",)
        if type(error).__name__ in ("CancelledError", "Cancelled"):
            return ("alien-cancel",)
        if record.method.refuses or record.inside is not None:
            return ("refused",)
        return ("alien", f"{type(error).__module__}.{type(error).__qualname__}")

    def _mismatched(self, mismatch: Mismatch) -> None:
        signature = explain(self.model, self.journal, mismatch.expected, self.checker.relaxed)
        expected = " or ".join(describe(view) for view in mismatch.expected[:3]) or "nothing"
        self._violated(signature, expected, describe(mismatch.entry.seen))

    def _violated(self, signature: str, expected: str, observed: str) -> None:
        if signature in self.cell.known:
            self.cell.recorded[signature] = self.cell.recorded.get(signature, 0) + 1
            raise Recorded(signature)
        raise violation_type(signature)(signature, expected, observed)

    def _note(self, text: str) -> None:
        if not self._closing:
            self.history.append(f"{self.world.now - START:>12} ns  {text}")

    def _name(self, execution: Execution) -> str:
        instance, *rest = execution.part
        of = f" of {rest[0]!r}" if rest else ""
        where = f" on subject {instance}" if self.setup.instances > 1 else ""
        return f"function {execution.index}{of}{where}"

    def _show(self, value: object) -> str:
        if isinstance(value, Token):
            return f"the value of function {value.index}"
        if isinstance(value, BaseException):
            return f"{type(value).__name__}: {value}" if str(value) else type(value).__name__
        if isinstance(value, tuple):
            return "(" + ", ".join(self._show(item) for item in value) + ")"
        return repr(value)


def ended(record: Record) -> bool:
    """Whether the call has come to an end."""
    return record.world_call.status is not Status.BLOCKED


def freeze(value: object, part: Part) -> Any:
    """A returned value in the form that models predict."""
    if isinstance(value, Token):
        return ("value", value.index) if value.part == part else ("value of another key",)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return tuple(freeze(item, part) for item in value)
    return ("thing", type(value).__qualname__)


def mentions(outcome: Any, index: int) -> bool:
    """Whether an outcome tells of execution ``index``."""
    if not isinstance(outcome, tuple):
        return False
    if len(outcome) == 2 and outcome[0] in ("value", "error", "exit") and outcome[1] == index:
        return True
    return any(mentions(item, index) for item in outcome)


def describe(view: View) -> str:
    """A view in words."""
    calls = ", ".join(f"c{number} {words(outcome)}" for number, outcome in view.calls)
    functions = ", ".join(
        f"function {index} {phase}" + ("" if leader is None else f" for c{leader}")
        for index, leader, phase in view.executions
    )
    return "; ".join(part for part in (calls, functions) if part) or "nothing"


def words(outcome: tuple[Any, ...]) -> str:
    """An outcome in words."""
    match outcome:
        case ("returned", value, *at):
            text = f"returned {show_frozen(value)}"
        case ("raised", (kind, *details), *at):
            text = f"raised {kind}" + "".join(f" {detail}" for detail in details)
        case (kind, *at):
            return str(kind)
    return text + (f" at {at[0] - START} ns" if at else "")


def show_frozen(value: object) -> str:
    """A frozen value in words."""
    match value:
        case ("value", int(index)):
            return f"the value of function {index}"
        case tuple():
            return "(" + ", ".join(show_frozen(item) for item in value) + ")"
    return repr(value)
