"""The clauses that each twin of rate_limiter breaks, at the budget ci and seed 0."""

from __future__ import annotations

from typing import Final

__all__ = ["EXPECTED_RATE_LIMITER"]

EXPECTED_RATE_LIMITER: Final[dict[str, set[str]]] = {
    "rl_allow_half_token_early/asyncio": {"RL-03"},
    "rl_cancel_as_go/asyncio": {"RL-10"},
    "rl_cancel_moves_others/asyncio": {"RL-09"},
    "rl_cancel_noop/asyncio": {"RL-08"},
    "rl_cancel_refunds_all/asyncio": {"RL-08"},
    "rl_cancel_too_late_refunds/asyncio": {"RL-08"},
    "rl_cancelled_wait_keeps_tokens/asyncio": {"RL-15"},
    "rl_delay_stands_still/asyncio": {"RL-07"},
    "rl_delay_wraps/asyncio": {"RL-24"},
    "rl_double_cancel_refunds/asyncio": {"RL-10"},
    "rl_drops_fractions/asyncio": {"RL-17"},
    "rl_fixed_window_forgets/asyncio": {"RL-16"},
    "rl_good_asyncio/asyncio": set(),
    "rl_good_fixed/asyncio": set(),
    "rl_good_leaky/asyncio": set(),
    "rl_good_sliding/asyncio": set(),
    "rl_good_threads/threads": set(),
    "rl_good_trio/trio": set(),
    "rl_inf_takes_tokens/asyncio": {"RL-18"},
    "rl_lastevent_not_rewound/asyncio": {"RL-08"},
    "rl_leaks_a_task/asyncio": {"UN-01"},
    "rl_leaky_sleeps_too_long/asyncio": {"RL-14"},
    "rl_millisecond_clock/asyncio": {"RL-14"},
    "rl_negative_adds/asyncio": {"RL-22"},
    "rl_no_cap/asyncio": {"RL-02"},
    "rl_over_burst_ok/asyncio": {"RL-11", "RL-20"},
    "rl_refusal_moves_clock/asyncio": {"RL-04"},
    "rl_refused_reserve_takes/asyncio": {"RL-04"},
    "rl_reserve_takes_nothing/asyncio": {"RL-05"},
    "rl_setburst_unsettled/asyncio": {"RL-21"},
    "rl_setlimit_unsettled/asyncio": {"RL-21"},
    "rl_small_overtakes/asyncio": {"RL-06"},
    "rl_starts_empty/asyncio": {"RL-01"},
    "rl_thundering_allow/threads": {"RL-16", "RL-25"},
    "rl_wait_ignores_cancelled_scope/trio": {"RL-12"},
    "rl_wait_over_burst_blocks/asyncio": {"RL-11"},
    "rl_wait_returns_late/asyncio": {"RL-14"},
    "rl_wait_waits_for_hopeless_deadline/asyncio": {"RL-13"},
    "rl_window_charges_refusals/asyncio": {"RL-04"},
    "rl_window_counts_one_less/asyncio": {"RL-16"},
    "rl_window_starts_shut/asyncio": {"RL-01"},
    "rl_window_strands_waiters/asyncio": {"UN-03"},
    "rl_window_thundering/threads": {"RL-25"},
    "rl_zero_means_unlimited/asyncio": {"RL-19"},
}
