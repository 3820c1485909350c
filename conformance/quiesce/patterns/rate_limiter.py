"""Rate limiter: events at a steady rate, with bursts up to a bound.

A limiter of rate r and burst b starts with b tokens and gains r a second, never holding more
than b. ``allow`` takes tokens if they are there, ``reserve`` takes them in advance and says
how long to wait, ``wait`` does the waiting. Limiters that count in windows admit b in a
window of b / r seconds; of them only the bound and progress are asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import attrs

from quiesce.adapters import Adapter
from quiesce.clauses import Clause, Level
from quiesce.model import Model
from quiesce.patterns.pattern import Method, Pattern, Scenario
from quiesce.patterns.rate_bucket import BucketLimiter
from quiesce.patterns.rate_window import WindowLimiter
from quiesce.patterns.token_bucket import SECOND
from quiesce.patterns.universal import UNIVERSAL
from quiesce.stimuli import NOTHING, Advance, Cancel, Start, Step, Weighted, arguments

__all__ = ["RATE_LIMITER"]

GO = "Go x/time/rate"
ASYNC = ("asyncio", "trio")
BUCKET: Final[Mapping[str, tuple[str, ...]]] = {"rate_algorithm": ("token_bucket", "leaky")}
EXACT: Final[Mapping[str, tuple[str, ...]]] = {"rate_algorithm": ("token_bucket",)}
CANCELS: Final = {**EXACT, "rate_cancel": ("exact", "go")}

#: A rate at which one token takes longer than can be counted: over 292 years.
TINY: Final = 1e-10

CLAUSES = (
    Clause(
        "RL-01",
        Level.MUST,
        "A new limiter is full: its whole burst can be had at once. So is one that has been "
        "idle for long.",
        f"{GO}: NewLimiter",
        twins=["rl_starts_empty", "rl_window_starts_shut"],
    ),
    Clause(
        "RL-02",
        Level.MUST,
        "Tokens grow continuously at the rate and stop at the burst; asking for the token count "
        "changes nothing.",
        f"{GO}: advance, TokensAt; TestLimiterBurst1",
        dialect=BUCKET,
        twins=["rl_no_cap"],
    ),
    Clause(
        "RL-03",
        Level.MUST,
        "allow answers at once: yes exactly if n is at most the burst and the tokens are there. "
        "It then takes n tokens.",
        f"{GO}: AllowN",
        needs=["allow"],
        twins=["rl_allow_half_token_early"],
    ),
    Clause(
        "RL-04",
        Level.MUST,
        "A refused request changes nothing, nor does it move the clock.",
        "Go issue 52584",
        needs=["allow", "free_refusals"],
        twins=["rl_refused_reserve_takes", "rl_refusal_moves_clock", "rl_window_charges_refusals"],
    ),
    Clause(
        "RL-05",
        Level.MUST,
        "reserve is granted exactly if n is at most the burst. The tokens are taken at once, "
        "into debt if need be, and the acting time is now plus the time that the debt takes.",
        f"{GO}: ReserveN; TestSimpleReserve",
        needs=["reserve"],
        dialect=EXACT,
        twins=["rl_reserve_takes_nothing"],
    ),
    Clause(
        "RL-06",
        Level.MUST,
        "Requests act in the order in which they were granted: a later small one never acts "
        "before an earlier big one.",
        f"{GO}: reserveN",
        needs=["reserve"],
        dialect=EXACT,
        twins=["rl_small_overtakes"],
    ),
    Clause(
        "RL-07",
        Level.MUST,
        "The remaining delay is the acting time minus now, not below 0; of a refused "
        "reservation it is infinite.",
        f"{GO}: DelayFrom",
        needs=["reserve"],
        dialect=EXACT,
        twins=["rl_delay_stands_still"],
    ),
    Clause(
        "RL-08",
        Level.MUST,
        "A cancel up to and at the acting time gives back the reservation's tokens minus those "
        "reserved after it, never above the burst. It does nothing for a refused reservation, "
        "for n = 0, at an infinite rate, and after the acting time.",
        f"{GO}: CancelAt; TestCancel",
        needs=["reserve"],
        dialect=CANCELS,
        twins=[
            "rl_cancel_noop",
            "rl_cancel_too_late_refunds",
            "rl_cancel_refunds_all",
            "rl_lastevent_not_rewound",
        ],
    ),
    Clause(
        "RL-09",
        Level.MUST,
        "A cancel does not move reservations that were already granted.",
        f"{GO}: CancelAt",
        needs=["reserve"],
        dialect=CANCELS,
        twins=["rl_cancel_moves_others"],
    ),
    Clause(
        "RL-10",
        Level.MUST,
        "A cancel never gives back more than the reservation took: not on a second cancel, not "
        "after the latest event has moved back, not if it was made at an infinite rate.",
        f"{GO} fails all three; Go issues 69419, 56924",
        needs=["reserve"],
        dialect={**EXACT, "rate_cancel": ("exact",)},
        twins=["rl_double_cancel_refunds", "rl_cancel_as_go"],
    ),
    Clause(
        "RL-11",
        Level.MUST,
        "A wait for more than the burst, at a finite rate, fails at once and takes nothing.",
        f"{GO}: wait; TestWaitSimple",
        needs=["wait", "weighted"],
        dialect=BUCKET,
        twins=["rl_wait_over_burst_blocks"],
    ),
    Clause(
        "RL-12",
        Level.MUST,
        "A wait under a scope that is cancelled already takes nothing.",
        f"{GO}: TestWaitSimple",
        needs=["wait", "wait_cancel"],
        dialect=BUCKET,
        worlds=ASYNC,
        twins=["rl_wait_ignores_cancelled_scope"],
    ),
    Clause(
        "RL-13",
        Level.MUST,
        "A wait whose delay is longer than the time to its deadline fails at once and takes "
        "nothing; an equal one is accepted.",
        f"{GO}: wait; TestWaitTimeout",
        needs=["deadline"],
        dialect=EXACT,
        twins=["rl_wait_waits_for_hopeless_deadline"],
    ),
    Clause(
        "RL-14",
        Level.MUST,
        "Otherwise a wait returns exactly at its acting time, at once if there is no delay.",
        f"{GO}: WaitN",
        needs=["wait"],
        dialect=BUCKET,
        twins=["rl_millisecond_clock", "rl_wait_returns_late"],
    ),
    Clause(
        "RL-15",
        Level.MUST,
        "A wait that is cancelled half-way gives its tokens back as RL-08 says; at the acting "
        "time itself it may end either way.",
        f"{GO}: TestWaitCancel",
        needs=["wait", "wait_cancel"],
        dialect=BUCKET,
        worlds=ASYNC,
        twins=["rl_cancelled_wait_keeps_tokens"],
    ),
    Clause(
        "RL-16",
        Level.MUST,
        "Never more than the bound: without changes and cancels, in any d seconds at most "
        "b + r d tokens act; of a sliding window at most b in any window, of a fixed one at "
        "most b in each.",
        f"{GO}: the package's promise",
        twins=["rl_window_counts_one_less", "rl_fixed_window_forgets"],
    ),
    Clause(
        "RL-17",
        Level.SHOULD,
        "With steady demand the tokens that the rate brings are handed out, none is lost.",
        f"{GO}: TestLongRunningQPS",
        dialect=BUCKET,
        twins=["rl_drops_fractions"],
    ),
    Clause(
        "RL-18",
        Level.MUST,
        "An infinite rate grants everything at once, whatever n and the burst are, and takes "
        "nothing.",
        f"{GO}: TestWaitInf",
        needs=["infinite_rate"],
        dialect=BUCKET,
        twins=["rl_inf_takes_tokens"],
    ),
    Clause(
        "RL-19",
        Level.MUST,
        "At rate 0 the initial tokens can be spent and nothing comes back: allow says no, a wait "
        "blocks until it is cancelled, and fails at once if it has a deadline. A later rate "
        "fills from that moment on.",
        f"{GO}: TestZeroLimit, TestSetAfterZeroLimit",
        needs=["zero_rate"],
        dialect={**BUCKET, "rate_zero": ("refuse", "current")},
        twins=["rl_zero_means_unlimited"],
    ),
    Clause(
        "RL-20",
        Level.MUST,
        "More than the burst is never granted; of a burst of 0, at a finite rate, nothing.",
        f"{GO}: AllowN",
        needs=["weighted"],
        twins=["rl_over_burst_ok"],
    ),
    Clause(
        "RL-21",
        Level.MUST,
        "A new rate or burst counts from now on: what was before is settled at the old values. "
        "Reservations keep their acting times, raising the burst adds no tokens, lowering it "
        "cuts them.",
        f"{GO}: SetLimitAt, SetBurstAt; TestReserveSetLimit",
        needs=["set_rate", "set_burst"],
        dialect=BUCKET,
        twins=["rl_setlimit_unsettled", "rl_setburst_unsettled"],
    ),
    Clause(
        "RL-22",
        Level.MUST,
        "n = 0 is granted unless there is debt, and takes nothing; a negative n is refused with "
        "an error.",
        f"{GO} accepts a negative n, which adds tokens",
        needs=["weighted", "zero_tokens", "negative"],
        dialect=BUCKET,
        twins=["rl_negative_adds"],
    ),
    Clause(
        "RL-23",
        Level.MUST,
        "A clock that steps back creates no tokens by itself and is no error.",
        f"{GO}: TestLimiterJumpBackwards; tikv/pd pull request 10745",
        untested="no world's clock steps back and the port takes no time; the tests of the "
        "reference's bucket, which does, hold it",
    ),
    Clause(
        "RL-24",
        Level.MUST,
        "A tiny rate gives an infinite delay, not one that has wrapped around.",
        "Go issue 71154",
        needs=["reserve"],
        dialect=EXACT,
        twins=["rl_delay_wraps"],
    ),
    Clause(
        "RL-25",
        Level.MUST,
        "Of concurrent allow calls on a full limiter exactly as many succeed as the burst holds; "
        "of one that counts in windows at most as many.",
        f"{GO}: TestSimultaneousRequests",
        needs=["allow"],
        twins=["rl_thundering_allow", "rl_window_thundering"],
    ),
    Clause(
        "RL-26",
        Level.MUST,
        "The rate of one event per interval is infinite if the interval is 0 or less.",
        f"{GO}: TestEvery",
        untested="a function of the reference (every), outside the port; its tests hold it",
    ),
)

NO_USER_FUNCTION = "a rate limiter runs no user functions and is given nothing to keep"
SHARED = tuple(
    attrs.evolve(clause, untested=clause.untested or NO_USER_FUNCTION, twins=())
    if clause.id in ("UN-05", "UN-08", "UN-09", "UN-11")
    else clause
    for clause in UNIVERSAL
)


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


def start(
    operation: str, follow: int = 0, *, cancel: int = 0, instance: int = 0, **given: Any
) -> Step:
    return Step(Start(operation, arguments(**given), instance, cancel), follow)


def allow(n: int = 1, follow: int = 0, instance: int = 0) -> Step:
    return start("allow", follow, instance=instance, n=n)


def wait(n: int = 1, follow: int = 0, cancel: int = 0) -> Step:
    return start("wait", follow, cancel=cancel, n=n)


def until(timeout: int, n: int = 1) -> Step:
    return start("wait_until", n=n, timeout=timeout)


def reserve(n: int = 1) -> Step:
    return start("reserve", n=n)


def undo(which: int) -> Step:
    return start("cancel", which=which)


def delay(which: int) -> Step:
    return start("delay", which=which)


def by(nanoseconds: int) -> Step:
    return Step(Advance("by", 0, nanoseconds))


def to(which: int = 0, offset: int = 0) -> Step:
    return Step(Advance("next", which, offset))


TOKENS = start("tokens")

#: name, rate, burst, steps, needs
FIXED: Final[tuple[tuple[str, float, int, tuple[Step, ...], tuple[str, ...]], ...]] = (
    ("a new limiter is full", 1.0, 3, (allow(), allow(), allow(), allow(), TOKENS), ("allow",)),
    (
        "tokens come back one by one",
        1.0,
        2,
        (allow(), allow(), by(SECOND - 1), allow(), by(1), allow(), allow(), by(SECOND), allow()),
        ("allow",),
    ),
    (
        "tokens stop at the burst",
        1.0,
        2,
        (allow(), allow(), by(20 * SECOND), allow(), allow(), allow(), TOKENS),
        ("allow",),
    ),
    (
        "tokens stop at the burst, for those who wait",
        1.0,
        2,
        (wait(), wait(), by(20 * SECOND), wait(), wait(), wait(), to(), wait()),
        ("wait",),
    ),
    (
        "half a token is none",
        1.0,
        1,
        (allow(), by(SECOND // 2), allow(), by(SECOND // 2 - 1), allow(), by(1), allow()),
        ("allow",),
    ),
    (
        "half a token of two is none",
        2.0,
        2,
        (allow(2), by(SECOND * 3 // 4), allow(2), by(SECOND // 4 - 1), allow(2), by(1), allow(2)),
        ("allow", "weighted"),
    ),
    (
        "a refused request takes nothing",
        1.0,
        2,
        (allow(2), by(SECOND), allow(2), allow(1), by(SECOND // 2), allow(), by(SECOND // 2), allow()),
        ("allow", "weighted"),
    ),
    (
        "a request that is too big takes nothing",
        1.0,
        2,
        (allow(3), allow(2), by(5 * SECOND), allow(3), allow(), allow()),
        ("allow", "weighted"),
    ),
    (
        "a burst of callers",
        1.0,
        2,
        (allow(1, NOTHING), allow(1, NOTHING), allow(1, NOTHING), allow(), by(5 * SECOND), allow()),
        ("allow",),
    ),
    (
        "a burst of callers for one token",
        1.0,
        1,
        (allow(1, NOTHING), allow(), by(5 * SECOND), allow(1, NOTHING), allow(1, NOTHING), allow()),
        ("allow",),
    ),
    (
        "steady demand",
        2.0,
        2,
        (allow(), *(step for _ in range(12) for step in (by(300 * MILLI), allow()))),
        ("allow",),
    ),
    (
        "steady waiting",
        2.0,
        2,
        (*(wait() for _ in range(10)), *(to() for _ in range(5)), wait()),
        ("wait",),
    ),
    (
        "the end of one window and the beginning of the next",
        1.0,
        2,
        (
            *(allow(), by(1900 * MILLI), allow(), allow(), by(200 * MILLI), allow(), allow()),
            *(allow(), by(1700 * MILLI), allow(), allow(), by(600 * MILLI), allow(), allow()),
        ),
        ("allow",),
    ),
    (
        "the end of one window and the beginning of the next, for those who wait",
        1.0,
        2,
        (wait(), by(1900 * MILLI), wait(), wait(), by(200 * MILLI), wait(), wait(), to(), wait()),
        ("wait",),
    ),
    (
        "reservations act in order",
        1.0,
        3,
        (reserve(3), reserve(2), allow(1), reserve(1), TOKENS, delay(1), by(SECOND), delay(1), allow())
        + (by(SECOND), delay(1), delay(0), allow(), by(5 * SECOND), delay(2), reserve(4), delay(3)),
        ("reserve", "weighted"),
    ),
    ("a refused reservation", 1.0, 2, (reserve(3), delay(0), undo(0), reserve(2), reserve(1)), ("reserve", "weighted")),
    (
        "a cancel gives back",
        1.0,
        2,
        (reserve(2), reserve(2), undo(1), TOKENS, reserve(1), delay(2)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel gives back what was not built upon",
        1.0,
        3,
        (reserve(3), reserve(3), reserve(1), undo(1), TOKENS, delay(2), reserve(1), delay(3)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel at the acting time",
        1.0,
        1,
        (reserve(), reserve(), by(SECOND), undo(1), TOKENS, reserve(), delay(2)),
        ("reserve",),
    ),
    (
        "a cancel just after the acting time",
        1.0,
        1,
        (reserve(), reserve(), by(SECOND + 1), undo(1), TOKENS, reserve(), delay(2)),
        ("reserve",),
    ),
    (
        "a second cancel",
        1.0,
        2,
        (reserve(2), reserve(1), reserve(1), undo(2), undo(2), TOKENS, reserve(1), undo(1), undo(1), reserve(1)),
        ("reserve", "weighted"),
    ),
    (
        "cancels from the last to the first",
        1.0,
        3,
        (reserve(3), reserve(1), reserve(1), undo(2), undo(1), TOKENS, reserve(1)),
        ("reserve", "weighted"),
    ),
    (
        "cancels from the first to the last",
        1.0,
        3,
        (reserve(3), reserve(3), reserve(1), undo(1), reserve(1), undo(2), TOKENS, reserve(1)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel above the burst",
        1.0,
        2,
        (reserve(1), reserve(2), by(SECOND // 2), undo(1), TOKENS, allow(2), allow(1)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel of what was reserved at an infinite rate",
        1.0,
        2,
        (start("set_rate", rate=math.inf), reserve(2), start("set_rate", rate=1.0), reserve(2), undo(0), TOKENS, reserve(1)),
        ("reserve", "set_rate", "infinite_rate", "weighted"),
    ),
    ("a wait", 1.0, 1, (wait(), wait(), wait(), to(0, -1), to(), by(SECOND - 1), by(1)), ("wait",)),
    ("a wait at a rate that does not divide", 3.0, 1, (wait(), wait(), wait(), to(0, -1), to(), to(0, 1)), ("wait",)),
    (
        "a big wait and a small one",
        1.0,
        3,
        (wait(3), wait(3), wait(1), wait(2), to(), to(), to(), to(), wait(1), to()),
        ("wait", "weighted"),
    ),
    (
        "a wait for a small deficit",
        1.0,
        5,
        (wait(4), wait(2), to(), wait(3), to(), wait(1), to()),
        ("wait", "weighted"),
    ),
    ("a wait for more than the burst", 1.0, 2, (wait(3), wait(2), wait(3), wait(1), to()), ("wait", "weighted")),
    (
        "a wait with a deadline",
        1.0,
        1,
        (until(0), until(0), until(SECOND - 1), until(SECOND), until(SECOND), until(2 * SECOND), by(SECOND), by(SECOND)),
        ("deadline",),
    ),
    (
        "a wait that its deadline ends takes nothing",
        1.0,
        1,
        (until(0), until(SECOND // 2), by(SECOND // 2), TOKENS, until(SECOND // 2), to()),
        ("deadline",),
    ),
    (
        "an infinite rate",
        math.inf,
        1,
        (allow(), allow(), allow(5), reserve(5), wait(5), TOKENS, start("set_rate", rate=1.0), TOKENS, allow(), allow()),
        ("infinite_rate", "weighted"),
    ),
    (
        "an infinite rate takes nothing",
        1.0,
        1,
        (start("set_rate", rate=math.inf), allow(), allow(), TOKENS, start("set_rate", rate=1.0), TOKENS, allow(), allow()),
        ("infinite_rate", "set_rate", "allow"),
    ),
    (
        "a rate of 0",
        0.0,
        2,
        (allow(), allow(), allow(), by(5 * SECOND), allow(), reserve(), until(5 * SECOND), wait(), TOKENS)
        + (start("set_rate", rate=1.0), allow(), by(SECOND), allow(), allow()),
        ("zero_rate",),
    ),
    ("a burst of 0", 1.0, 0, (allow(), by(SECOND), allow(), reserve(), wait(), TOKENS), ("zero_burst",)),
    (
        "a new rate counts from now on",
        1.0,
        5,
        (allow(5), by(SECOND), start("set_rate", rate=10.0), TOKENS, allow(), allow(), by(100 * MILLI), allow()),
        ("set_rate", "allow", "weighted"),
    ),
    (
        "a new rate leaves reservations alone",
        1.0,
        2,
        (reserve(2), reserve(2), start("set_rate", rate=10.0), delay(1), reserve(1), undo(1), TOKENS, wait(), to(), to()),
        ("set_rate", "reserve", "weighted"),
    ),
    (
        "a higher burst adds no tokens",
        1.0,
        2,
        (by(10 * SECOND), allow(), by(10 * SECOND), start("set_burst", burst=5), TOKENS, allow(), allow(), allow()),
        ("set_burst", "allow"),
    ),
    (
        "a lower burst cuts them",
        1.0,
        5,
        (start("set_burst", burst=2), TOKENS, allow(), allow(), allow(), start("set_burst", burst=5), by(3 * SECOND), TOKENS),
        ("set_burst", "allow"),
    ),
    (
        "requests for nothing",
        1.0,
        1,
        (allow(0), wait(0), allow(), allow(0), reserve(), allow(0), wait(0), reserve(0), undo(1), to(), allow(0)),
        ("weighted", "zero_tokens"),
    ),
    ("requests for less than nothing", 1.0, 2, (allow(2), allow(-1), wait(-1), TOKENS, allow()), ("negative", "allow", "weighted")),
    (
        "a tiny rate",
        TINY,
        1,
        (reserve(), reserve(), delay(1), undo(1), TOKENS, allow(), by(20 * SECOND), allow(), TOKENS),
        ("reserve",),
    ),
)  # fmt: skip

SCENARIOS = (
    *(
        Scenario(name, steps, needs=needs, arguments={"rate": rate, "burst": burst})
        for name, rate, burst, steps, needs in FIXED
    ),
    Scenario(
        "instances are independent",
        (allow(), allow(1, 0, 1), allow(), allow(1, 0, 1), wait(), start("wait", n=1, instance=1), to()),
        arguments={"rate": 1.0, "burst": 1, "instances": 2},
    ),
    *(
        Scenario(
            f"{words} ({kind})",
            steps,
            needs=["wait"],
            worlds=ASYNC,
            arguments={"rate": 1.0, "burst": burst},
        )
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, burst, steps in (
            (
                "cancel a wait half-way",
                1,
                (wait(), wait(1, 0, cancel), by(SECOND // 2), Step(Cancel(0)), TOKENS, wait(), to()),
            ),
            (
                "cancel the first of those who wait",
                1,
                (wait(), wait(1, 0, cancel), wait(), Step(Cancel(0)), wait(), to(), to(), to()),
            ),
            (
                "cancel the last of those who wait",
                1,
                (wait(), wait(), wait(1, 0, cancel), Step(Cancel(1)), wait(), to(), to(), to()),
            ),
            (
                "cancel a wait before it begins",
                2,
                (wait(1, NOTHING, cancel), Step(Cancel(0)), TOKENS, wait(), wait(), wait(), to()),
            ),
            (
                "cancel a wait in the midst of others",
                1,
                (wait(), wait(1, 1, cancel), wait(1, NOTHING), Step(Cancel(0), 1), wait(), to(), to()),
            ),
            (
                "cancel a wait just before its acting time",
                1,
                (wait(), wait(1, 0, cancel), to(0, -1), Step(Cancel(0), 1), wait(), to()),
            ),
        )
    ),
)  # fmt: skip

#: After twenty seconds every limiter here that has a finite rate is full, or nearly.
PROBE = (by(20 * SECOND), allow(), wait())


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
