"""User functions: what a trial hands to a subject, and the log of how it calls them.

Each run of one is an *execution*: it starts, waits at a gate, and ends as the trial tells it.
How a subject calls a function is its *shape*.
"""

from __future__ import annotations

import weakref
from enum import Enum, unique
from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.words import execution_in_words, frozen_in_words
from quiesce.worlds.world import CURRENT_CALL, Gate, Status, World

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from quiesce.log import Record
    from quiesce.stimuli import Part

__all__ = [
    "KINDS",
    "WORK",
    "Execution",
    "Shape",
    "Token",
    "UserFunctions",
    "WorkError",
    "WorkExit",
    "WorkPanic",
    "freeze",
    "show",
]

#: The user function that most patterns know: no arguments, and led by the call it came with.
WORK: Final = "work"
#: Types whose own methods can be trusted.
PLAIN: Final = (type(None), bool, int, float, str)
#: Results nested deeper than this count as things.
DEPTH: Final = 8


@unique
class Shape(Enum):
    """How a subject calls a user function. In async worlds a call is awaited."""

    PLAIN = "plain"  # without arguments
    EACH = "each"  # with one argument
    #: It is an iterator, asynchronous in async worlds; each item is an execution, and one
    #: that ends with ``none`` is the end of the items.
    SOURCE = "source"


class WorkError(Exception):
    """The ordinary error of a user function."""


class WorkPanic(BaseException):
    """The error of a user function that blows up: no ``except Exception`` catches it."""


class WorkExit(SystemExit):
    """The error of a user function that wants its thread to end."""


#: What models call the errors of user functions.
KINDS: Final[dict[type, str]] = {WorkError: "error", WorkPanic: "panic", WorkExit: "exit"}
ERRORS: Final = {kind: error for error, kind in KINDS.items()}


@attrs.define(eq=False)
class Token:
    """The value of one execution: compared by identity, and weakly referenced."""

    part: Part
    index: int


@attrs.define(eq=False)
class Execution:
    """One run of a user function, as it logged itself.

    The leader tells whose it is: for ``work`` the number of the call that brought it, None
    if that can't be told; for any other function ``(name, argument, number)``.
    """

    part: Part
    index: int  # order of start within its part
    leader: Hashable
    shape: Shape = Shape.PLAIN
    phase: str = "running"
    gate: Gate | None = None
    waiting: bool = False  # at its gate
    nested: Record | None = None  # the call that it makes, or is about to make
    error: BaseException | None = None

    @property
    def call(self) -> int | None:
        """The call that brought the function, None for the constructor's."""
        number = self.leader[2] if isinstance(self.leader, tuple) else self.leader
        return number if isinstance(number, int) else None


