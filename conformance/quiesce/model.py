"""Models, and the checker that keeps the set of states which explain what was seen.

A model is pure: no threads, no await, no clock; states are immutable and hashable. Facts
(stimuli with numbers) since the last *barrier*, a moment with nothing ready to run, may
have taken effect in any order, except that an effect that was seen before another fact was
issued came first. What follows by itself (a joiner retries, a waiter is let in) is an
*internal move* of its own at any later moment, never fused with its cause: fusing them
produces false alarms. A set of one state is an exact prediction; an empty set is a
violation.

Which clause? A model knows *relaxations*: itself with one clause dropped. The first that
explains the whole journal names the clause.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

    from quiesce.stimuli import Fact, Part

__all__ = [
    "ANY",
    "BLOCKED",
    "HOLDS_A_FUTURE",
    "Burst",
    "Checker",
    "Entry",
    "Model",
    "Move",
    "TooManyStates",
    "View",
    "evolve",
    "explain",
    "name",
]

#: Observation of a call that has not ended.
BLOCKED: Final = ("blocked",)
#: Observation of a call that returned a future which has no result yet.
HOLDS_A_FUTURE: Final = ("holds a future",)

S = TypeVar("S", bound=attrs.AttrsInstance)
#: Of each class of states: what gets the fields' values, and their positions.
_FIELDS: dict[type, tuple[Callable[[Any], Any], dict[str, int]]] = {}

#: Prediction of a relaxation that says nothing about how a call stands.
ANY: Final = ("any",)

#: A set of states this large is a sign of a badly cut model, not of a rich subject.
LAYER_LIMIT: Final = 5_000


def evolve(state: S, **changes: Any) -> S:
    """The state with these fields changed: ``attrs.evolve`` for what models do most."""
    cls = type(state)
    fields = _FIELDS.get(cls)
    if fields is None:
        names = [field.name for field in attrs.fields(cls)]
        # Two names more than there may be, since for one name it would return no tuple.
        positions = {name: index for index, name in enumerate(names)}
        fields = (attrgetter(*names, "__class__", "__class__"), positions)
        _FIELDS[cls] = fields
    get, positions = fields
    values = [*get(state)[:-2]]
    for name, value in changes.items():
        values[positions[name]] = value
    return cls(*values)


class TooManyStates(Exception):
    """A burst leads to more states than a well-cut model has; ``ends`` are those found."""

    def __init__(self, ends: list[tuple[Any, frozenset[str]]]) -> None:
        super().__init__(f"over {LAYER_LIMIT} states in one burst")
        self.ends = ends


@attrs.frozen
class View:
    """What a person outside sees of one part at a barrier.

    Attributes:
      calls: (number, outcome) of each call not yet accounted for, by number. The outcome is
        ``BLOCKED``, ``("returned", ...)``, ``("raised", ...)`` or ``("cancelled",)``.
      executions: (index, leader, phase) of each user function not yet accounted for. The
        leader is the call whose function it is, None if that can't be told, or what a user
        function other than ``work`` has (see ``Execution``); the phase is ``running``,
        ``ended`` or ``cancelled``.
    """

    calls: tuple[tuple[int, tuple[Any, ...]], ...]
    executions: tuple[tuple[int, Hashable, str], ...] = ()

    def matches(self, seen: View) -> bool:
        """Whether this prediction fits what was seen, where a leader may be unknown."""
        return self.calls_match(seen) and self.executions_match(seen)

    def calls_match(self, seen: View) -> bool:
        """Whether the calls' outcomes fit."""
        return len(self.calls) == len(seen.calls) and all(
            mine[0] == theirs[0] and (mine[1] == theirs[1] or mine[1] == ANY)
            for mine, theirs in zip(self.calls, seen.calls, strict=True)
        )

    def executions_match(self, seen: View) -> bool:
        """Whether the executions fit."""
        return len(self.executions) == len(seen.executions) and all(
            mine[0] == theirs[0]
            and mine[2] == theirs[2]
            and (theirs[1] is None or mine[1] is None or mine[1] == theirs[1])
            for mine, theirs in zip(self.executions, seen.executions, strict=True)
        )


@attrs.frozen
class Move:
    """A state that may follow, the clauses that decided so, and the relaxation if it took one."""

    state: Any
    clauses: tuple[str, ...] = ()
    relaxed: str | None = None


