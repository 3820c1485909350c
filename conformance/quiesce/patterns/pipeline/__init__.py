"""Pipeline: items flow from a source through stages that work at the same time.

A feeder pulls items from a source; each stage has workers that apply its function and a
buffer for what they made; whoever receives takes the results. Nothing runs ahead of whoever
receives by more than the workers and buffers hold. Cancelling, leaving early or a failure
ends all of it, and waiting tells when that is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quiesce.functions import Shape
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.pipeline.clauses import CLAUSES
from quiesce.patterns.pipeline.model import Pipeline
from quiesce.patterns.pipeline.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quiesce.adapters import Adapter

__all__ = ["PIPELINE"]

PORT = (
    Method(
        "receive",
        (),
        "Take the next result; returns (result,), or () at the end. Raises the error of the "
        "function that failed first.",
        functions={},
    ),
    Method("cancel", (), "Stop everything, and return at once.", functions={}),
    Method(
        "wait",
        (),
        "Return when all stages have ended; raises the error of the function that failed first.",
        functions={},
    ),
    Method(
        "close", (), "Leave early: cancel, and return when all stages have ended.", functions={}
    ),
)


def make_model(adapter: Adapter, arguments: Mapping[str, object]) -> Pipeline:
    """The model of a pipeline of that size."""
    workers, buffer = arguments["workers"], arguments["buffer"]
    assert isinstance(workers, int)
    assert isinstance(buffer, int)
    return Pipeline(adapter, workers, buffer)


PIPELINE = Pattern(
    name="pipeline",
    title="Pipeline: items flow from a source through stages that work at the same time",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-06": "how many items may be under way is PL-03's",
                "UN-08": "a stage that receives from its own pipeline waits for itself",
                "UN-09": "memory order can't be seen on one OS thread",
                "UN-11": "the items are the receivers', and the pipeline keeps none that was taken",
            },
            checked={"UN-02", "UN-07"},
        ),
    ),
    port=PORT,
    constructor={"workers": (1, 2), "buffer": (1, 0)},
    functions={"source": Shape.SOURCE, "first": Shape.EACH, "second": Shape.EACH},
    capabilities={
        "unbuffered": "a stage can have no buffer: its results go from hand to hand",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={"ordered": ("yes", "no"), "ahead": ("0", "1", "2")},
    model=make_model,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    constructs=lambda adapter, name, value: (
        name != "buffer" or value > 0 or "unbuffered" not in adapter.lacks
    ),
    leaks={
        "cancel": "PL-05 something is left running after a cancellation",
        "close": "PL-06 something is left running after the reader has left",
        "receive": "PL-06 something is left running after the reader has left",
    },
)
