"""Stream of a worker pool: a lazily pulled source, and outcomes that are taken one at a time.

The items of a source go through a function in a fixed number of workers. The source is pulled
only as far ahead as there are workers and places in a buffer, so that it may be endless. The
consumer takes outcomes as they come, or in the order of the items, up to the end; or he stops,
and nothing is left behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quiesce.functions import Shape
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.stream_pool.clauses import CLAUSES
from quiesce.patterns.stream_pool.model import Stream
from quiesce.patterns.stream_pool.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from quiesce.adapters import Adapter

__all__ = ["STREAM_POOL"]

PORT = (
    Method(
        "next",
        (),
        'Wait for the next outcome: return ("item", value), raise the error of the function or '
        'of the source, or return "end".',
    ),
    Method(
        "stop",
        (),
        "End the stream early, and return at once.",
        refuses=True,
        read=lambda _: "stopped",
    ),
)


def constructs(adapter: Adapter, name: str, value: object) -> bool:
    """Whether the adapter's stream can be made so."""
    if name == "ordered":
        return ("ordered" if value else "unordered") not in adapter.lacks
    return name != "buffer" or not value or "buffer" not in adapter.lacks


STREAM_POOL = Pattern(
    name="stream_pool",
    title="Stream of a worker pool: a lazily pulled source and outcomes one at a time",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-02": "a stream has the stop only: the wait is its pool's, which checks it",
                "UN-08": "source and function are called from the pool's own tasks only",
                "UN-11": "source and function belong to the stream as long as it lives",
            },
            checked={"UN-07"},
        ),
    ),
    port=PORT,
    constructor={"workers": (1, 2), "buffer": (0, 1), "ordered": (False, True)},
    functions={"source": Shape.SOURCE, "function": Shape.EACH},
    capabilities={
        "ordered": "ordered may be True: outcomes in the order of the items",
        "unordered": "ordered may be False: outcomes as jobs end",
        "buffer": "buffer may be other than 0",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={"cancel_running": ("runs_on", "interrupted")},
    model=Stream,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    leaks=dict.fromkeys(("next", "stop"), "WP-12 a stream that was left leaves something running"),
    constructs=constructs,
)
