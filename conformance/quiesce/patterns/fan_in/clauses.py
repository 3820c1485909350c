"""The clauses of fan-in."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")
GO = "Go blog, Pipelines and cancellation: merge"

CLAUSES = (
    Clause(
        "FO-07",
        Level.MUST,
        "What comes out is what the sources gave: nothing is lost or doubled, each source's order "
        "is kept, and no source is read on while more of its items wait than declared.",
        f"{GO}; Go specification: channels are first in, first out",
        twins=["fo_drop_when_full", "fo_reads_ahead", "fo_loses_a_cancelled_receivers_item"],
    ),
    Clause(
        "FO-08",
        Level.MUST,
        "The output ends exactly once, after all sources have ended: whoever receives is told "
        "so, then and later.",
        f"{GO} closes the output after wg.Wait",
        twins=["fo_end_at_first_source", "fo_end_told_once"],
    ),
    Clause(
        "FO-09",
        Level.MUST,
        "A silent source does not hold up the others.",
        f"{GO} has a goroutine for each source",
        twins=["fo_round_robin_blocks"],
    ),
    Clause(
        "FO-10",
        Level.MUST,
        "A source that fails surfaces as its error; that is not taken for its end.",
        "Go blog, Pipelines and cancellation: results carry errors",
        twins=["fo_error_as_end"],
    ),
    Clause(
        "FO-11",
        Level.MUST,
        "Leaving early ends all forwarders although the sources never end, and returns when they "
        "have ended.",
        f"{GO} selects on done at each send",
        needs=["leave"],
        twins=["fo_forwarder_leak", "fo_leaves_too_early"],
    ),
)
