"""Cells that do not end well."""

from __future__ import annotations

from quiesce.adapters import adapter
from quiesce_fakes.calm import LACKS, Asynchronous


@adapter("singleflight", world="asyncio", name="hostile.dies", lacks=LACKS)
class Dies(Asynchronous):
    pass


@adapter("singleflight", world="asyncio", name="hostile.exits", lacks=LACKS)
class Exits(Asynchronous):
    pass


@adapter("singleflight", world="asyncio", name="hostile.interrupts", lacks=LACKS)
class Interrupts(Asynchronous):
    pass


@adapter("singleflight", world="asyncio", name="hostile.raises", lacks=LACKS)
class Raises(Asynchronous):
    pass


@adapter("singleflight", world="asyncio", name="hostile.misfit", lacks=LACKS)
class Misfit(Asynchronous):
    pass
