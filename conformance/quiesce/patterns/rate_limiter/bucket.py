"""Token bucket: the arithmetic that a rate limiter's answers are compared with.

Pure and immutable; times are integer nanoseconds. Durations become tokens and tokens become
durations as in Go's golang.org/x/time/rate, rounding included, because rounding decides
answers: whether a request one nanosecond before its time is granted.
"""

from __future__ import annotations

import math
from typing import Final

import attrs

from quiesce.model import evolve

__all__ = ["ENDLESS", "SECOND", "Bucket", "Grant", "time_for", "tokens_in"]

#: One second in nanoseconds.
SECOND: Final = 1_000_000_000

#: Longest duration in nanoseconds, about 292 years. What takes longer never comes.
ENDLESS: Final = 2**63 - 1


def tokens_in(duration: int, rate: float) -> float:
    """Tokens that come in ``duration`` nanoseconds."""
    if duration < 0:
        return -tokens_in(-duration, rate)
    if duration == 0 or rate == 0:
        return 0.0
    whole, fraction = divmod(duration, SECOND)
    return (float(whole) + fraction / SECOND) * rate


def time_for(tokens: float, rate: float) -> int | None:
    """Nanoseconds in which ``tokens`` come, cut down to whole ones; None if they never do."""
    if rate <= 0:
        return None
    duration = tokens / rate * SECOND
    return int(duration) if duration < float(2**63) else None


@attrs.frozen
class Grant:
    """What one request took."""

    acts_at: int
    tokens: int
    rate: float  # when it was made; infinite means that nothing was taken
    endless: bool = False  # it never acts
    undone: bool = False  # it was cancelled


@attrs.frozen
class Bucket:
    """``tokens`` at the time ``last``; negative is debt."""

    rate: float  # tokens a second
    burst: int
    tokens: float
    last: int
    last_event: int = 0  # when the latest grant acts
    capped: bool = True  # False in a relaxation only: tokens don't stop at the burst

    def at(self, now: int) -> float:
        """Tokens at ``now``."""
        tokens = self.tokens + tokens_in(max(0, now - self.last), self.rate)
        return min(float(self.burst), tokens) if self.capped else tokens

    def settled(self, now: int, tokens: float | None = None) -> Bucket:
        """The same at ``now``, with as many tokens as there are then, or with ``tokens``."""
        return evolve(
            self,
            tokens=self.at(now) if tokens is None else tokens,
            last=max(self.last, now),
        )

    def taken(self, n: int, now: int, delay: int) -> Bucket:
        """After a grant of ``n`` tokens which acts ``delay`` from now."""
        return evolve(self.settled(now, self.at(now) - n), last_event=now + delay)

    def fills_at(self, tokens: float) -> int | None:
        """When there are so many tokens; None if never, or now."""
        if tokens > self.burst or self.tokens >= tokens or self.rate == math.inf:
            return None
        delay = time_for(tokens - self.tokens, self.rate)
        return None if delay is None else self.last + delay

    def given_back(
        self,
        grant: Grant,
        now: int,
        *,
        as_go: bool = False,
        twice: bool = False,
        late: bool = False,
        whole: bool = False,
        rewinds: bool = True,
    ) -> Bucket:
        """After ``grant`` was cancelled.

        Args:
          grant: what is cancelled.
          now: when.
          as_go: give back more than was taken where Go does.
          twice: also after an earlier cancel.
          late: also after the acting time.
          whole: also what was built upon by later grants.
          rewinds: if it was the latest to act, the one before it is so again.
        """
        if (grant.undone and not (twice or as_go)) or self.rate == math.inf or not grant.tokens:
            return self
        if (grant.rate == math.inf and not as_go) or (grant.acts_at < now and not late):
            return self
        rate = 0.0 if grant.rate == math.inf else grant.rate
        later = self.last_event - grant.acts_at
        built_upon = 0.0 if whole else tokens_in(later if as_go else max(0, later), rate)
        refund = grant.tokens - built_upon
        if refund <= 0:
            return self
        bucket = self.settled(now, min(float(self.burst), self.at(now) + refund))
        if rewinds and grant.acts_at == self.last_event:
            length = time_for(grant.tokens, rate)
            if length is None:
                before = grant.acts_at + ENDLESS if as_go else self.last_event
            else:
                before = grant.acts_at - length
            if before >= now:
                bucket = evolve(bucket, last_event=before)
        return bucket
