"""The last resort of a closing world: to drop tasks that would not end, without noise.

The interpreter reports a dropped task three times over: "was destroyed but it is pending",
"was never awaited", "coroutine ignored GeneratorExit". The world names it once, in
what ``close`` returns, so here the reports are silenced.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from quiesce.worlds.closing import make_immortal, silence

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from quiesce.worlds.asyncio.jobs import Job
    from quiesce.worlds.asyncio.loop import VirtualLoop

__all__ = ["abandon"]


def abandon(loop: VirtualLoop, tasks: Iterable[asyncio.Task[Any]], jobs: Iterable[Job]) -> None:
    """Drop tasks, jobs and everything scheduled on the loop."""
    with silence():
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch, not in typeshed
            make_immortal((task, task.get_coro()))
        make_immortal(job for job in jobs if not job.kill())
        loop.drop_everything()
        gc.collect()
