"""Token bucket: the arithmetic of a rate limiter, without clock, lock or task.

A bucket holds up to ``burst`` tokens, starts full, and gains ``rate`` tokens a second. Each
request takes its tokens at once; where they are missing the bucket goes into debt, and the
request may act when the debt is paid. So requests act in the order in which they were made,
and in any closed window of d seconds at most ``burst + rate * d`` tokens act, as long as
nothing is cancelled, no rate or burst is changed and time does not step back.

After Go's golang.org/x/time/rate, to the last bit, except where that gives tokens away.
Every operation takes the time as ``at``, in integer nanoseconds. A time before the latest
one that changed the bucket makes no tokens and is never an error.

Clauses: RL-02, RL-06, RL-16, RL-17, RL-23.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from quiesce_reference.rates import time_for, tokens_in

__all__ = ["Grant", "TokenBucket"]


@final
@dataclass(eq=False, slots=True)
class Grant:
    """Tokens that one request took."""

    acts_at: int  # nanoseconds
    tokens: int  # 0 under an infinite rate, which takes nothing
    rate: float  # at the time of the request; it may change later
    is_cancelled: bool = False


@final
class TokenBucket:
    """A bucket of tokens. One caller at a time.

    Args:
      rate: tokens a second, 0 or more. Infinite means no limit at all: everything is granted
        at once, whatever the burst is, and nothing is taken. At 0 the tokens that are there
        can be spent, and none come back.
      burst: the most tokens it holds, and the most that one request can get. 0 means that no
        request but an empty one is ever granted.

    Raises:
      ValueError: the rate is negative or not a number, or the burst is negative.

    Clauses: RL-01, RL-18, RL-19, RL-20.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = _checked_rate(rate)
        self._burst = _checked_burst(burst)
        # The tokens there were at time _last; negative is debt. _last never goes back.
        self._tokens = float(burst)
        self._last = 0  # any time will do: a full bucket gains nothing
        self._last_event = 0  # when the latest grant under a finite rate acts

    @property
    def burst(self) -> int:
        """The most tokens it holds."""
        return self._burst

    def tokens(self, *, at: int) -> float:
        """The tokens at time ``at``; negative is debt. Asking changes nothing.

        Clauses: RL-02.
        """
        gained = tokens_in(max(0, at - self._last), self._rate)
        return min(float(self._burst), self._tokens + gained)

    def fits(self, n: int) -> bool:
        """Whether ``n`` tokens can be granted at all: at most the burst, or an infinite rate.

        Raises:
          ValueError: ``n`` is negative.

        Clauses: RL-11, RL-20, RL-22.
        """
        if n < 0:
            msg = f"the number of tokens must be 0 or more, not {n}"
            raise ValueError(msg)
        return n <= self._burst or self._rate == math.inf

    def request(self, n: int, *, at: int, max_delay: int | None = None) -> Grant | None:
        """Take ``n`` tokens at time ``at``, going into debt if need be.

        The grant acts at ``at`` plus the time that the debt takes to be paid, cut down to
        whole nanoseconds. ``n = 0`` takes nothing and acts at once, unless there is debt.

        Args:
          n: tokens, 0 or more. More than the burst is refused, not an error.
          at: now, in nanoseconds.
          max_delay: longest acceptable delay in nanoseconds, inclusive; None means any.

        Returns:
          The grant, or None. A refusal changes nothing, not even the time. What could never
          act (at rate 0, or after more than 292 years) is refused; Go grants it.

        Raises:
          ValueError: ``n`` is negative. Go accepts it, and so gives tokens away.

        Clauses: RL-03, RL-04, RL-05, RL-18, RL-19, RL-20, RL-22, RL-24.
        """
        if not self.fits(n):
            return None
        rest = self.tokens(at=at) - n
        delay = 0 if rest >= 0 else time_for(-rest, self._rate)
        if delay is None or (max_delay is not None and delay > max_delay):
            return None
        if self._rate == math.inf:
            return Grant(at, 0, self._rate)
        self._settle(at, rest)
        self._last_event = at + delay
        return Grant(self._last_event, n, self._rate)

    def cancel(self, grant: Grant, *, at: int) -> None:
        """Give back what a grant took, as far as it was not built upon.

        Up to and at its acting time, a grant gives back its tokens minus those reserved after
        it, and the bucket never holds more than the burst. Later, at an infinite rate, or
        for a grant of nothing, this does nothing. Grants made before keep their acting times.

        A grant never gives back more than it took: its second cancel does nothing, and
        neither the cancel of a later grant nor a rate that was infinite at the time adds
        anything. Go refunds too much in all three cases.

        Clauses: RL-08, RL-09, RL-10, UN-07.
        """
        if grant.is_cancelled:
            return
        grant.is_cancelled = True
        if self._rate == math.inf or grant.tokens == 0 or grant.acts_at < at:
            return
        # What was reserved later acts later, by just the time that its tokens take. Negative
        # after a later grant was cancelled, hence the bound.
        built_upon = tokens_in(max(0, self._last_event - grant.acts_at), grant.rate)
        refund = grant.tokens - built_upon
        if refund <= 0:
            return
        self._settle(at, min(float(self._burst), self.tokens(at=at) + refund))
        if grant.acts_at == self._last_event:
            length = time_for(grant.tokens, grant.rate)
            if length is not None and grant.acts_at - length >= at:
                self._last_event = grant.acts_at - length

    def set_rate(self, rate: float, *, at: int) -> None:
        """Change the rate from ``at`` on; up to then the old one counts.

        Grants keep their acting times, so across the change more or fewer tokens may act
        than either rate allows.

        Raises:
          ValueError: the rate is negative or not a number.

        Clauses: RL-19, RL-21.
        """
        checked = _checked_rate(rate)
        self._settle(at, self.tokens(at=at))
        self._rate = checked

    def set_burst(self, burst: int, *, at: int) -> None:
        """Change the burst from ``at`` on. Raising adds no tokens; lowering cuts them.

        Grants keep their acting times.

        Raises:
          ValueError: the burst is negative.

        Clauses: RL-21.
        """
        checked = _checked_burst(burst)
        self._settle(at, self.tokens(at=at))
        self._burst = checked

    def _settle(self, at: int, tokens: float) -> None:
        self._tokens = tokens
        # A clock that was set back and comes forward again must not pay the same time twice.
        self._last = max(self._last, at)


def _checked_rate(rate: float) -> float:
    if not rate >= 0:  # false for "not a number" as well
        msg = f"the rate must be 0 or more tokens a second, not {rate}"
        raise ValueError(msg)
    return rate


def _checked_burst(burst: int) -> int:
    if burst < 0:
        msg = f"the burst must be 0 or more tokens, not {burst}"
        raise ValueError(msg)
    return burst
