"""Periodic task: a function that runs each period, in a loop with a way out.

Runs are due at fixed instants from the start on, and never overlap. ``stop`` makes the loop end
without waiting for the next period, ``wait`` returns when it has ended, and the error of a
run either ends the task and comes out there, or goes to a handler.
"""

from __future__ import annotations

from quiesce.functions import Shape
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.periodic.clauses import CLAUSES
from quiesce.patterns.periodic.model import LEFT, Periodic
from quiesce.patterns.periodic.scenarios import PERIODS, PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

__all__ = ["PERIODIC"]

PORT = (
    Method("stop", (), "Make the loop end, and return at once."),
    Method(
        "wait",
        (),
        "Return when the loop has ended, or raise what ended it.",
        refuses=True,
    ),
)

PERIODIC = Pattern(
    name="periodic",
    title="Periodic task: a function that runs each period, in a loop with a way out",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-06": "the bound of one run is TK-09",
                "UN-08": "TK-12 states it: a run stops its own loop",
            },
            checked=["UN-02", "UN-07"],
        ),
    ),
    port=PORT,
    constructor={"period": PERIODS},
    functions={"work": Shape.PLAIN, "handler": Shape.EACH},
    capabilities={
        "handler": "a run's error goes to the handler, which may take its time",
        "reentrance_error": "wait from inside the run is refused with an error",
        "exit": "a BaseException of a run ends the task and reaches wait",
        "stop": "leaving its lifespan stops and waits",
    },
    dialects={
        "overrun": ("skip", "run_once"),
        "on_failure": ("ends", "continues"),
        "cancel_delivery": ("cooperative", "edge", "level"),
        "first_run": ("after_a_period", "at_once"),
    },
    model=Periodic,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    leaks={"stop": LEFT, "wait": LEFT},
    patience=0,
)
