"""What most models share: calls that block and end, executions that start and end.

A pattern's model subclasses ``CallsModel``, and its state ``Calls``. The base keeps the books
that are alike everywhere: a call that is cancelled before it began, a cancellation that
overtakes an end, an execution that starts by itself. The pattern says what a call does
(``begin``), what the end of a user function does (``ended``), what a cancellation undoes
(``cancel``), what time does (``ticked``), and what then follows by itself (``follow``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.universal import blame
from quiesce.stimuli import Began, Cancelled, Fact, Finished, Part, Ticked

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

__all__ = [
    "CANCELLED",
    "ENDED",
    "INTERRUPTED",
    "REFUSED",
    "RUNNING",
    "STARTING",
    "Calls",
    "CallsModel",
    "Execution",
    "Outcome",
    "drop",
    "put",
    "raised",
    "returned",
    "start",
    "swap",
]

Outcome = tuple[Any, ...]

CANCELLED: Final[Outcome] = ("cancelled",)
REFUSED: Final[Outcome] = ("raised", ("refused",))

STARTING, RUNNING, ENDED = "starting", "running", "ended"
#: Phase of an execution that a cancellation ended.
INTERRUPTED: Final = "cancelled"


def returned(value: Any = None) -> Outcome:
    """The outcome of a call that returned this, frozen."""
    return ("returned", value)


def raised(kind: str, index: int) -> Outcome:
    """The outcome of a call that raised the error of that execution."""
    return ("raised", (kind, index))


@attrs.frozen
class Execution:
    """One run of a user function. Before it starts it has no index."""

    leader: Hashable
    index: int = -1
    phase: str = STARTING


@attrs.frozen
class Calls:
    """The calls and executions of one part that are not yet accounted for."""

    calls: tuple[tuple[int, Outcome], ...] = ()
    executions: tuple[Any, ...] = ()  # Execution, or what the pattern derives from it
    begun: int = 0  # user functions started so far
    doomed: frozenset[int] = frozenset()  # cancelled before they began

    @property
    def running(self) -> tuple[Any, ...]:
        """Executions that started and have not ended."""
        return tuple(e for e in self.executions if e.phase == RUNNING)

    @property
    def active(self) -> tuple[Any, ...]:
        """Executions that run, or are about to."""
        return tuple(e for e in self.executions if e.phase in (STARTING, RUNNING))

    def of(self, call: int) -> Outcome | None:
        """How a call stands; None if it has not begun, or ended before the last barrier."""
        for number, outcome in self.calls:
            if number == call:
                return outcome
        return None


S = TypeVar("S", bound=Calls)


class CallsModel(ABC):
    """A model of calls and executions. Subclasses are pure: everything stands in the state."""

    relaxations: Mapping[str, str] = {}
    #: Signatures of what no relaxation explains: see ``universal.blame``.
    extra: ClassVar[str] = "UN-03 a user function runs that nothing called for"
    value: ClassVar[str]
    alien: ClassVar[str] = "UN-04 a cancellation reaches a call that was not cancelled"

    @abstractmethod
    def initial(self, part: Part) -> Any:
        """The state of a part to which nothing has happened."""

    @abstractmethod
    def begin(self, state: Any, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        """A call takes effect: it ends at once, or it blocks."""

    def ended(
        self, state: Any, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """A user function has ended with ``outcome``; in ``state`` its phase says so."""
        message = f"{type(self).__name__} has no user functions"
        raise NotImplementedError(message)

    def cancel(self, state: Any, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        """A blocked call is cancelled. In ``state`` it still stands as blocked."""
        yield Move(put(state, call, CANCELLED))

    def ticked(self, state: Any, at: int, relaxed: Collection[str]) -> Iterable[Move]:
        """The clock stands at ``at`` nanoseconds."""
        yield Move(state)

    def follow(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        """The moves that the subject makes by itself, apart from starting executions."""
        return ()

    def apply(self, state: Any, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Began(call) if call in state.doomed:
                yield Move(put(state, call, CANCELLED))
            case Began():
                yield from self.begin(state, fact, relaxed)
            case Finished(index, outcome):
                execution = next((e for e in state.executions if e.index == index), None)
                if execution is None:
                    return  # its start is still to come in this order of things
                if execution.phase == RUNNING:
                    after = swap(state, execution, evolve(execution, phase=ENDED))
                    yield from self.ended(after, execution, outcome, relaxed)
                else:  # the cancellation was faster
                    yield Move(state)
            case Cancelled(call):
                status = state.of(call)
                if status is None:
                    yield Move(evolve(state, doomed=state.doomed | {call}))
                elif status == BLOCKED:
                    yield from self.cancel(state, call, relaxed)
                else:  # ended in this burst: the cancellation may still show
                    yield Move(state)
                    yield Move(put(state, call, CANCELLED))
            case Ticked(at):
                yield from self.ticked(state, at, relaxed)

    def internal(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        for execution in state.executions:
            if execution.phase == STARTING:
                running = evolve(execution, phase=RUNNING, index=state.begun)
                yield Move(evolve(swap(state, execution, running), begun=state.begun + 1))
        yield from self.follow(state, relaxed)

    def may_rest(self, state: Any) -> bool:
        return False

    def view(self, state: Any) -> View:
        return View(
            state.calls,
            tuple(
                sorted(
                    ((e.index, e.leader, e.phase) for e in state.executions if e.index >= 0),
                    key=lambda each: each[0],
                )
            ),
        )

    def possible(self, state: Any, seen: View) -> bool:
        """Whether what has ended and started in ``state`` was seen so. Enough to prune with."""
        outcomes = dict(seen.calls)
        for call, outcome in state.calls:
            if outcome not in (BLOCKED, ANY) and outcomes.get(call) not in (outcome, CANCELLED):
                return False  # an ended call changes to cancelled only
        started = {index: (leader, phase) for index, leader, phase in seen.executions}
        for execution in state.executions:
            if execution.index < 0:
                continue
            leader, phase = started.get(execution.index, (None, None))
            if phase is None:
                return False
            if None not in (leader, execution.leader) and leader != execution.leader:
                return False
            if execution.phase not in (RUNNING, phase):
                return False
        return True

    def seal(self, state: Any) -> Any:
        return evolve(
            state,
            calls=tuple(entry for entry in state.calls if entry[1] == BLOCKED),
            executions=state.running,
            doomed=frozenset(),
        )

    def instants(self, state: Any) -> Iterable[int]:
        return ()

    def blame(self, expected: Sequence[View], seen: View) -> str:
        return blame(expected, seen, extra=self.extra, value=self.value, cancel=self.alien)


def put(state: S, calls: int | Iterable[int], outcome: Outcome) -> S:
    """The state in which a call, or several, stand so."""
    changed = dict(state.calls)
    changed.update((call, outcome) for call in ((calls,) if isinstance(calls, int) else calls))
    return evolve(state, calls=tuple(sorted(changed.items(), key=lambda entry: entry[0])))


def start(state: S, leader: Hashable) -> S:
    """The state in which a user function is about to start."""
    executions = (*state.executions, Execution(leader))
    return evolve(state, executions=ordered(executions))


def swap(state: S, old: Execution, new: Execution) -> S:
    """The state with one execution changed."""
    executions = tuple(new if e is old else e for e in state.executions)
    return evolve(state, executions=ordered(executions))


def drop(state: S, execution: Execution) -> S:
    """The execution is cancelled; before its function started nothing is seen of that."""
    if execution.phase == RUNNING:
        return swap(state, execution, evolve(execution, phase=INTERRUPTED))
    return evolve(state, executions=tuple(e for e in state.executions if e is not execution))


def ordered(executions: tuple[Execution, ...]) -> tuple[Execution, ...]:
    """States that differ only in the order of executions are one state."""
    if len(executions) < 2:
        return executions
    return tuple(sorted(executions, key=lambda e: (e.index, repr(e.leader))))
