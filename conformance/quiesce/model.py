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

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import attrs

from quiesce.stimuli import Fact, Part

__all__ = ["ANY", "BLOCKED", "Burst", "Checker", "Entry", "Mismatch", "Model", "Move", "View", "explain"]

#: Observation of a call that has not ended.
BLOCKED: Final = ("blocked",)

#: Prediction of a relaxation that says nothing about how a call stands.
ANY: Final = ("any",)

#: A set of states this large is a sign of a badly cut model, not of a rich subject.
LAYER_LIMIT: Final = 50_000


@attrs.frozen
class View:
    """What a person outside sees of one part at a barrier.

    Attributes:
      calls: (number, outcome) of each call not yet accounted for, by number. The outcome is
        ``BLOCKED``, ``("returned", ...)``, ``("raised", ...)`` or ``("cancelled",)``.
      executions: (index, leader, phase) of each user function not yet accounted for. The
        leader is the call whose function it is, None if that can't be told; the phase is
        ``running``, ``ended`` or ``cancelled``.
    """

    calls: tuple[tuple[int, tuple[Any, ...]], ...]
    executions: tuple[tuple[int, int | None, str], ...] = ()

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
    """A state that may follow, the clauses that decided so, and a relaxation if it took one."""

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


@attrs.frozen
class Mismatch:
    """Nothing that the model allows looks like what was seen."""

    entry: Entry
    expected: tuple[View, ...]


States = frozenset[Any]
Memo = dict[Any, tuple[States, frozenset[str], frozenset[str]]]


class Checker:
    """Follows one trial: per part, the states that explain everything so far."""

    def __init__(
        self, model: Model, relaxed: Collection[str] = (), memo: Memo | None = None
    ) -> None:
        self._model = model
        self.relaxed = frozenset(relaxed)  # recorded violations that are explained, not raised
        self._states: dict[Part, States] = {}
        self._memo: Memo = {} if memo is None else memo
        self.exercised: dict[str, int] = {}  # clause id -> how often it decided something
        self.recorded: dict[str, int] = {}  # relaxation -> how often it was needed

    def states(self, part: Part) -> States:
        """The states of a part."""
        found = self._states.get(part)
        if found is None:
            found = frozenset((self._model.initial(part),))
        return found

    def compare(self, entry: Entry) -> Mismatch | None:
        """Follow one burst to a barrier. On a mismatch the states stay as they were."""
        before = self.states(entry.part)
        key = (before, entry.burst, entry.seen, self.relaxed)
        known = self._memo.get(key)
        if known is None:
            known = self._follow(before, entry)
            self._memo[key] = known
        after, clauses, relaxed = known
        if not after:
            return Mismatch(entry, self._predict(before, entry.burst))
        self._states[entry.part] = after
        for clause in clauses:
            self.exercised[clause] = self.exercised.get(clause, 0) + 1
        for signature in relaxed:
            self.recorded[signature] = self.recorded.get(signature, 0) + 1
        return None

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

    def _follow(
        self, before: States, entry: Entry
    ) -> tuple[States, frozenset[str], frozenset[str]]:
        model, seen = self._model, entry.seen
        ends = self._close(before, entry.burst, lambda state: model.possible(state, seen))
        fitting = [
            (state, clauses, relaxed)
            for state, clauses, relaxed in ends
            if model.view(state).matches(seen)
        ]
        if not fitting:
            return frozenset(), frozenset(), frozenset()
        # A relaxation counts as needed only if no path does without it.
        least = min(len(relaxed) for _, _, relaxed in fitting)
        needed = next(relaxed for _, _, relaxed in fitting if len(relaxed) == least)
        clauses = frozenset().union(*(found for _, found, _ in fitting))
        return frozenset(model.seal(state) for state, _, _ in fitting), clauses, needed

    def _predict(self, before: States, burst: Burst) -> tuple[View, ...]:
        views: dict[View, None] = {}
        for state, _, relaxed in self._close(before, burst, lambda _: True):
            if not relaxed:
                views[self._model.view(state)] = None
        return tuple(views)

    def _close(
        self, before: States, burst: Burst, possible: Callable[[Any], bool]
    ) -> list[tuple[Any, frozenset[str], frozenset[str]]]:
        """All ways through a burst: (state at rest, clauses on the way, relaxations used)."""
        model, relaxed = self._model, self.relaxed
        full = (1 << len(burst.facts)) - 1
        masks = [sum(1 << earlier for earlier in after) for after in burst.after]
        paths: dict[tuple[Any, int], tuple[frozenset[str], frozenset[str]]] = {
            (state, 0): (frozenset(), frozenset()) for state in before
        }
        # Breadth first, fewest relaxations first: a queue a level of relaxations used.
        levels: list[list[tuple[Any, int]]] = [sorted(paths, key=repr) if len(paths) > 1 else [*paths]]
        ends = []
        level = 0
        while level < len(levels):
            queue = levels[level]
            position = 0
            while position < len(queue):
                node = queue[position]
                position += 1
                state, mask = node
                clauses, used = paths[node]
                if len(used) != level:  # reached since with fewer relaxations
                    continue
                moves = [(move, mask) for move in model.internal(state, relaxed)]
                if mask == full and (not moves or model.may_rest(state)):
                    ends.append((state, clauses, used))
                for index, fact in enumerate(burst.facts):
                    if mask >> index & 1 or masks[index] & ~mask:
                        continue
                    taken = mask | 1 << index
                    moves += [(move, taken) for move in model.apply(state, fact, relaxed)]
                for move, taken in moves:
                    successor = (move.state, taken)
                    now_used = used if move.relaxed is None else used | {move.relaxed}
                    known = paths.get(successor)
                    if known is not None and len(known[1]) <= len(now_used):
                        continue
                    if not possible(move.state):
                        continue
                    paths[successor] = (clauses.union(move.clauses), now_used)
                    while len(levels) <= len(now_used):
                        levels.append([])
                    levels[len(now_used)].append(successor)
            level += 1
            if len(paths) > LAYER_LIMIT:
                message = f"the model has over {LAYER_LIMIT} states in one burst {burst}"
                raise RuntimeError(message)
        return ends


def explain(
    model: Model, journal: Sequence[Entry], expected: Sequence[View], known: Collection[str]
) -> str:
    """Name what a failed journal shows: the narrowest relaxation that explains all of it."""
    for signature in model.relaxations:
        if signature in known:
            continue
        checker = Checker(model, {*known, signature})
        if all(checker.compare(entry) is None for entry in journal):
            return signature
    return model.blame(expected, journal[-1].seen)
