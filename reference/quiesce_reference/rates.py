"""Rates, and how they turn durations into tokens and back.

A rate is a float of tokens a second, 0 or more, and may be infinite. Durations are integer
nanoseconds. Each conversion rounds as Go's golang.org/x/time/rate does, because the rounding
decides answers: whether a request one nanosecond before its time is granted.
"""

from __future__ import annotations

import math
from typing import Final

__all__ = ["SECOND", "every", "time_for", "tokens_in"]

#: One second in nanoseconds.
SECOND: Final = 1_000_000_000

#: A longer duration counts as endless: 2**63 ns, about 292 years, is where Go's ends.
_ENDLESS: Final = float(2**63)


def every(interval: int) -> float:
    """The rate of one token per ``interval`` nanoseconds; infinite if it is 0 or less.

    Clauses: RL-26.
    """
    return math.inf if interval <= 0 else 1 / _seconds(interval)


def tokens_in(duration: int, rate: float) -> float:
    """The tokens that a duration, 0 or more, brings.

    Clauses: RL-02.
    """
    # No time brings nothing at any rate; zero times infinity would be no number at all.
    return 0.0 if duration == 0 or rate == 0 else _seconds(duration) * rate


def time_for(tokens: float, rate: float) -> int | None:
    """The duration that ``tokens`` take, cut down to whole nanoseconds; None if endless.

    A tiny rate makes it endless, never short by an overflow.

    Clauses: RL-05, RL-24.
    """
    duration = tokens / rate * SECOND if rate > 0 else math.inf
    return None if duration >= _ENDLESS else int(duration)


def _seconds(duration: int) -> float:
    # Whole seconds and the fraction apart: not always the same float as duration / SECOND.
    whole, fraction = divmod(duration, SECOND)
    return float(whole) + fraction / SECOND
