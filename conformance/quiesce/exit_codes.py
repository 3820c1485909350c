"""Exit codes of ``quiesce run``, and the one place that decides among them."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import TYPE_CHECKING, Final

from quiesce.errors import ConfigurationError
from quiesce.verdicts import CellResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quiesce.reports.run import Run

__all__ = [
    "DEFAULT_FAIL_ON",
    "FAIL_ON",
    "Exit",
    "failing",
    "is_misconfigured",
    "outcome",
    "parse_fail_on",
]


@unique
class Exit(IntEnum):
    """Aligned with pytest's. 6 is kept for waivers that are no longer needed."""

    OK = 0  # nothing wrong
    VIOLATION = 1
    INTERRUPTED = 2
    HARNESS = 3  # the adapter's fault while it ran, or the kit's own
    USAGE = 4  # the command line or an adapter's declaration says nothing runnable
    NOTHING_RAN = 5  # no clause was checked
    UNCERTAIN = 7  # only inconclusive or unexercised clauses, when asked to count them


#: What ``--fail-on`` may name.
FAIL_ON: Final = {
    verdict.value: verdict
    for verdict in (
        Verdict.VIOLATES,
        Verdict.HARNESS_ERROR,
        Verdict.INCONCLUSIVE,
        Verdict.UNEXERCISED,
        Verdict.ADVISORY,
    )
}
DEFAULT_FAIL_ON: Final = frozenset({Verdict.VIOLATES, Verdict.HARNESS_ERROR})

#: How the error of a cell begins if its adapter is to blame before anything was checked.
CONFIGURATION: Final = "configuration:"

_CHECKED = frozenset({Verdict.CONFORMS, Verdict.VIOLATES, Verdict.ADVISORY, Verdict.INCONCLUSIVE})


def parse_fail_on(text: str) -> frozenset[Verdict]:
    """Read a list such as ``violates,unexercised``; ``none`` is the empty one.

    Raises:
      ConfigurationError: it names something else.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == ["none"]:
        return frozenset()
    if not words or (unknown := [word for word in words if word not in FAIL_ON]):
        wrong = f"{unknown[0]!r} is no verdict to fail on" if words else "--fail-on is empty"
        message = f"{wrong}; name any of {', '.join(FAIL_ON)}, separated by commas, or none."
        raise ConfigurationError(message)
    return frozenset(FAIL_ON[word] for word in words)


def failing(result: CellResult, fail_on: Iterable[Verdict] = DEFAULT_FAIL_ON) -> bool:
    """Whether a cell has a verdict that counts as a failure."""
    return not _verdicts(result).isdisjoint(fail_on)


def outcome(run: Run, fail_on: frozenset[Verdict] = DEFAULT_FAIL_ON) -> Exit:
    """The exit code of a run.

    A proven violation outranks an error elsewhere: both are printed, and the violation is
    what somebody has to act on. A run that checked no clause is never a success.
    """
    seen = frozenset().union(*(_verdicts(result) for result in run.cells))
    if run.unfinished:
        return Exit.INTERRUPTED
    if seen & fail_on & {Verdict.VIOLATES, Verdict.ADVISORY}:
        return Exit.VIOLATION
    if any(is_misconfigured(result) for result in run.cells):
        return Exit.USAGE
    if seen & fail_on & {Verdict.HARNESS_ERROR}:
        return Exit.HARNESS
    if seen & fail_on & {Verdict.INCONCLUSIVE, Verdict.UNEXERCISED}:
        return Exit.UNCERTAIN
    if not seen & _CHECKED:
        return Exit.NOTHING_RAN
    return Exit.OK


def is_misconfigured(result: CellResult) -> bool:
    """Whether a cell ended because its adapter can't even be constructed."""
    return result.error is not None and result.error.startswith(CONFIGURATION)


def _verdicts(result: CellResult) -> frozenset[Verdict]:
    clauses = frozenset(clause.verdict for clause in result.clauses)
    return clauses if result.error is None else clauses | {Verdict.HARNESS_ERROR}
