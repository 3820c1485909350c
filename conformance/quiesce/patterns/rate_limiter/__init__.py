"""Rate limiter: events at a steady rate, with bursts up to a bound.

A limiter of rate r and burst b starts with b tokens and gains r a second, never holding more
than b. ``allow`` takes tokens if they are there, ``reserve`` takes them in advance and says
how long to wait, ``wait`` does the waiting. Limiters that count in windows admit b in a
window of b / r seconds; of them only the bound and progress are asked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.rate_limiter.clauses import CLAUSES, SHARED
from quiesce.patterns.rate_limiter.scenarios import PROBE, SCENARIOS
from quiesce.patterns.rate_limiter.stimuli import STIMULI, TINY
from quiesce.patterns.rate_limiter.token_bucket import BucketLimiter
from quiesce.patterns.rate_limiter.window import WindowLimiter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quiesce.adapters import Adapter
    from quiesce.model import Model

__all__ = ["RATE_LIMITER"]


def read_reservation(reservation: Any) -> tuple[bool, int | None]:
    """What is compared of a reservation: whether it was granted, and its delay."""
    return reservation.ok, reservation.delay()


PORT = (
    Method(
        "allow",
        ("n",),
        "Take n tokens if they are there now, and say whether.",
        capability="allow",
        refuses=True,
    ),
    Method(
        "wait",
        ("n",),
        "Take n tokens and return when they may be used; raises if they never can.",
        capability="wait",
        refuses=True,
        timed=True,
    ),
    Method(
        "wait_until",
        ("n", "timeout"),
        "The same, but raise at once if it would take longer than timeout nanoseconds.",
        capability="deadline",
        refuses=True,
        timed=True,
    ),
    Method(
        "reserve",
        ("n",),
        "Take n tokens in advance: an object with ok, delay() in nanoseconds or None for ever, "
        "and cancel().",
        capability="reserve",
        refuses=True,
        read=read_reservation,
    ),
    Method(
        "delay",
        (),
        "Of a reservation: nanoseconds left, None for ever.",
        capability="reserve",
        is_async=False,
        receiver="reserve",
    ),
    Method(
        "cancel",
        (),
        "Of a reservation: give its tokens back.",
        capability="reserve",
        is_async=False,
        receiver="reserve",
    ),
    Method("set_rate", ("rate",), "Change the rate, tokens a second.", capability="set_rate"),
    Method("set_burst", ("burst",), "Change the burst.", capability="set_burst"),
    Method("tokens", (), "The tokens there are now; negative is debt.", capability="tokens"),
)


def constructs(adapter: Adapter, name: str, value: Any) -> bool:
    """Whether the adapter's limiter can be made with such a rate or burst."""
    needed = {
        ("rate", math.inf): "infinite_rate",
        ("rate", 0.0): "zero_rate",
        ("rate", TINY): "reserve",  # elsewhere it shows nothing
        ("burst", 0): "zero_burst",
    }.get((name, value))
    return needed is None or needed not in adapter.lacks


def model(adapter: Adapter, given: Mapping[str, object]) -> Model:
    """The model that the declared algorithm asks for."""
    windows = ("sliding_window", "fixed_window")
    if adapter.dialect.get("rate_algorithm", "token_bucket") in windows:
        return WindowLimiter(adapter, given)
    return BucketLimiter(adapter, given)


RATE_LIMITER = Pattern(
    name="rate_limiter",
    title="Rate limiter: events at a steady rate, with bursts up to a bound",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *SHARED),
    port=PORT,
    constructor={
        "rate": (1.0, 2.0, 0.5, 10.0, 3.0, 0.0, math.inf, TINY),
        "burst": (1, 2, 3, 5, 0),
    },
    capabilities={
        "allow": "allow: yes or no at once",
        "wait": "wait until the tokens may be used",
        "deadline": "wait_until: a wait that would take too long fails at once",
        "reserve": "reserve: tokens in advance, with a delay and a cancel",
        "set_rate": "the rate can be changed",
        "set_burst": "the burst can be changed",
        "tokens": "tokens: how many there are",
        "weighted": "n may be other than 1",
        "zero_tokens": "n may be 0",
        "negative": "a negative n is refused with an error",
        "infinite_rate": "the rate may be infinite",
        "zero_rate": "the rate may be 0",
        "zero_burst": "the burst may be 0",
        "wait_cancel": "a cancelled wait gives its tokens back at once",
        "free_refusals": "a refused request does not count",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={
        "rate_algorithm": ("token_bucket", "leaky", "sliding_window", "fixed_window"),
        "rate_cancel": ("exact", "go", "none"),
        "rate_zero": ("refuse", "current", "none"),
        "rate_rounding": ("exact", "float"),
    },
    model=model,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    constructs=constructs,
    # rate_cancel speaks of reservations; a wait can be cancelled in any case.
    cancels=lambda _: True,
)
