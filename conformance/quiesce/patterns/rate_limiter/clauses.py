"""Rate limiter: its clauses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from quiesce.clauses import Clause, Level
from quiesce.patterns.universal import UNIVERSAL

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ASYNC", "CLAUSES", "SHARED"]

GO = "Go x/time/rate"
ASYNC = ("asyncio", "trio")
BUCKET: Final[Mapping[str, tuple[str, ...]]] = {"rate_algorithm": ("token_bucket", "leaky")}
EXACT: Final[Mapping[str, tuple[str, ...]]] = {"rate_algorithm": ("token_bucket",)}
CANCELS: Final = {**EXACT, "rate_cancel": ("exact", "go")}

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
        twins=["rl_millisecond_clock", "rl_wait_returns_late", "rl_leaky_sleeps_too_long"],
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
#: Twins of this pattern that universal clauses must catch.
TWINS: Final = {"UN-01": ("rl_leaks_a_task",), "UN-03": ("rl_window_strands_waiters",)}

SHARED = tuple(
    attrs.evolve(clause, untested=clause.untested or NO_USER_FUNCTION, twins=())
    if clause.id in ("UN-05", "UN-08", "UN-09", "UN-11")
    else attrs.evolve(clause, twins=(*clause.twins, *TWINS.get(clause.id, ())))
    for clause in UNIVERSAL
)
