"""What the model of a token bucket keeps of one limiter, and small questions about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.universal import raised
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quiesce.patterns.rate_limiter.bucket import Bucket, Grant
    from quiesce.stimuli import Began

__all__ = [
    "MILLISECOND",
    "REFUSED",
    "STEADY",
    "Answer",
    "Near",
    "State",
    "Waiter",
    "acting",
    "clock",
    "fits_seen",
    "moved",
    "put",
    "refusal",
]

MILLISECOND: Final = 1_000_000

#: Grants after which demand counts as steady.
STEADY: Final = 8

#: The outcome of a call that raised an error of the subject's own.
REFUSED: Final = raised("refused")


@attrs.frozen(eq=False)
class Near:
    """A float that equals what is a hair away."""

    value: float

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Near):
            other = other.value
        return isinstance(other, int | float) and abs(self.value - other) <= 1e-6

    def __hash__(self) -> int:
        return 0


@attrs.frozen
class Waiter:
    """A wait that has not ended.

    It returns between ``earliest`` and ``latest``; None is never. ``queued`` ones (leaky)
    have no tokens yet; ``loose`` ones (relaxations) end at any time, either way.
    """

    call: int
    n: int
    grant: Grant | None = None
    earliest: int | None = None
    latest: int | None = None
    queued: bool = False
    loose: bool = False


@attrs.frozen
class State:
    """One limiter."""

    bucket: Bucket
    now: int = START
    reservations: tuple[tuple[int, Grant | None], ...] = ()  # by call; None was refused
    waiters: tuple[Waiter, ...] = ()
    calls: tuple[tuple[int, tuple[Any, ...]], ...] = ()
    doomed: frozenset[int] = frozenset()  # cancelled before they began
    fresh: bool = True  # nothing was called yet
    coarse: bool = False  # relaxation: its clock counts milliseconds
    granted: int = 0  # up to STEADY
    at_once: int = 0  # answers of allow since the last barrier
    stale: float | None = None  # tokens before the first of them


@attrs.frozen
class Answer:
    """What a request may come to."""

    bucket: Bucket
    grant: Grant | None  # None is refused
    tags: tuple[str, ...] = ()
    relaxed: str | None = None
    loose: bool = False


def clock(state: State) -> int:
    """What the limiter takes for the time."""
    return state.now // MILLISECOND * MILLISECOND if state.coarse else state.now


def acting(state: State) -> Iterator[Grant]:
    """Grants whose acting time is still to come."""
    for grant in (*(grant for _, grant in state.reservations), *(w.grant for w in state.waiters)):
        if grant is not None and not grant.undone and grant.acts_at > state.now:
            yield grant


def moved(
    state: State,
    call: int,
    answer: Answer,
    said: tuple[Any, ...],
    tags: tuple[str, ...] = (),
    relaxed: str | None = None,
) -> Move:
    """The state after an answer."""
    granted = min(STEADY, state.granted + (answer.grant is not None))
    after = evolve(put(state, call, said), bucket=answer.bucket, granted=granted)
    return Move(after, (*answer.tags, *tags), answer.relaxed or relaxed)


def refusal(state: State, fact: Began) -> tuple[Any, ...]:
    """The outcome of a call that is refused with an error."""
    return (*REFUSED, state.now) if fact.operation.startswith("wait") else REFUSED


def put(state: Any, call: int, outcome: tuple[Any, ...]) -> Any:
    """The state in which the call stands so."""
    calls = dict(state.calls)
    calls[call] = outcome
    return evolve(state, calls=tuple(sorted(calls.items())))


def fits_seen(calls: tuple[tuple[int, tuple[Any, ...]], ...], seen: View) -> bool:
    """Whether all that has ended, ended as it was seen."""
    found = dict(seen.calls)
    return all(
        outcome in (BLOCKED, ANY) or outcome == found.get(number) for number, outcome in calls
    )
