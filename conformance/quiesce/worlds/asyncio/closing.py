"""The last resort of a closing world: to drop tasks that would not end, without noise.

The interpreter reports a dropped task three times over: "was destroyed but it is pending",
"was never awaited", "coroutine ignored GeneratorExit". The world names it once, in
what ``close`` returns, so here the reports are silenced.
"""

from __future__ import annotations

import atexit
import gc
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Iterator

    from quiesce.worlds.asyncio.jobs import Job
    from quiesce.worlds.asyncio.loop import VirtualLoop

__all__ = ["abandon"]

#: How often a coroutine is asked to close: once for each ``await`` in its ``finally`` blocks.
CLOSE_ATTEMPTS: Final = 10

# Coroutines that refuse to end. Dropping one runs it once more, at a time nobody chose.
_immortal: Final[list[object]] = []


def abandon(loop: VirtualLoop, tasks: Iterable[asyncio.Task[Any]], jobs: Iterable[Job]) -> None:
    """Drop tasks, jobs and everything scheduled on the loop."""
    with _silence():
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch, not in typeshed
            if not _close(task.get_coro()):
                _keep(task)
        for job in jobs:
            if not job.kill():
                _keep(job)
        loop.drop_everything()
        gc.collect()


def _close(coroutine: Any) -> bool:
    for _ in range(CLOSE_ATTEMPTS):
        try:
            coroutine.close()
        except RuntimeError:
            continue  # it waits for something again
        except BaseException:
            return True  # it ended by an error of its own
        return True
    return False


def _keep(obstinate: object) -> None:
    if not _immortal:
        atexit.register(_silence_for_good)
    _immortal.append(obstinate)


def _silence_for_good() -> None:
    sys.unraisablehook = lambda _: None


@contextmanager
def _silence() -> Iterator[None]:
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.unraisablehook = hook
