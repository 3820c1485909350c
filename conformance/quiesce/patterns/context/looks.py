"""What a person reads off a scope, and which clause a wrong reading breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from quiesce.model import BLOCKED, View
from quiesce.patterns.universal import ALIEN_CANCEL, internal_error

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ALIEN", "BOUND", "CANCELLED", "DEADLINE", "DUE", "LOOK", "blame", "look"]

#: Kinds of a scope's error.
CANCELLED, DEADLINE = "cancelled", "deadline"
#: First words of what ``look``, ``value`` and ``deadline`` return.
LOOK, BOUND, DUE = "look", "bound", "due"

#: What a call that nobody cancelled must not see.
ALIEN: Final = "UN-04 a cancellation reaches a call that was not cancelled"

Outcome = tuple[Any, ...]


def look(error: str | None, cause: object) -> tuple[Any, ...]:
    """What ``look`` returns of a scope that does not change meanwhile."""
    return (LOOK, error is not None, error, cause, error is not None)


def blame(expected: Sequence[View], seen: View) -> str:
    """The signature of a mismatch, by its look. Callbacks come first, then calls in order."""
    for _, outcome in seen.calls:
        if (signature := _contradiction(outcome)) is not None:
            return signature
    if not expected:
        return "UN-03 does what the model has no place for"
    allowed = expected[0]
    wanted = dict(allowed.calls)
    for number, outcome in seen.calls:
        match wanted.get(number), outcome:
            case ("returned", str()), ("blocked",):
                return "CX-11 cancel waits"
    if len(seen.executions) > len(allowed.executions):
        return "CX-13 a callback runs that should not"
    if len(seen.executions) < len(allowed.executions):
        return "CX-13 a callback does not run"
    for number, outcome in seen.calls:
        if outcome != wanted.get(number):
            busy = any(phase == "running" for *_, phase in seen.executions)
            return _blame_call(wanted.get(number, BLOCKED), outcome, busy=busy)
    return "CX-13 another callback runs"


def _contradiction(outcome: Outcome) -> str | None:
    """The signature of a look that contradicts itself, whatever the scope is like."""
    match outcome:
        case ("returned", (str(word), before, error, _, after)) if word == LOOK:
            if before and error is None:
                return "CX-12 done, and yet there is no error"
            if error is not None and not after:
                return "CX-12 there is an error, and yet it is not done"
    return None


def _blame_call(wanted: Outcome, got: Outcome, *, busy: bool) -> str:
    if got == ALIEN_CANCEL:
        return ALIEN
    match wanted, got:
        case ("returned", str()), ("raised", *_):
            return "UN-07 cancelling raises"
        case (_, _) if (signature := internal_error(got)) is not None:
            return signature
        case ("returned", _), ("blocked",) if busy:
            return "UN-08 a call waits for a callback"
        case (_, ("blocked",)):
            return "UN-03 a caller is never woken"
        case ("returned", str(kind)), ("returned", other):
            if other is None:
                return "CX-02 a cancellation is not visible when cancel returns"
            return f"CX-08 the error is {other}, not {kind}"
        case (_, ("returned", (str(word), *rest))) if word == LOOK:
            before = wanted[1][1:] if wanted[0] == "returned" else (False, None, None, False)
            return _blame_look(before, tuple(rest))
        case (_, ("returned", (str(word), _))) if word == BOUND:
            return "CX-15 another value is bound"
        case (_, ("returned", (str(word), _))) if word == DUE:
            return "CX-09 another deadline is shown"
        case ("returned", bool()), _:
            return "CX-13 stop does not tell the truth"
        case ("blocked",), ("returned", True, int()):
            return "CX-01 a scope is done that nobody ended"
        case ("returned", True, int()), _:
            return "CX-08 a wait ends at another time, or without telling why"
    return "UN-04 a wait ends another way than allowed"


def _blame_look(wanted: tuple[Any, ...], got: tuple[Any, ...]) -> str:
    _, error, cause, after = got
    if wanted[0] is False and after:
        return "CX-01 a scope is done that nobody ended"
    if wanted[0] and error is None:
        if wanted[1] == DEADLINE:
            return "CX-08 not done at its deadline"
        return "CX-02 a cancelled scope is not done"
    if error != wanted[1]:
        return f"CX-08 the error is {error}, not {wanted[1]}"
    return "CX-07 another cause" if cause != wanted[2] else "CX-12 the readings do not agree"
