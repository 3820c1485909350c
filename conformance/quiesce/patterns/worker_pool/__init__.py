"""Worker pool: a fixed number of workers run the jobs that callers submit.

At most so many jobs run at once; as many more wait in the queue as it has places, and then
submitters wait: back-pressure. Each job runs once and its outcome goes to whoever asks for it,
errors included; a failing job costs the pool nothing, or cancels the rest, as declared. A
closed pool finishes what it accepted, and waiting returns after that. A cancelled pool drops
what is queued.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal
from quiesce.patterns.worker_pool.clauses import CLAUSES
from quiesce.patterns.worker_pool.model import WorkerPool
from quiesce.patterns.worker_pool.scenarios import PROBE, RELEASE, SCENARIOS, STIMULI, UNBLOCK

if TYPE_CHECKING:
    from quiesce.adapters import Adapter

__all__ = ["WORKER_POOL"]

PORT = (
    Method(
        "submit",
        ("work",),
        "Wait for room, hand over a job, and return what result and cancel_job take; raise once "
        "the pool is closed.",
        refuses=True,
        read=lambda _: "accepted",
    ),
    Method(
        "try_submit",
        ("work",),
        "The same without waiting: raise if there is no room.",
        capability="try_submit",
        refuses=True,
        read=lambda _: "taken",
    ),
    Method(
        "result",
        ("job",),
        "Wait for the end of a job and return its value, or raise its error; raise an error of "
        "the adapter's or the library's own if the job was cancelled.",
        takes="submit",
        refuses=True,
    ),
    Method(
        "cancel_job",
        ("job",),
        "Cancel a job unless it is too late; return True if it is or was cancelled.",
        capability="cancel_job",
        takes="submit",
    ),
    Method(
        "close",
        (),
        "Accept no more jobs, and return at once.",
        refuses=True,
        read=lambda _: "closed",
    ),
    Method(
        "join",
        (),
        "Close, and return when every accepted job has ended; raise the first job's error if "
        "that cancels the rest.",
        refuses=True,
        read=lambda _: "joined",
    ),
    Method(
        "cancel",
        (),
        "Accept no more jobs, drop those that are queued, tell those that run if jobs can be "
        "told, and return at once.",
        capability="cancel",
        refuses=True,
        read=lambda _: "cancelled",
    ),
    Method(
        "build",
        ("workers",),
        "Make another pool with so many workers and forget it; raise if that can't be.",
        refuses=True,
        read=lambda _: "built",
    ),
)


def constructs(adapter: Adapter, name: str, value: Any) -> bool:
    """Whether the adapter's pool can have such a queue."""
    if name != "queue":
        return True
    if value is None:
        return "unbounded" not in adapter.lacks
    return not adapter.lacks & {"bounded", "places" if value else "rendezvous"}


WORKER_POOL = Pattern(
    name="worker_pool",
    title="Worker pool: a fixed number of workers run the jobs that callers submit",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *universal(checked={"UN-02", "UN-07", "UN-11"})),
    port=PORT,
    constructor={"workers": (1, 2), "queue": (1, 0, 2, None)},
    capabilities={
        "bounded": "queue may be a number: no more jobs come in than there are places",
        "places": "queue may be 1 or more: places for jobs that wait",
        "rendezvous": "queue may be 0: a job is accepted when a worker is free",
        "unbounded": "queue may be None: any number of jobs may wait",
        "try_submit": "try_submit",
        "cancel_job": "cancel_job",
        "cancel": "cancel: the whole pool",
        "submit_inside": "a job may submit to its own pool",
        "panic": "a BaseException of a job is its outcome",
        "stop": "its workers can be stopped",
        "release": "jobs and outcomes are dropped when nobody asks for them any more",
    },
    dialects={
        "fifo": ("yes", "no"),
        "on_failure": ("continue", "cancel_rest"),
        "cancel_running": ("runs_on", "interrupted"),
    },
    model=WorkerPool,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    release=(RELEASE, "UN-11 a job or its outcome is kept after its end"),
    constructs=constructs,
)
