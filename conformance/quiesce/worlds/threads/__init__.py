"""The thread world: the code under test runs on simulated threads, locks and clocks.

Read ``core`` first (tasks and choices), then ``primitives`` and ``clocks`` (what the code
under test calls), ``overlay`` and ``standard`` (how it comes to call them) and ``points``
(where else it may be preempted). ``world`` and ``factory`` are the face.
"""

from __future__ import annotations

from quiesce.worlds.threads.factory import ThreadWorldFactory
from quiesce.worlds.threads.points import Points
from quiesce.worlds.threads.world import ThreadWorld

__all__ = ["Points", "ThreadWorld", "ThreadWorldFactory"]
