"""Clauses that hold for every pattern, whatever a library's documents promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.clauses import Clause, Level
from quiesce.model import BLOCKED, View

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = [
    "ALIEN_CANCEL",
    "INTERNAL",
    "LEAK",
    "SPIN",
    "SWALLOWED",
    "UNIVERSAL",
    "blame",
    "internal_error",
    "nearest",
    "universal",
]

#: Followed by the error's type.
INTERNAL = "UN-05 an internal error comes out: "
LEAK = "UN-01 something is left running"
SPIN = "UN-03 spins at a frozen clock"
SWALLOWED = "UN-04 a cancellation is swallowed"
#: What a call that nobody cancelled shows when a cancellation reaches it.
ALIEN_CANCEL = ("raised", ("alien-cancel",))

UNIVERSAL: tuple[Clause, ...] = (
    Clause(
        "UN-01",
        Level.MUST,
        "After it was stopped and waited for, no task, thread, timer or callback that it "
        "started is alive.",
        "Go testing/synctest: a bubble ends when all its goroutines have",
        needs=["stop"],
        hint="Whatever starts a task needs a way to stop it and a wait for its end; a loop "
        "without a way out is a leak.",
        twins=["un_leaks_a_task"],
    ),
    Clause(
        "UN-02",
        Level.MUST,
        "Whatever starts background work offers a stop and a wait, and they are distinct.",
        "Go context: CancelFunc does not wait",
        untested="it starts no work that outlives its calls",
    ),
    Clause(
        "UN-03",
        Level.MUST,
        "No lost wake-up: at quiescence nobody is blocked whom the model lets through, and "
        "nobody spins while no time passes.",
        "the kit's liveness oracle",
        twins=["un_loses_a_wakeup"],
    ),
    Clause(
        "UN-04",
        Level.MUST,
        "A call that is cancelled or fails leaves the object as if it had never been made, or "
        "else completes fully; nobody who was not cancelled sees a cancellation.",
        "trio memory channels; Go x/sync/semaphore: Acquire",
        twins=["un_swallows_a_cancellation"],
    ),
    Clause(
        "UN-05",
        Level.MUST,
        "Every exception of a user function reaches the place the pattern names for it, as the "
        "same object; no internal error comes out instead.",
        "Go x/sync/singleflight: Do",
        twins=["un_hides_an_error"],
    ),
    Clause(
        "UN-06",
        Level.MUST,
        "Declared bounds hold at every instant, also in the middle of hand-overs.",
        "Go x/time/rate: AllowN",
        untested="its own clauses state and check its bounds",
    ),
    Clause(
        "UN-07",
        Level.MUST,
        "Stop, close and cancel are safe to repeat.",
        "Go context: CancelFunc may be called again",
        untested="it has nothing to stop, close or cancel twice",
    ),
    Clause(
        "UN-08",
        Level.SHOULD,
        "No internal lock is held while a user function runs, so that it may use the same "
        "object for another purpose.",
        "Go x/sync/singleflight: doCall runs without the lock",
        twins=["un_holds_a_lock_while_it_runs"],
    ),
    Clause(
        "UN-09",
        Level.MUST,
        "What a user function wrote before it returned is visible to whoever its return releases.",
        "The Go memory model",
        untested="returning before the function has ended breaks the patterns' own clauses "
        "(SF-03, ON-03); memory order can't be seen on one OS thread",
    ),
    Clause(
        "UN-10",
        Level.MUST,
        "Distinct instances are independent: blocking one never blocks another.",
        "CPython issue 87634",
        twins=["un_shares_state"],
    ),
    Clause(
        "UN-11",
        Level.SHOULD,
        "After completion nothing keeps user functions, arguments or results alive that the "
        "pattern no longer needs.",
        "Go sync/oncefunc_test: TestOnceXGC",
        needs=["release"],
        untested="its own clauses say what is kept, if anything is promised",
    ),
)


def universal(
    *, untested: Mapping[str, str] | None = None, checked: Collection[str] = ()
) -> tuple[Clause, ...]:
    """The universal clauses as one pattern checks them.

    Args:
      untested: ids of those that can't arise in the pattern -> why.
      checked: ids of those whose situations only this pattern's model recognises.
    """
    reasons = {} if untested is None else untested
    own = []
    for clause in UNIVERSAL:
        reason = reasons.get(clause.id, None if clause.id in checked else clause.untested)
        twins = clause.twins if reason is None else ()
        own.append(attrs.evolve(clause, untested=reason, twins=twins))
    return tuple(own)


def blame(expected: Sequence[View], seen: View, *, extra: str, value: str, cancel: str) -> str:
    """The signature of a mismatch by its look, where no relaxation explains it.

    Executions come first, they are the cause; then calls.

    Args:
      expected: what the model allows; the first is compared.
      seen: what was seen.
      extra: signature when more executions started than allowed.
      value: signature when a call got another result than allowed.
      cancel: signature when a call that nobody cancelled saw a cancellation.
    """
    if not expected:
        return "UN-03 does what the model has no place for"
    allowed = expected[0]
    if len(seen.executions) > len(allowed.executions):
        return extra
    allowed_calls = dict(allowed.calls)
    for number, outcome in seen.calls:
        wanted = allowed_calls.get(number)
        if outcome == wanted:
            continue
        if outcome == ALIEN_CANCEL:
            return cancel
        if (signature := internal_error(outcome)) is not None:
            return signature
        if outcome == BLOCKED:
            return "UN-03 a caller is never woken"
        if wanted == BLOCKED:
            return f"{value}, too early"
        return value
    return "UN-03 a user function does not run" if seen.executions != allowed.executions else value


def nearest(expected: Sequence[View], seen: View) -> View:
    """The view that is allowed and differs least from what was seen."""
    calls, executions = set(seen.calls), set(seen.executions)
    return min(
        expected,
        key=lambda view: len(calls ^ set(view.calls)) + len(executions ^ set(view.executions)),
    )


def internal_error(outcome: tuple[Any, ...]) -> str | None:
    """The signature of an outcome that is an error of nobody's user function, else None."""
    match outcome:
        case ("raised", ("alien", str(kind)), *_):
            return f"{INTERNAL}{kind}"
    return None


def raised(kind: str, *details: Any) -> tuple[Any, ...]:
    """The outcome of a call that raised."""
    return ("raised", (kind, *details))
