"""Background service: a task with a start, a stop, a wait and a clean-up.

``start`` begins the body in the background. ``stop`` asks it to end and does not wait: a
cooperative body looks for the request, any other is cancelled. However the body ends, the
clean-up follows, and then ``wait`` returns, or raises the error, as often as it is called.
"""

from __future__ import annotations

from quiesce.functions import Shape
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.service.clauses import CLAUSES
from quiesce.patterns.service.model import Service
from quiesce.patterns.service.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

__all__ = ["SERVICE"]

PORT = (
    Method("start", (), "Begin the body in the background, and return.", refuses=True),
    Method("start_stop", (), "Start, then stop before anything else happens.", refuses=True),
    Method("stop", (), "Ask the body to end, and return at once."),
    Method(
        "wait",
        (),
        "Return when body and clean-up have ended, or raise what one of them raised.",
        refuses=True,
    ),
    Method(
        "stopping",
        (),
        "Called by the body: whether it should end.",
        capability="token",
        is_async=False,
    ),
)

SERVICE = Pattern(
    name="service",
    title="Background service: a task with a start, a stop, a wait and a clean-up",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={"UN-06": "a service has no bounds but one task, and BG-05 states that"},
            checked=["UN-02", "UN-07"],
        ),
    ),
    port=PORT,
    constructor={},
    functions={"work": Shape.PLAIN, "cleanup": Shape.PLAIN},
    capabilities={
        "token": "stopping: a body that is not cancelled can ask whether it should end",
        "exit": "a BaseException of the body reaches wait",
        "stop": "leaving its lifespan stops and waits",
    },
    dialects={
        "cancel_delivery": ("cooperative", "edge", "level"),
        "start_twice": ("refused", "ignored"),
        "reuse": ("refused", "allowed"),
    },
    model=lambda adapter, _: Service(adapter),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
)
