"""Channel of the reference, for threads."""

import quiesce
from quiesce_reference.threads import Channel, ChannelClosedError, WouldBlockError


@quiesce.adapter(
    "channel",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.Channel",
    lacks={"unbounded", "close_now", "join", "ends"},
    dialect={"handover": "direct", "close_twice": "error", "ends": "one"},
)
class Buffered:
    """``Channel``."""

    def __init__(self, capacity: int) -> None:
        self._channel = Channel[int](capacity)

    def send(self, item: int) -> None:
        self._channel.send(item)

    def receive(self) -> tuple[bool, int | None]:
        try:
            return True, self._channel.receive()
        except ChannelClosedError:
            return False, None

    def try_send(self, item: int) -> bool:
        try:
            self._channel.try_send(item)
        except WouldBlockError:
            return False
        return True

    def try_receive(self) -> tuple[bool, int | None] | None:
        try:
            return True, self._channel.try_receive()
        except WouldBlockError:
            return None
        except ChannelClosedError:
            return False, None

    def close(self) -> None:
        self._channel.close()

    def occupancy(self) -> tuple[int, int]:
        return len(self._channel), self._channel.capacity

    def iterate(self) -> list[int]:
        return list(self._channel)
