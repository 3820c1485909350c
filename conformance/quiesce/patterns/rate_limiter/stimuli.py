"""What a rate limiter is made with, and what is done to it at random."""

from __future__ import annotations

import math
from typing import Any, Final

from quiesce.patterns.rate_limiter.bucket import SECOND
from quiesce.patterns.rate_limiter.clauses import ASYNC
from quiesce.stimuli import Advance, Cancel, Start, Weighted

__all__ = ["MILLI", "STIMULI", "TINY"]

#: A rate at which one token takes longer than can be counted: over 292 years.
TINY: Final = 1e-10

MILLI: Final = SECOND // 1000
#: Fractions and multiples of a token's time at the rates below, and a nanosecond beside them.
MOVES = (
    1,
    100 * MILLI,
    250 * MILLI,
    SECOND // 3,
    SECOND // 3 + 1,
    500 * MILLI,
    500 * MILLI - 1,
    SECOND,
    SECOND - 1,
    2 * SECOND,
    2 * SECOND + 1,
)
TIMEOUTS = (0, 100 * MILLI, SECOND // 3, 500 * MILLI, SECOND - 1, SECOND, SECOND + 1, 2 * SECOND)
KINDS = (0, 1)
OTHERS = (0, 0, 0, 1)


def asking(
    name: str, operation: str, weight: int, n: tuple[int, ...], *needs: str, **operands: Any
) -> Weighted:
    """A kind of request."""
    return Weighted(
        name,
        Start,
        weight,
        fixed={"operation": operation},
        choices={"cancel": KINDS, "instance": OTHERS},
        operands={"n": n, **operands},
        needs=needs,
    )


def calling(name: str, operation: str, weight: int, *needs: str, **operands: Any) -> Weighted:
    """A kind of call that is no request."""
    return Weighted(
        name,
        Start,
        weight,
        fixed={"operation": operation},
        choices={"instance": OTHERS},
        operands=operands,
        needs=needs,
    )


STIMULI = (
    asking("allow_one", "allow", 8, (1,), "allow"),
    asking("allow_several", "allow", 3, (2, 2, 3, 6), "allow", "weighted"),
    asking("allow_none", "allow", 1, (0,), "allow", "weighted", "zero_tokens"),
    asking("allow_less_than_none", "allow", 1, (-1,), "allow", "weighted", "negative"),
    asking("wait_for_one", "wait", 6, (1,), "wait"),
    asking("wait_for_several", "wait", 3, (2, 2, 3, 6), "wait", "weighted"),
    asking("wait_for_none", "wait", 1, (0,), "wait", "weighted", "zero_tokens"),
    asking("wait_until", "wait_until", 4, (1,), "deadline", timeout=TIMEOUTS),
    asking(
        "wait_for_several_until", "wait_until", 2, (2, 3), "deadline", "weighted", timeout=TIMEOUTS
    ),
    asking("reserve_one", "reserve", 6, (1,), "reserve"),
    asking("reserve_several", "reserve", 4, (2, 2, 3, 6, 0), "reserve", "weighted", "zero_tokens"),
    calling("look_at_a_delay", "delay", 3, "reserve", which=(0, 1, 2, 3)),
    calling("cancel_a_reservation", "cancel", 6, "reserve", which=(0, 1, 2, 3)),
    calling("set_rate", "set_rate", 3, "set_rate", rate=(1.0, 2.0, 10.0, 0.5)),
    calling("set_rate_to_nothing", "set_rate", 1, "set_rate", "zero_rate", rate=(0.0,)),
    calling("set_rate_to_infinity", "set_rate", 1, "set_rate", "infinite_rate", rate=(math.inf,)),
    calling("set_burst", "set_burst", 3, "set_burst", burst=(2, 1, 3, 5)),
    calling("count_tokens", "tokens", 4, "tokens"),
    Weighted("cancel_a_caller", Cancel, 5, choices={"which": (0, 1, 2)}, worlds=ASYNC),
    Weighted(
        "move_to_an_instant",
        Advance,
        8,
        fixed={"aim": "next"},
        choices={"which": (0, 0, 1, 2), "offset": (0, 0, -1, 1)},
    ),
    Weighted("move_the_clock", Advance, 6, fixed={"aim": "by"}, choices={"offset": MOVES}),
)
