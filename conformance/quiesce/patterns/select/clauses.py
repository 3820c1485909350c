"""The clauses of select, as data. They go on from those of channels."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "CH-11",
        Level.MUST,
        "A select performs exactly one case that is ready. If several are, any one; if none "
        "is, the default, or it waits, until one is or the timeout is over. A case on a closed "
        "channel is ready: a receive tells so, a send is an error. Without a case it waits for "
        "ever.",
        "The Go specification: Select statements",
        twins=["ch_select_takes_two", "ch_select_ignores_the_timeout"],
    ),
    Clause(
        "CH-12",
        Level.SHOULD,
        "Among ready cases the choice is about uniform, and no case starves in a loop: in 100 "
        "rounds with two ready cases each is chosen 20 to 80 times, which a fair coin misses "
        "once in a billion runs.",
        "Go runtime/chan_test.go: TestSelectFairness, TestPseudoRandomSend",
        needs=["tally"],
        twins=["ch_select_first_only"],
    ),
    Clause(
        "CH-13",
        Level.MUST,
        "A select judges all its cases at one moment: if at every moment some case was ready, "
        "the default is not taken.",
        "Go runtime/chan_test.go: TestNonblockSelectRace",
        needs=["default"],
        twins=["ch_select_default_race"],
    ),
    Clause(
        "CH-14",
        Level.MUST,
        "A select never completes by pairing with itself.",
        "Go runtime/chan_test.go: TestSelfSelect",
        needs=["rendezvous"],
        twins=["ch_select_meets_itself"],
    ),
)
