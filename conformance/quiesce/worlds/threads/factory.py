"""The factory of thread worlds: everything costly is done here, once."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, final

from quiesce.errors import ConfigurationError, HangError, HarnessError
from quiesce.worlds.threads.choices import Choices
from quiesce.worlds.threads.core import Core
from quiesce.worlds.threads.interrupts import interrupts, running
from quiesce.worlds.threads.overlay import Overlay
from quiesce.worlds.threads.points import Points
from quiesce.worlds.threads.stacks import is_own_frame
from quiesce.worlds.threads.standard import Standard
from quiesce.worlds.threads.world import ThreadWorld
from quiesce.worlds.watchdog import Watch, watchdog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, FrameType

    from quiesce.schedulers.scheduler import Scheduler
    from quiesce.worlds.threads.points import Watcher
    from quiesce.worlds.world import CancelKind

__all__ = ["ThreadWorldFactory"]


@final
class ThreadWorldFactory:
    """Makes thread worlds over one loaded set of packages.

    Args:
      points: where a thread may be preempted.
      packages: names of top-level packages, or of modules with dots, to import again over the
        simulated standard library and to watch. The module given to ``load`` is one by itself.
      step_limit: choices at one instant, for each live task, after which the run has to be
        spinning; and looks at a frozen clock by a task when nothing else can run.
      late_sleeps: by how much a sleep may oversleep, in nanoseconds; each is a choice of
        data that the scheduler makes for each sleep. An OS promises no upper bound, so such a
        run is a legal one. None by default.
      hang_limit_s: real seconds without a sign of life after which a task counts as hanging.

    A scheduler's ``begin`` and ``end`` are called by whoever runs the search, not by a world.
    From the first ``open`` to ``shut`` the factory holds the process's alarm signal and, if
    nobody else handles it, its interrupt signal; on the main thread only.
    """

    name = "threads"
    is_async = False
    cancel_kinds: tuple[CancelKind, ...] = ()

    def __init__(
        self,
        *,
        points: Points = Points.GIL,
        packages: Sequence[str] = (),
        step_limit: int = 10_000,
        late_sleeps: Sequence[int] = (),
        hang_limit_s: float = 5.0,
    ) -> None:
        self.points = points
        self._core = Core(Choices(step_limit))
        self._standard = Standard(self._core, tuple(late_sleeps))
        self._watcher = _make_watcher(self._core, points)
        self._overlay = Overlay(
            self._core,
            tuple(packages),
            self._standard.simulated,
            self._standard.on_demand,
            self._standard.adjust,
            self._instrument,
        )
        self._open: ThreadWorld | None = None
        self._signals = ExitStack()
        self._has_signals = False
        self._watch = _Watch(
            limit_s=hang_limit_s,
            progress=self._core.progress,
            describe=self._running_task,
            hung=self._stop_hanging,
        )

    def load(self, module: str, qualname: str) -> type:
        """Import a class and its packages over the simulated standard library.

        A second call gives the same class; module-level state lives as long as the factory.

        Raises:
          ConfigurationError: the module or the class can't be found again.
        """
        found: object = self._overlay.load(module)
        for part in qualname.split("."):
            if part == "<locals>":
                raise ConfigurationError(
                    f"{module}.{qualname} is defined in a function, so it can't be imported "
                    "again for the thread world: define it at the top of its module"
                )
            found = getattr(found, part, None)
        if not isinstance(found, type):
            raise ConfigurationError(f"{module} has no class {qualname} when it is imported again")
        return found

    def open(self, scheduler: Scheduler | None = None) -> ThreadWorld:
        """Begin a run.

        Args:
          scheduler: has begun its execution; None is run-until-blocked.

        Raises:
          HarnessError: the last world is still open.
        """
        if self._open is not None:
            raise HarnessError("a world of this factory is still open: close it first")
        if not self._has_signals:
            self._has_signals = True
            self._signals.enter_context(watchdog(self._watch))
            self._signals.enter_context(interrupts())
        self._standard.begin()
        self._core.begin(scheduler)
        self._open = world = ThreadWorld(self._core, self._enter, self._leave, self._close)
        return world

    def shut(self) -> None:
        """Close the open world, stop watching code and give the signals back."""
        if self._open is not None:
            self._open.close()
        self._core.shut()
        if self._watcher is not None:
            self._watcher.shut()
        self._signals.close()
        self._has_signals = False

    def _instrument(self, code: CodeType) -> None:
        if self._watcher is not None:
            self._watcher.instrument(code)

    def _enter(self) -> None:
        self._overlay.enter()
        if self._watcher is not None:
            self._watcher.enter()
        self._watch.running = True
        running.append(self._core)

    def _leave(self) -> None:
        running.pop()
        self._watch.running = False
        if self._watcher is not None:
            self._watcher.leave()
        self._overlay.leave()

    def _close(self) -> None:
        self._standard.end()
        self._open = None

    def _running_task(self) -> str:
        task = self._core.current
        return "the world" if task is None else task.name()

    def _stop_hanging(self, error: HangError) -> None:
        self._core.halt(error, traced=True)  # the signal may have come inside a callback of ours


@final
class _Watch(Watch):
    """Blames the code under test for a hang, also while a callback of ours is at work on it."""

    def tick(self, frame: FrameType | None) -> None:
        """Judge the step at work."""
        while frame is not None and is_own_frame(frame):
            frame = frame.f_back
        super().tick(frame)


def _make_watcher(core: Core, points: Points) -> Watcher | None:
    if points is Points.OPERATIONS:
        return None
    if sys.version_info >= (3, 12):
        from quiesce.worlds.threads.monitoring import MonitoredCode

        return MonitoredCode(core, points)
    from quiesce.worlds.threads.tracing import TracedCode

    return TracedCode(core, points)
