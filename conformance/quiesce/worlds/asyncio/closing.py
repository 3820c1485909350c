"""The last resort of a closing asyncio world: to leave behind what would not end."""

from __future__ import annotations

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
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch, not in typeshed
        make_immortal((task, task.get_coro()))
    with silence():  # what was to begin later complains that it never did
        make_immortal(job for job in jobs if not job.kill())
        loop.drop_everything()
