"""The trio world: coroutines in ``trio.run``, parked by a clock of our own."""

from quiesce.worlds.trio.factory import TrioWorldFactory
from quiesce.worlds.trio.world import TrioWorld

__all__ = ["TrioWorld", "TrioWorldFactory"]
