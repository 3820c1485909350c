"""Fan-in: the items of several sources, in the order in which they come.

Each source is read by a forwarder of its own, so that a silent one holds up nobody. Whoever
receives gets the next item of any source; the output ends when all sources have ended, and
fails when one fails. Leaving early stops the forwarders and waits until they have ended.
"""

from __future__ import annotations

from quiesce.functions import Shape
from quiesce.patterns.fan_in.clauses import CLAUSES
from quiesce.patterns.fan_in.model import FanIn
from quiesce.patterns.fan_in.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

__all__ = ["FAN_IN"]

PORT = (
    Method(
        "receive",
        (),
        "Take the next item of any source; returns (item,), or () at the end. Raises the error "
        "of a source that failed.",
        functions={},
    ),
    Method(
        "close",
        (),
        "Leave early: stop all forwarders, and return when they have ended.",
        capability="leave",
        functions={},
    ),
)

FAN_IN = Pattern(
    name="fan_in",
    title="Fan-in: the items of several sources, in the order in which they come",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-02": "leaving a merge stops it and waits: there is no stop of its own",
                "UN-06": "how many items may wait is FO-07's",
                "UN-08": "a source that receives from its own merge waits for itself",
                "UN-09": "memory order can't be seen on one OS thread",
                "UN-11": "the items are the receivers', and the merge keeps none that was taken",
            },
            checked={"UN-07"},
        ),
    ),
    port=PORT,
    constructor={},
    functions={"first": Shape.SOURCE, "second": Shape.SOURCE},
    capabilities={
        "leave": "close",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={"buffer": ("0", "1")},
    model=lambda adapter, _: FanIn(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    leaks={
        "close": "FO-11 a forwarder is left running",
        "receive": "FO-11 a forwarder is left running",
    },
)