class Model(Protocol):
    """The required behaviour of one pattern, as a transition system."""

    #: Signature (clause id and a few words) -> the clause's id, narrowest first.
    relaxations: Mapping[str, str]

    def initial(self, part: Part) -> Hashable:
        """The state of a part to which nothing has happened yet, at the world's start."""

    def apply(self, state: Any, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        """The states in which ``fact`` may leave ``state``; none if it can't happen there."""

    def internal(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        """The moves that the subject makes by itself. At quiescence none is left."""

    def may_rest(self, state: Any) -> bool:
        """Whether the state may stand at quiescence although internal moves are left."""

    def view(self, state: Any) -> View:
        """What is seen in that state."""

    def possible(self, state: Any, seen: View) -> bool:
        """Whether a state on the way can still lead to ``seen``; only to prune."""

    def seal(self, state: Any) -> Hashable:
        """The state without what has ended and was seen."""

    def instants(self, state: Any) -> Iterable[int]:
        """Virtual times, later than the state's own, at which something is due."""

    def blame(self, expected: Sequence[View], seen: View) -> str:
        """The signature of a mismatch that no relaxation explains, by its look."""


@attrs.frozen
class Burst:
    """Facts since the last barrier; ``after[i]`` are the positions that precede fact i."""

    facts: tuple[Fact, ...] = ()
    after: tuple[frozenset[int], ...] = ()


@attrs.frozen
class Entry:
    """One comparison of a trial: all that a model needs to judge it again."""

    part: Part
    burst: Burst
    seen: View


States = frozenset[Any]
Memo = dict[Any, tuple[States, frozenset[str]]]


class Checker:
    """Follows one trial: per part, the states that explain everything so far."""

    def __init__(
        self, model: Model, relaxed: Collection[str] = (), memo: Memo | None = None
    ) -> None:
        self._model = model
        self._relaxed = frozenset(relaxed)
        self._states: dict[Part, States] = {}
        self._memo: Memo = {} if memo is None else memo
        self.exercised: dict[str, int] = {}  # clause id -> how often it decided something

    def states(self, part: Part) -> States:
        """The states of a part."""
        found = self._states.get(part)
        if found is None:
            found = frozenset((self._model.initial(part),))
        return found

    def compare(self, entry: Entry) -> bool:
        """Follow one burst to a barrier; False if nothing that the model allows looks so.

        Then the states stay as they were, and ``predict`` tells what it does allow.
        """
        before = self.states(entry.part)
        key = (before, entry.burst, entry.seen)
        known = self._memo.get(key)
        if known is None:
            known = self._memo[key] = self._follow(before, entry)
        after, clauses = known
        if not after:
            return False
        self._states[entry.part] = after
        for clause in clauses:
            self.exercised[clause] = self.exercised.get(clause, 0) + 1
        return True

    def predict(self, entry: Entry) -> tuple[View, ...]:
        """What may be seen after the entry's burst, from the states before it."""
        try:
            ends = self._close(self.states(entry.part), entry.burst, lambda _: True)
        except TooManyStates as error:
            ends = error.ends  # enough for a message
        return tuple(dict.fromkeys(self._model.view(state) for state, _ in ends))

    def instants(self) -> tuple[int, ...]:
        """Instants at which some part's state says that something is due, sorted."""
        return tuple(
            sorted(
                {
                    at
                    for states in self._states.values()
                    for state in states
                    for at in self._model.instants(state)
                }
            )
        )

    def _follow(self, before: States, entry: Entry) -> tuple[States, frozenset[str]]:
        model, seen = self._model, entry.seen
        ends = self._close(before, entry.burst, lambda state: model.possible(state, seen))
        fitting = [end for end in ends if model.view(end[0]).matches(seen)]
        return (
            frozenset(model.seal(state) for state, _ in fitting),
            frozenset().union(*(clauses for _, clauses in fitting)),
        )

    def _close(
        self, before: States, burst: Burst, possible: Callable[[Any], bool]
    ) -> list[tuple[Any, frozenset[str]]]:
        """All ways through a burst, each a state at rest and the clauses on the way."""
        model, relaxed = self._model, self._relaxed
        full = (1 << len(burst.facts)) - 1
        masks = [sum(1 << earlier for earlier in after) for after in burst.after]
        paths: dict[tuple[Any, int], frozenset[str]] = {(state, 0): frozenset() for state in before}
        # States are sets' members: an order of our own keeps runs alike across hash seeds.
        queue = sorted(paths, key=repr) if len(paths) > 1 else [*paths]
        ends = []
        for node in queue:  # it grows
            state, mask = node
            clauses = paths[node]
            moves = [(move, mask) for move in model.internal(state, relaxed)]
            if mask == full and (not moves or model.may_rest(state)):
                ends.append((state, clauses))
            for index, fact in enumerate(burst.facts):
                if mask >> index & 1 or masks[index] & ~mask:
                    continue
                taken = mask | 1 << index
                moves += [(move, taken) for move in model.apply(state, fact, relaxed)]
            for move, taken in moves:
                successor = (move.state, taken)
                if successor not in paths and possible(move.state):
                    paths[successor] = clauses.union(move.clauses)
                    queue.append(successor)
            if len(paths) > LAYER_LIMIT:
                raise TooManyStates(ends)
        return ends


def explain(model: Model, journal: Sequence[Entry], relaxed: Collection[str]) -> bool:
    """Whether the model with these clauses dropped explains one part's whole journal."""
    checker = Checker(model, relaxed)
    try:
        return all(checker.compare(entry) for entry in journal)
    except TooManyStates:
        return False


def name(
    model: Model,
    journal: Sequence[Entry],
    expected: Sequence[View],
    explains: Callable[[Model, tuple[Entry, ...], frozenset[str]], bool] = explain,
) -> str:
    """The signature of a failed journal: the narrowest relaxation that explains all of it.

    Args:
      model: what the journal broke.
      journal: of one part, up to the mismatch.
      expected: what the model allows in the place of the last view.
      explains: ``explain``, or one that remembers.
    """
    for signature in model.relaxations:
        if explains(model, tuple(journal), frozenset({signature})):
            return signature
    return model.blame(expected, journal[-1].seen)
