"""Object pool: objects that are costly to make are lent, reset and lent again.

``get`` lends an idle object or has one made, ``put`` takes it back, after a reset if the pool
has that hook. At a bound callers wait for an object to come back. Nothing is promised about
which idle object comes next, nor that an idle one is kept.
"""

from __future__ import annotations

from typing import Any

from quiesce.functions import Shape
from quiesce.patterns.object_pool.clauses import CLAUSES
from quiesce.patterns.object_pool.model import ObjectPool
from quiesce.patterns.object_pool.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

__all__ = ["OBJECT_POOL"]


def lent(value: Any) -> Any:
    """What get returned, as it is: put takes it back."""
    return value


PORT = (
    Method("get", (), "Lend an object; wait at the bound.", read=lent, refuses=True),
    Method(
        "put",
        ("lent",),
        "Take back what get returned, after a reset.",
        takes="get",
        takes_again="checked",
        refuses=True,
    ),
    Method("put_none", (), "Put None.", capability="none"),
    Method(
        "put_stranger",
        (),
        "Put an object that the pool did not make; it must be refused.",
        capability="checked",
        refuses=True,
    ),
    Method(
        "use",
        ("task",),
        "Lend an object to task(object) for as long as that runs, and return its value.",
        capability="scoped",
        functions={"task": Shape.EACH},
        refuses=True,
    ),
    Method("trim", (), "Drop the idle objects.", capability="trim", is_async=False),
    Method("close", (), "Refuse every get from now on, and drop what is idle.", capability="close"),
)

OBJECT_POOL = Pattern(
    name="object_pool",
    title="Object pool: lent, reset and lent again",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            checked={"UN-07"},
            untested={
                "UN-11": "the pool is there to keep objects; OP-09 checks that trim drops them"
            },
        ),
    ),
    port=PORT,
    constructor={"bound": (2, 1, None)},
    functions={"make": Shape.PLAIN, "reset": Shape.EACH},
    capabilities={
        "none": "put_none: putting None is ignored",
        "reset": "runs the reset hook",
        "checked": "refuses what it did not lend, and what was put already",
        "trim": "trim drops the idle objects",
        "bound": "can be bounded",
        "scoped": "use: the object comes back by itself",
        "close": "can be closed",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={"fifo": ("yes", "no")},
    model=lambda adapter, made: ObjectPool(adapter, made["bound"]),
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    cancels=lambda _: True,
    constructs=lambda adapter, _, value: value is None or "bound" not in adapter.lacks,
)
