"""The asyncio world: coroutines on a virtual-time loop, one executed handle a step."""

from quiesce.worlds.asyncio.factory import AsyncioWorldFactory
from quiesce.worlds.asyncio.world import AsyncioWorld

__all__ = ["AsyncioWorld", "AsyncioWorldFactory"]
