"""Fan-out: one function for many inputs at the same time.

``map_concurrent`` calls a function for each input, not more than so many at a time, and
returns the results in the order of the inputs once all have ended. When one fails the rest
is stopped and the error is raised; nothing is left running in either case. ``first_success``
lets functions race: the first value wins, and the losers are stopped.
"""

from __future__ import annotations

from quiesce.functions import Shape
from quiesce.patterns.fan_out.clauses import CLAUSES
from quiesce.patterns.fan_out.model import FanOut
from quiesce.patterns.fan_out.scenarios import PROBE, SCENARIOS, STIMULI
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

__all__ = ["FAN_OUT"]

PORT = (
    Method(
        "map_concurrent",
        ("function", "items", "limit"),
        "Call function(item) for each item, at most limit at a time; return a list of the "
        "results by item. An adapter that lacks limit ignores it.",
        functions={"function": Shape.EACH},
    ),
    Method(
        "first_success",
        ("attempt", "items"),
        "Call attempt(item) for all items at once; return the first value, or raise a group of "
        "all errors if there is none.",
        capability="first_success",
        functions={"attempt": Shape.EACH},
    ),
)

FAN_OUT = Pattern(
    name="fan_out",
    title="Fan-out: one function for many inputs at the same time",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-02": "a fan-out ends with its call: there is nothing to stop or to wait for",
                "UN-06": "the limit is FO-05's",
                "UN-07": "a fan-out has no stop, close or cancel of its own",
                "UN-08": "a fan-out has no object that its functions could use",
                "UN-09": "FO-04 says that the call ends after its functions; memory order can't "
                "be seen on one OS thread",
                "UN-11": "the results are the caller's, and the call keeps nothing",
            }
        ),
    ),
    port=PORT,
    constructor={},
    capabilities={
        "limit": "at most so many functions run at the same time",
        "first_success": "first_success",
        "exit": "a BaseException of a function reaches the caller",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={
        "errors": ("first", "all", "by_input"),
        "on_failure": ("cancel_rest", "continue"),
    },
    model=lambda adapter, _: FanOut(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
)
