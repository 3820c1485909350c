"""The log of a trial: what callers do inside the world, as it happens.

Everything here that runs in tasks is a caller's operation. It writes down its start and its
end, as user functions do; the trial, in the hub, reads.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.functions import KINDS, UserFunctions, freeze, show
from quiesce.model import BLOCKED, HOLDS_A_FUTURE
from quiesce.patterns.universal import ALIEN_CANCEL
from quiesce.stimuli import Arguments, Cancelled, Fact, Part
from quiesce.words import error_in_words
from quiesce.worlds.world import START, Call, Status, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from quiesce.patterns.pattern import Method

__all__ = ["ITEM", "Log", "Record", "alien", "ended", "mentions"]

#: The parameter whose value is fresh with every call: the call's own number.
ITEM: Final = "item"


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
    taken: bool = False  # a later call was given it
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
        self._issue = issue
        self.history: list[str] = []
        self.subjects: list[Any] = []
        self.by_world_number: dict[int, int] = {}  # world's number of a call -> ours
        self.functions = UserFunctions(
            world,
            is_async=is_async,
            instances=instances,
            note=self.note,
            make_call=self._nested,
            nested_ended=self._nested_ended,
            call_of=self.by_world_number.get,
        )

    @property
    def closed(self) -> bool:
        """Whether the trial is over, and what still ends is no news."""
        return self.functions.closed

    def close(self) -> None:
        """The trial is over."""
        self.functions.closed = True

    def operation(
        self, record: Record, receiver: Any, arguments: Mapping[str, Any]
    ) -> Callable[[], Any]:
        """The function that makes the call, sync or async as the world needs."""
        method, unread = record.method, record.operation.endswith("_unread")
        given = [self._given(record, name, arguments) for name in method.parameters]

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

    def _given(self, record: Record, name: str, arguments: Mapping[str, Any]) -> Any:
        shape = record.method.functions.get(name)
        if shape is not None:
            return self.functions.make(name, shape, record.part, record.number)
        return record.number if name == ITEM else arguments[name]

    def _returned(self, record: Record, value: Any) -> Any:
        if record.method.read is not None:
            record.raw = value
            value = record.method.read(value)
        record.told = True
        self.note(f"c{record.number} returns {show(value)}")
        return value

    def _raised(self, record: Record, error: BaseException) -> None:
        record.told = True
        if not self.closed:
            self.note(f"c{record.number} ends with {error_in_words(error)}")

    def _nested(self, record: Record) -> Callable[[], Any]:
        instance = record.part[0]
        return self.operation(record, self.subjects[instance], dict(record.arguments))

    def _nested_ended(
        self, record: Record, status: Status, value: object, error: BaseException | None
    ) -> None:
        if status is Status.CANCELLED and not self.closed:
            # Before its status tells: it may never have begun, so its beginning is not seen.
            self._issue(record.part, Cancelled(record.number))
        call = record.world_call
        call.status, call.value, call.error, call.ended_at = status, value, error, self._world.now

    def outcome(self, record: Record) -> tuple[Any, ...]:
        """How a call stands, in the form that models predict."""
        call = record.world_call
        match call.status:
            case Status.BLOCKED:
                return HOLDS_A_FUTURE if record.holds_future else BLOCKED
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
        if isinstance(error, BaseExceptionGroup):
            return ("group", tuple(sorted(self._leaves(record, error), key=repr)))
        kind = KINDS.get(type(error))
        if kind is not None:
            origin = self.functions.origin(error)
            if origin is not None and origin[0] == record.part:
                return (kind, origin[1])
            return (f"{kind} of another part",)
        if type(error).__name__ in ("CancelledError", "Cancelled"):
            return ("alien-cancel",)
        if record.method.refuses or record.inside is not None:
            return ("refused",)
        return alien(error)

    def _leaves(
        self, record: Record, group: BaseExceptionGroup[BaseException]
    ) -> Iterator[tuple[Any, ...]]:
        """The errors of a group, however deep groups lie in each other."""
        for error in group.exceptions:
            if isinstance(error, BaseExceptionGroup):
                yield from self._leaves(record, error)
            else:
                yield self._error(record, error)

    def note(self, text: str) -> None:
        """Write a line of the history."""
        if not self.closed:
            self.history.append(f"{self._world.now - START:>12} ns  {text}")


def alien(error: BaseException) -> tuple[str, str]:
    """An error that is no user function's, as outcomes hold it."""
    return ("alien", f"{type(error).__module__}.{type(error).__qualname__}")


def ended(record: Record) -> bool:
    """Whether the call has come to an end."""
    return record.world_call.status is not Status.BLOCKED


def mentions(outcome: Any, index: int) -> bool:
    """Whether an outcome tells of execution ``index``."""
    if not isinstance(outcome, tuple):
        return False
    if len(outcome) == 2 and outcome[0] in ("value", *KINDS.values()) and outcome[1] == index:
        return True
    return any(mentions(item, index) for item in outcome)
