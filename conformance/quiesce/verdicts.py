"""Verdicts: what the kit says of a clause, of a cell, and of each distinct violation."""

from __future__ import annotations

from enum import Enum, unique
from functools import cache

import attrs

from quiesce.schedulers.scheduler import Schedule

__all__ = ["CellResult", "ClauseResult", "Finding", "Verdict", "Violation", "violation_type"]


@unique
class Verdict(Enum):
    """What is said of one clause for one adapter in one world."""

    CONFORMS = "conforms"
    VIOLATES = "violates"
    ADVISORY = "advisory"  # breaks a SHOULD, or only on a build without the GIL
    UNSUPPORTED = "unsupported"  # the adapter does not claim it
    UNEXERCISED = "unexercised"  # its situation never arose
    INCONCLUSIVE = "inconclusive"  # not reproducible, or the budget ended
    HARNESS_ERROR = "harness-error"  # the adapter's fault or our own

    @property
    def letter(self) -> str:
        """One letter for the matrix."""
        return {
            Verdict.CONFORMS: "C",
            Verdict.VIOLATES: "V",
            Verdict.ADVISORY: "a",
            Verdict.UNSUPPORTED: "-",
            Verdict.UNEXERCISED: "u",
            Verdict.INCONCLUSIVE: "?",
            Verdict.HARNESS_ERROR: "E",
        }[self]


class Violation(Exception):
    """The subject broke a clause. Raised as one subclass per signature.

    Hypothesis tells failures apart by exception type, file and line, so a shared type
    would let one clause's failure slide into another's while it shrinks.
    """

    def __init__(self, signature: str, expected: str, observed: str) -> None:
        super().__init__(f"{signature}\n  expected: {expected}\n  observed: {observed}")
        self.signature = signature
        self.expected = expected
        self.observed = observed


@cache
def violation_type(signature: str) -> type[Violation]:
    """The exception type of one signature, such as ``SF-16 leader's cancellation spreads``."""
    words = "".join(c if c.isalnum() else "_" for c in signature)
    return type(f"Violation_{words}", (Violation,), {"__module__": __name__})


@attrs.frozen
class Finding:
    """One distinct violation, reduced to the fewest steps."""

    id: str  # short and stable: hash of pattern, adapter, world and signature
    signature: str  # clause id, then what went wrong in a few words
    clause: str
    expected: str
    observed: str
    steps: tuple[str, ...]  # the stimuli, as a person reads them
    history: tuple[str, ...]  # what happened, one line an event, virtual time first
    schedule: Schedule = attrs.field(factory=Schedule)
    points: str | None = None  # thread world: the point set at which it shows
    advisory: str | None = None  # why it is no violation on this build, if so


@attrs.frozen
class ClauseResult:
    """The verdict on one clause."""

    clause: str
    verdict: Verdict
    exercised: int = 0  # how often its situation arose
    note: str = ""


@attrs.frozen
class CellResult:
    """Everything the kit says of one cell: a pattern, an adapter and a world."""

    pattern: str
    adapter: str
    world: str
    distribution: str | None
    version: str | None
    python: str
    budget: str
    seed: int
    points: str | None  # point set of the thread world
    order: str  # of tasks: chosen by the "scheduler", "fifo", or by "birth"
    examples: int
    schedules: int
    certificate: str  # the bound within which nothing more was found
    clauses: tuple[ClauseResult, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    error: str | None = None  # harness or configuration error that ended the cell
    seconds: float = attrs.field(default=0.0, eq=False)

    @property
    def verdict(self) -> Verdict:
        """The worst of the clauses' verdicts, for the matrix."""
        if self.error is not None:
            return Verdict.HARNESS_ERROR
        found = {result.verdict for result in self.clauses}
        for verdict in (
            Verdict.VIOLATES,
            Verdict.INCONCLUSIVE,
            Verdict.UNEXERCISED,
            Verdict.ADVISORY,
            Verdict.CONFORMS,
        ):
            if verdict in found:
                return verdict
        return Verdict.UNSUPPORTED
