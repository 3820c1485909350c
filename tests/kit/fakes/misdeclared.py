"""Adapters that are declared wrongly."""

from __future__ import annotations

from quiesce.adapters import adapter


@adapter("singleflight", world="asyncio", name="no_method", lacks=("shared", "future", "forget"))
class NoMethod:
    pass


@adapter("singleflight", world="asyncio", name="sync", lacks=("shared", "future", "forget"))
class Synchronous:
    def do(self, key: object, work: object) -> object:
        return work
