"""Stimuli: what the hub can do to a subject, as plain data.

A *step* is a stimulus and what follows it: settle, a few scheduling steps, or nothing, so
that the next stimulus lands in the middle of things. A list of steps is a scenario: it can
be drawn, replayed, shortened and printed. A step that is not possible when its turn comes
(nobody to cancel) is skipped, so any sub-list of a scenario is a scenario too.

A trial turns steps into *facts* for the model: the same stimuli, with calls and executions
named by number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from quiesce.clauses import names

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NOTHING",
    "SETTLE",
    "Advance",
    "Began",
    "Cancel",
    "Cancelled",
    "Choice",
    "Fact",
    "Finished",
    "Inside",
    "Open",
    "Start",
    "Step",
    "Stimulus",
    "Ticked",
    "Weighted",
    "arguments",
]

#: Values that an argument is drawn from; the first is the simplest.
Choice = tuple[Any, ...]
Arguments = tuple[tuple[str, Any], ...]

#: ``follow`` of a step: settle; nothing at all; a positive number is that many world steps.
SETTLE: Final = 0
NOTHING: Final = -1


def arguments(**named: Any) -> Arguments:
    """Arguments in the form that stimuli hold them: sorted pairs."""
    return tuple(sorted(named.items()))


@attrs.frozen
class Start:
    """Start a caller: it calls ``operation`` of the subject."""

    operation: str
    arguments: Arguments = ()
    instance: int = 0  # which subject, where a trial has two
    cancel: int = 0  # which of the world's cancellations can reach this call


@attrs.frozen
class Open:
    """Let the ``which``-th waiting user function end.

    ``outcome`` is ``value``, ``none`` (it returns None), ``error`` (an ordinary exception),
    ``panic`` (a BaseException) or ``exit`` (SystemExit).
    """

    which: int = 0
    outcome: str = "value"


@attrs.frozen
class Cancel:
    """Cancel the ``which``-th blocked call."""

    which: int = 0


@attrs.frozen
class Inside:
    """Let the ``which``-th waiting user function itself call the subject."""

    which: int
    operation: str
    arguments: Arguments = ()
    instance: int = 0


@attrs.frozen
class Advance:
    """Move the clock.

    ``aim`` is ``next`` (the ``which``-th instant that the world or the model knows of, plus
    ``offset``) or ``by`` (``offset`` from now). Nanoseconds.
    """

    aim: str = "next"
    which: int = 0
    offset: int = 0


Stimulus = Start | Open | Cancel | Inside | Advance


@attrs.frozen
class Step:
    """A stimulus and how far the world runs after it."""

    stimulus: Stimulus
    follow: int = SETTLE


@attrs.frozen
class Weighted:
    """A kind of stimulus that machines draw: how often, and from which arguments."""

    name: str  # the rule's name, as Hypothesis prints it
    kind: type[Stimulus]
    weight: int
    fixed: Mapping[str, Any] = attrs.field(factory=dict)
    choices: Mapping[str, Choice] = attrs.field(factory=dict)
    #: Start, Inside: arguments of the operation.
    operands: Mapping[str, Choice] = attrs.field(factory=dict)
    needs: frozenset[str] = attrs.field(factory=frozenset, converter=names)
    worlds: tuple[str, ...] = ("threads", "asyncio", "trio")


@attrs.frozen
class Began:
    """Call ``call`` was issued."""

    call: int
    operation: str
    arguments: Arguments
    inside: int | None = None  # index of the execution that makes the call, in its own part

    def argument(self, name: str) -> Any:
        """The argument of that name."""
        return dict(self.arguments)[name]


@attrs.frozen
class Finished:
    """Execution ``execution`` (index within its part) was let go with ``outcome``."""

    execution: int
    outcome: str


@attrs.frozen
class Cancelled:
    """Call ``call`` was cancelled."""

    call: int


@attrs.frozen
class Ticked:
    """The clock stands at ``at`` nanoseconds."""

    at: int


Fact = Began | Finished | Cancelled | Ticked

#: What falls apart into independent histories: the instance, then its key if it has keys.
Part = tuple[Any, ...]
