"""The log of a trial: what callers and user functions do inside the world, as it happens.

Everything here that runs in tasks is a caller's operation or a user function. It writes
down its start and its end; the trial, in the hub, reads.
"""

from __future__ import annotations

import inspect
import weakref
from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.model import BLOCKED
from quiesce.patterns.universal import ALIEN_CANCEL
from quiesce.stimuli import Arguments, Cancelled, Fact, Part
from quiesce.words import error_in_words
from quiesce.worlds.world import CURRENT_CALL, START, Call, Gate, Status, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from quiesce.patterns.pattern import Method

__all__ = [
    "Execution",
    "Log",
    "Record",
    "Token",
    "WorkError",
    "WorkExit",
    "WorkPanic",
    "alien",
    "ended",
    "mentions",
]


#: Types whose own methods can be trusted.
PLAIN: Final = (type(None), bool, int, float, str)
#: Results nested deeper than this count as things.
DEPTH: Final = 8


class WorkError(Exception):
    """The ordinary error of a user function."""


class WorkPanic(BaseException):
    """The error of a user function that blows up: no ``except Exception`` catches it."""


class WorkExit(SystemExit):
    """The error of a user function that wants its thread to end."""


#: What models call the errors of user functions.
KINDS: Final[dict[type, str]] = {WorkError: "error", WorkPanic: "panic", WorkExit: "exit"}


@attrs.define(eq=False)
class Token:
    """The value of one execution: compared by identity, and weakly referenced."""

    part: Part
    index: int


@attrs.define(eq=False)
class Execution:
    """One run of a user function, as it logged itself."""

    part: Part
    index: int  # order of start within its part
    leader: int | None
    phase: str = "running"
    gate: Gate | None = None
    waiting: bool = False  # at its gate
    nested: Record | None = None  # the call that it makes, or is about to make
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


