"""The ticker of the reference, for threads."""

import quiesce
from quiesce_reference.threads import Ticker

PACKAGES = ["quiesce_reference"]


@quiesce.adapter("ticker", world="threads", packages=PACKAGES, name="reference.Ticker")
class Ticks:
    """``Ticker``."""

    def __init__(self, period: int) -> None:
        self._ticker = Ticker(period)

    def receive(self) -> int:
        return self._ticker.receive()

    def stop(self) -> None:
        self._ticker.stop()

    def reset(self, period: int) -> None:
        self._ticker.reset(period)

    def make(self, period: int) -> None:
        Ticker(period).stop()
