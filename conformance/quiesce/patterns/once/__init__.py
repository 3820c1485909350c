"""Once: however many callers race, one execution, and nobody returns before it has ended.

The first caller executes the function, the others wait for it, and later callers return at
once. What becomes of an error (``once_error``) and of a cancelled execution
(``once_cancel``) are dialects; an exit or a cancellation is never kept as the outcome.
"""

from __future__ import annotations

from quiesce.functions import WORK, Shape
from quiesce.patterns.once.clauses import CLAUSES
from quiesce.patterns.once.model import Once
from quiesce.patterns.once.scenarios import PROBE, RELEASE, SCENARIOS, STIMULI
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import UNIVERSAL

__all__ = ["ONCE"]

PORT = (
    Method(
        "call",
        (),
        "Execute the constructor's work unless it was executed, and return its value, or None "
        "if the adapter lacks value.",
    ),
    Method(
        "call_own",
        ("work",),
        "The same with a function of the caller's own.",
        capability="own_function",
    ),
)

ONCE = Pattern(
    name="once",
    independence="ON-11 what happens to one object reaches another",
    title="Once: one execution, however many callers",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *UNIVERSAL),
    port=PORT,
    constructor={},
    functions={WORK: Shape.PLAIN},
    capabilities={
        "own_function": "call_own: each caller brings its own function",
        "value": "call returns what the function returned",
        "single_init": "one execution however many callers race",
        "reentrance_error": "a function that calls its own object is refused with an error",
        "release": "the function is dropped after the execution",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={
        "once_error": ("stored", "done_silently", "retry"),
        "once_cancel": ("retry", "detached", "none"),
    },
    model=lambda adapter, _: Once(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    release=(RELEASE, "ON-10 the function is kept after its execution"),
)