class Log:
    """What happened in one trial, written from inside its world.

    Args:
      world: where it happens.
      is_async: whether operations and user functions are coroutine functions there.
      instances: how many subjects the trial has.
      issue: told of facts that arise inside: a call that goes down with its function.
    """

    def __init__(
        self,
        world: World,
        *,
        is_async: bool,
        instances: int,
        issue: Callable[[Part, Fact], None],
    ) -> None:
        self._world = world
        self._is_async = is_async
        self._instances = instances
        self._issue = issue
        self.history: list[str] = []
        self.subjects: list[Any] = []
        self.executions: dict[Part, list[Execution]] = {}  # not yet accounted for
        self.by_world_number: dict[int, int] = {}  # world's number of a call -> ours
        self.functions: list[weakref.ref[Any]] = []
        self.tokens: list[weakref.ref[Token]] = []
        self.closed = False
        self._begun: dict[Part, int] = {}
        self._errors: list[tuple[weakref.ref[BaseException], Part, int]] = []

    def operation(
        self, record: Record, receiver: Any, arguments: Mapping[str, Any]
    ) -> Callable[[], Any]:
        """The function that makes the call, sync or async as the world needs."""
        method, unread = record.method, record.operation.endswith("_unread")
        work = (
            self.user_function(record.part, record.number) if "work" in method.parameters else None
        )
        given = [work if name == "work" else arguments[name] for name in method.parameters]
        del work

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
            finally:
                given.clear()  # or a world that keeps the call keeps the user function

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
            finally:
                given.clear()

        return async_operation if self._is_async else sync_operation

    def _returned(self, record: Record, value: Any) -> Any:
        if record.method.read is not None:
            record.raw = value
            value = record.method.read(value)
        record.told = True
        self.note(f"c{record.number} returns {self._show(value)}")
        return value

    def _raised(self, record: Record, error: BaseException) -> None:
        record.told = True
        if not self.closed:
            self.note(f"c{record.number} ends with {error_in_words(error)}")

    def user_function(self, part: Part, number: int | None) -> Callable[[], Any]:
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
                except BaseException:
                    self._interrupted(execution)
                    raise
                finally:
                    CURRENT_CALL.reset(token)
                self._wait_again(execution)

        work = async_work if self._is_async else sync_work
        self.functions.append(weakref.ref(work))
        return work

    def _nested(self, record: Record) -> Callable[[], Any]:
        instance = record.part[0]
        return self.operation(record, self.subjects[instance], dict(record.arguments))

    def _nested_ends(
        self, record: Record, status: Status, value: object, error: BaseException | None
    ) -> None:
        call = record.world_call
        call.status, call.value, call.error, call.ended_at = status, value, error, self._world.now

    def _begins(self, part: Part, number: int | None) -> Execution:
        if number is None:
            current = CURRENT_CALL.get()
            if current is not None and current < 0:
                number = -1 - current
            elif current is not None:
                number = self.by_world_number.get(current)
        index = self._begun.get(part, 0)
        self._begun[part] = index + 1
        execution = Execution(part, index, number)
        self.executions.setdefault(part, []).append(execution)
        self.note(f"{self.name(execution)} starts" + ("" if number is None else f" for c{number}"))
        self._wait_again(execution)
        return execution

    def _wait_again(self, execution: Execution) -> None:
        execution.nested = None
        execution.gate = self._world.gate(self.name(execution))
        execution.waiting = True

    def _interrupted(self, execution: Execution) -> None:
        execution.waiting = False
        if self.closed:
            return
        execution.phase = "cancelled"
        self.note(f"{self.name(execution)} is cancelled")
        nested = execution.nested
        if nested is not None:  # its call goes down with it, begun or not
            self._nested_ends(nested, Status.CANCELLED, None, None)
            self._issue(nested.part, Cancelled(nested.number))

    def _ends(self, execution: Execution, outcome: str) -> Any:
        execution.phase = "ended"
        self.note(f"{self.name(execution)} ends: {outcome}")
        if outcome == "error":
            execution.error = WorkError(f"error of {self.name(execution)}")
        if outcome == "panic":
            execution.error = WorkPanic(f"panic of {self.name(execution)}")
        if outcome == "exit":
            execution.error = WorkExit(f"exit of {self.name(execution)}")
        if execution.error is not None:
            self._errors.append((weakref.ref(execution.error), execution.part, execution.index))
            raise execution.error
        if outcome == "none":
            return None
        token = Token(execution.part, execution.index)
        self.tokens.append(weakref.ref(token))
        return token

    def outcome(self, record: Record) -> tuple[Any, ...]:
        """How a call stands, in the form that models predict."""
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
        kind = KINDS.get(type(error))
        if kind is not None:
            for reference, part, index in self._errors:
                if reference() is error and part == record.part:
                    return (kind, index)
            return (f"{kind} of another part",)
        if type(error).__name__ in ("CancelledError", "Cancelled"):
            return ("alien-cancel",)
        if record.method.refuses or record.inside is not None:
            return ("refused",)
        return alien(error)

    def note(self, text: str) -> None:
        """Write a line of the history."""
        if not self.closed:
            self.history.append(f"{self._world.now - START:>12} ns  {text}")

    def name(self, execution: Execution) -> str:
        """What the history calls an execution."""
        instance, *rest = execution.part
        of = f" of {rest[0]!r}" if rest else ""
        where = f" on subject {instance}" if self._instances > 1 else ""
        return f"function {execution.index}{of}{where}"

    def _show(self, value: Any) -> str:
        """A value in words. What a subject made is never asked: its own words may fail or vary."""
        kind = type(value)
        if kind is Token:
            return f"the value of function {value.index}"
        if issubclass(kind, tuple):
            return "(" + ", ".join(self._show(item) for item in tuple.__iter__(value)) + ")"
        return repr(value) if kind in PLAIN else f"a {kind.__qualname__}"


def alien(error: BaseException) -> tuple[str, str]:
    """An error that is no user function's, as outcomes hold it."""
    return ("alien", f"{type(error).__module__}.{type(error).__qualname__}")


def ended(record: Record) -> bool:
    """Whether the call has come to an end."""
    return record.world_call.status is not Status.BLOCKED


def freeze(value: Any, part: Part, depth: int = 0) -> Any:
    """A returned value in the form that models predict.

    None of a subject's own methods is called, so a strange object does no harm.
    """
    kind = type(value)
    if kind is Token:
        return ("value", value.index) if value.part == part else ("value of another key",)
    if kind in PLAIN:
        return value
    for base, plain in ((int, int.__int__), (float, float.__float__), (str, str.__str__)):
        if issubclass(kind, base):
            return plain(value)
    for sequence in (tuple, list):
        if issubclass(kind, sequence) and depth < DEPTH:
            return tuple(freeze(item, part, depth + 1) for item in sequence.__iter__(value))
    return ("thing", kind.__qualname__)


def mentions(outcome: Any, index: int) -> bool:
    """Whether an outcome tells of execution ``index``."""
    if not isinstance(outcome, tuple):
        return False
    if len(outcome) == 2 and outcome[0] in ("value", *KINDS.values()) and outcome[1] == index:
        return True
    return any(mentions(item, index) for item in outcome)
