"""Periodic task: a function that runs each period, in a loop with a way out.

Runs are due at fixed instants from the start on, and never overlap. ``stop`` makes the loop end
without waiting for the next period, ``wait`` returns when it has ended, and the error of a
run either ends the task and comes out there, or goes to a handler.
"""

from __future__ import annotations

import attrs

from quiesce.functions import Shape
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.periodic.clauses import CLAUSES
from quiesce.patterns.periodic.model import LEFT, Periodic
from quiesce.patterns.periodic.scenarios import (
    PERIODS,
    PROBE,
    SCENARIOS,
    SECOND,
    STIMULI,
    UNBLOCK,
)
from quiesce.patterns.universal import universal

__all__ = ["PERIODIC"]

PORT = (
    Method("stop", (), "Make the loop end, and return at once."),
    Method(
        "wait",
        (),
        "Return when the loop has ended, or raise what ended it.",
        capability="wait",
        refuses=True,
    ),
)

#: The universal clauses. Two speak of wait, and in threads only a run can fail half-way.
NEEDS = {"UN-02": ("wait",), "UN-04": ("errors",), "UN-05": ("wait",)}
SHARED = tuple(
    attrs.evolve(clause, needs=NEEDS.get(clause.id, clause.needs))
    for clause in universal(
        untested={
            "UN-06": "the bound of one run is TK-09",
            "UN-08": "TK-12 states it: a run stops its own loop",
        },
        checked=["UN-02", "UN-07"],
    )
)

PERIODIC = Pattern(
    name="periodic",
    title="Periodic task: a function that runs each period, in a loop with a way out",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *SHARED),
    port=PORT,
    constructor={"period": PERIODS},
    functions={"work": Shape.PLAIN, "handler": Shape.EACH},
    capabilities={
        "wait": "wait: apart from stop, a way to learn that the loop has ended, and how",
        "errors": "a run may fail, and on_failure says what follows",
        "handler": "a run's error goes to the handler, which may take its time",
        "reentrance_error": "wait from inside the run is refused with an error",
        "exit": "a BaseException of a run ends the task and reaches wait",
        "nanoseconds": "due times are exact to the nanosecond, whatever the period",
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
    # What adds up floats, or reads a clock of microseconds, is exact in whole seconds.
    constructs=lambda adapter, _, value: value == SECOND or "nanoseconds" not in adapter.lacks,
    leaks={"stop": LEFT, "wait": LEFT},
    patience=0,
)
