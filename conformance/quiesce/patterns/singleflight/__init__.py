"""Singleflight: callers of one key share one execution.

The first caller of a key leads: its function runs. Callers that arrive during the
execution join it and get the same outcome. Nothing is kept afterwards. Keys are
independent, and ``forget`` makes the next caller start anew beside a running execution.
"""

from __future__ import annotations

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.singleflight.clauses import CLAUSES
from quiesce.patterns.singleflight.model import Singleflight
from quiesce.patterns.singleflight.scenarios import PROBE, RELEASE, SCENARIOS, STIMULI
from quiesce.patterns.universal import UNIVERSAL

__all__ = ["SINGLEFLIGHT"]

PORT = (
    Method(
        "do",
        ("key", "work"),
        "Run work for the key, or join the execution that runs; returns (value, shared), "
        "or the value alone if the adapter lacks shared.",
    ),
    Method(
        "do_future",
        ("key", "work"),
        "The same, at once: returns an object with result() (threads) or an awaitable.",
        capability="future",
        is_async=False,
        future=True,
    ),
    Method(
        "forget",
        ("key",),
        "Let the next call of the key start anew.",
        capability="forget",
        is_async=False,
    ),
)

SINGLEFLIGHT = Pattern(
    name="singleflight",
    title="Singleflight: callers of one key share one execution",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *UNIVERSAL),
    port=PORT,
    constructor={},
    capabilities={
        "shared": "do tells whether the result was shared",
        "future": "do_future",
        "forget": "forget",
        "errors_shared": "joiners get the leader's error instead of running themselves",
        "reentrance_error": "a call from inside with the same key is refused with an error",
        "exit": "a BaseException of the function reaches every member",
        "stop": "what it runs in the background can be stopped",
        "release": "results and functions are dropped after the execution",
    },
    dialects={
        "sf_cancel": ("detached", "inline", "none"),
        "sf_last_cancel": ("cancels", "continues"),
        "remembers": ("nothing", "values"),
    },
    model=lambda adapter, _: Singleflight(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    part=("key",),
    release=(RELEASE, "SF-14 something is kept after its execution"),
    leaks={"do_future_unread": "SF-08 a future that nobody reads leaves something running"},
)
