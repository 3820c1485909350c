"""The clauses of a ticker: the channel form of section TK."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

GO = "Go time/tick.go"
GO_TEST = "Go time/tick_test.go"

CLAUSES = (
    Clause(
        "TK-01",
        Level.MUST,
        "Ticks are due at start + k periods, without drift, when the receiver keeps up.",
        "Go runtime/time.go: next = when + period * (1 + late / period)",
        twins=["tk_drift"],
    ),
    Clause(
        "TK-02",
        Level.MUST,
        "The first tick comes one period after the start, not at once.",
        f"{GO}: NewTicker",
        twins=["tk_immediate_tick"],
    ),
    Clause(
        "TK-03",
        Level.MUST,
        "A slow receiver loses ticks: at most one is kept, the oldest, for one receiver; there is "
        "never a burst of old ticks, and the phase is kept.",
        f"{GO}: NewTicker drops ticks to make up for slow receivers",
        twins=["tk_backlog_burst", "tk_phase_lost_after_stall", "tk_two_take_one_tick"],
    ),
    Clause(
        "TK-04",
        Level.MUST,
        "After stop no tick is received, not even one that was due and not yet taken.",
        f"{GO_TEST}: testTimerChan; Go 1.23 and later",
        twins=["tk_tick_after_stop", "tk_kept_tick_survives_stop"],
    ),
    Clause(
        "TK-05",
        Level.MUST,
        "After reset(p) the next tick comes p after the reset; a tick that was not taken is "
        "discarded; a stopped ticker ticks again.",
        f"{GO}: Ticker.Reset; {GO_TEST}: TestTickerReset",
        needs=["reset"],
        twins=["tk_stale_tick_after_reset", "tk_reset_leaves_it_stopped"],
    ),
    Clause(
        "TK-06",
        Level.MUST,
        "A period of 0 or less is refused, and nothing changes.",
        f"{GO_TEST}: TestNewTickerLtZeroDuration, TestTickerResetLtZeroDuration",
        needs=["refusal"],
        twins=["tk_takes_any_period"],
    ),
    Clause(
        "TK-07",
        Level.MUST,
        "Stop closes nothing: a receiver that waits goes on waiting. Stop can be repeated.",
        f"{GO}: Ticker.Stop does not close the channel",
        twins=["tk_stop_ends_receivers"],
    ),
)