class UserFunctions:
    """Makes the user functions of one trial, and follows their executions.

    Args:
      world: where they run.
      is_async: whether they are coroutine functions there.
      instances: how many subjects the trial has.
      note: writes a line of the history.
      make_call: the operation of a call that an execution makes itself.
      nested_ended: told when that call has ended, as the world's callers are.
      call_of: the trial's number of a world's call.
    """

    def __init__(
        self,
        world: World,
        *,
        is_async: bool,
        instances: int,
        note: Callable[[str], None],
        make_call: Callable[[Record], Callable[[], Any]],
        nested_ended: Callable[[Record, Status, object, BaseException | None], None],
        call_of: Callable[[int], int | None],
    ) -> None:
        self._world = world
        self._is_async = is_async
        self._instances = instances
        self._note = note
        self._make_call = make_call
        self._nested_ended = nested_ended
        self._call_of = call_of
        self.executions: dict[Part, list[Execution]] = {}  # not yet accounted for
        self.made: list[weakref.ref[Any]] = []
        self.tokens: list[weakref.ref[Token]] = []
        self.closed = False
        self._begun: dict[Part, int] = {}
        self._errors: list[tuple[weakref.ref[BaseException], Part, int]] = []

    def make(self, name: str, shape: Shape, part: Part, number: int | None) -> Any:
        """A user function.

        Args:
          name: of the parameter that takes it.
          shape: how it is called.
          part: where its executions belong.
          number: of the call that brings it, None for the constructor's.
        """

        def sync_run(*argument: object) -> Any:
            execution = self._begins(name, shape, part, number, argument)
            while True:
                assert execution.gate is not None  # made by _begins
                try:
                    payload = execution.gate.wait()
                except BaseException:
                    self._interrupted(execution)
                    raise
                if isinstance(payload, str):
                    return self._ends(execution, payload)
                token = CURRENT_CALL.set(-1 - payload.number)
                try:
                    value = self._make_call(payload)()
                    self._nested_ended(payload, Status.RETURNED, value, None)
                except BaseException as error:
                    self._nested_ended(payload, Status.RAISED, None, error)
                finally:
                    CURRENT_CALL.reset(token)
                self._wait_again(execution)

        async def async_run(*argument: object) -> Any:
            execution = self._begins(name, shape, part, number, argument)
            while True:
                assert execution.gate is not None  # made by _begins
                try:
                    payload = await execution.gate.wait()
                except BaseException:
                    self._interrupted(execution)
                    raise
                if isinstance(payload, str):
                    return self._ends(execution, payload)
                token = CURRENT_CALL.set(-1 - payload.number)
                try:
                    value = await self._make_call(payload)()
                    self._nested_ended(payload, Status.RETURNED, value, None)
                except Exception as error:
                    self._nested_ended(payload, Status.RAISED, None, error)
                except BaseException:
                    self._interrupted(execution)
                    raise
                finally:
                    CURRENT_CALL.reset(token)
                self._wait_again(execution)

        run: Any = async_run if self._is_async else sync_run
        if shape is Shape.SOURCE:
            run = (AsyncSource if self._is_async else Source)(run)
        self.made.append(weakref.ref(run))
        return run

    def name(self, execution: Execution) -> str:
        """What the history calls an execution."""
        instance, *rest = execution.part
        of = f" of {rest[0]!r}" if rest else ""
        where = f" on subject {instance}" if self._instances > 1 else ""
        return f"{execution_in_words(execution.index, execution.leader)}{of}{where}"

    def origin(self, error: BaseException) -> tuple[Part, int] | None:
        """The execution that raised this very object."""
        for reference, part, index in self._errors:
            if reference() is error:
                return part, index
        return None

    def _begins(
        self, name: str, shape: Shape, part: Part, number: int | None, argument: tuple[object, ...]
    ) -> Execution:
        leader: Hashable = (name, freeze(argument[0], part) if argument else None, number)
        if name == WORK:
            leader = number if number is not None else self._caller()
        index = self._begun.get(part, 0)
        self._begun[part] = index + 1
        execution = Execution(part, index, leader, shape)
        self.executions.setdefault(part, []).append(execution)
        whose = "" if execution.call is None else f" for c{execution.call}"
        self._note(f"{self.name(execution)} starts{whose}")
        self._wait_again(execution)
        return execution

    def _caller(self) -> int | None:
        """The call on whose behalf the constructor's function runs."""
        current = CURRENT_CALL.get()
        if current is None:
            return None
        return -1 - current if current < 0 else self._call_of(current)

    def _wait_again(self, execution: Execution) -> None:
        execution.nested = None
        execution.gate = self._world.gate(self.name(execution))
        execution.waiting = True

    def _interrupted(self, execution: Execution) -> None:
        execution.waiting = False
        if self.closed:
            return
        execution.phase = "cancelled"
        self._note(f"{self.name(execution)} is cancelled")
        if execution.nested is not None:  # its call goes down with it, begun or not
            self._nested_ended(execution.nested, Status.CANCELLED, None, None)

    def _ends(self, execution: Execution, outcome: str) -> Any:
        execution.phase = "ended"
        self._note(f"{self.name(execution)} ends: {outcome}")
        if outcome in ERRORS:
            execution.error = ERRORS[outcome](f"{outcome} of {self.name(execution)}")
            self._errors.append((weakref.ref(execution.error), execution.part, execution.index))
            raise execution.error
        if outcome == "none":
            return None
        token = Token(execution.part, execution.index)
        self.tokens.append(weakref.ref(token))
        return token


@attrs.define(eq=False)
class Source:
    """An iterator whose items are executions."""

    _run: Callable[[], Any]
    _ended: bool = False

    def __iter__(self) -> Source:
        return self

    def __next__(self) -> Any:
        item = None if self._ended else self._run()
        if item is None:
            self._ended = True
            raise StopIteration
        return item


@attrs.define(eq=False)
class AsyncSource:
    """An asynchronous iterator whose items are executions."""

    _run: Callable[[], Any]
    _ended: bool = False

    def __aiter__(self) -> AsyncSource:
        return self

    async def __anext__(self) -> Any:
        item = None if self._ended else await self._run()
        if item is None:
            self._ended = True
            raise StopAsyncIteration
        return item


def freeze(value: Any, part: Part, depth: int = 0) -> Any:
    """A value in the form that models predict.

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


def show(value: Any) -> str:
    """A value in words. What a subject made is never asked: its own words may fail or vary."""
    kind = type(value)
    if kind is Token:
        return frozen_in_words(("value", value.index))
    if issubclass(kind, tuple):
        return "(" + ", ".join(show(item) for item in tuple.__iter__(value)) + ")"
    return repr(value) if kind in PLAIN else f"a {kind.__qualname__}"
