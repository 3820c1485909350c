"""Wait group: wait until everything that was announced is done.

A counter goes up for what begins and down for what has ended; whoever waits goes on when it is
zero. A group that also runs functions counts them itself, and tells the waiters what failed.
"""

from __future__ import annotations

import attrs

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal
from quiesce.patterns.wait_group.clauses import CLAUSES
from quiesce.patterns.wait_group.model import WaitGroup
from quiesce.patterns.wait_group.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK

__all__ = ["WAIT_GROUP"]

PORT = (
    Method(
        "add",
        ("n",),
        "Add to the counter. n is 1, or any whole number unless the adapter lacks delta; raises "
        "if the sum is below zero.",
        is_async=False,
        refuses=True,
    ),
    Method("done", (), "Take one from the counter; raises at zero.", is_async=False, refuses=True),
    Method(
        "wait",
        (),
        "Wait until the counter is zero; then raise a group of the errors that functions of go "
        "have raised, if there are any, else return None.",
    ),
    Method(
        "wait_within",
        ("timeout",),
        "The same for at most timeout nanoseconds; returns whether the counter is zero.",
        capability="timeout",
    ),
    Method(
        "go",
        ("work",),
        "Start work, counted until it ends, and return at once.",
        capability="go",
        is_async=False,
    ),
)

#: A group that runs no functions has no errors to deliver.
EVERYWHERE = tuple(
    attrs.evolve(clause, needs=clause.needs | {"go"}) if clause.id == "UN-05" else clause
    for clause in universal(
        untested={
            "UN-08": "nothing that a function calls here can wait, except for its own end; "
            "WG-07 lets functions start others",
            "UN-11": "a function is let go when it has ended, as its thread or task is",
        }
    )
)

WAIT_GROUP = Pattern(
    name="wait_group",
    title="Wait group: wait until everything that was announced is done",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *EVERYWHERE),
    port=PORT,
    constructor={},
    capabilities={
        "delta": "add takes any whole number",
        "go": "go: the group runs functions",
        "rounds": "who was released returns, even if a new round has begun by then",
        "stop": "what it runs can be waited for",
        "timeout": "wait_within",
    },
    dialects={},
    model=lambda adapter, _: WaitGroup(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
)
