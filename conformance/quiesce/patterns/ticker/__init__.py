"""Ticker: a tick each period, for whoever receives it.

Ticks are due at fixed instants from the start on. The ticker keeps one tick that was not taken
and drops what becomes due meanwhile, so a slow receiver meets no burst. After ``stop`` there
are no more ticks, and a receiver waits for ever; ``reset`` starts anew with another period.
"""

from __future__ import annotations

import attrs

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.ticker.clauses import ASYNC, CLAUSES
from quiesce.patterns.ticker.model import Ticker
from quiesce.patterns.ticker.scenarios import PERIODS, PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

__all__ = ["TICKER"]

NO_FUNCTIONS = "a ticker runs no user functions"

PORT = (
    Method(
        "receive",
        (),
        "Wait for the next tick; returns the time at which it was due, in nanoseconds, or None "
        "if the adapter lacks time.",
        timed=True,
    ),
    Method("stop", (), "No more ticks."),
    Method(
        "reset",
        ("period",),
        "Start anew with that period in nanoseconds, also after stop.",
        capability="reset",
        refuses=True,
    ),
    Method(
        "make",
        ("period",),
        "Make one more ticker with that period in nanoseconds, and stop it.",
        capability="refusal",
        refuses=True,
    ),
)

#: The universal clauses. In threads nothing cancels a receiver, and few tickers refuse anything.
SHARED = tuple(
    attrs.evolve(clause, worlds=ASYNC) if clause.id == "UN-04" else clause
    for clause in universal(
        untested={
            "UN-02": "a ticker has a stop but nothing to wait for: its loops are TK-08's",
            "UN-05": NO_FUNCTIONS,
            "UN-06": "the bound of one kept tick is TK-03",
            "UN-08": NO_FUNCTIONS,
            "UN-09": NO_FUNCTIONS,
            "UN-11": NO_FUNCTIONS,
        },
        checked=["UN-07"],
    )
)

TICKER = Pattern(
    name="ticker",
    title="Ticker: a tick each period, for whoever receives it",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *SHARED),
    port=PORT,
    constructor={"period": PERIODS},
    capabilities={
        "time": "receive tells when the tick was due",
        "reset": "reset",
        "refusal": "a period of 0 or less is refused with an error",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={},
    model=Ticker,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    patience=2,
)
