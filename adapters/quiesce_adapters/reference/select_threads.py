"""Select of the reference, for threads."""

from random import Random

import quiesce
from quiesce_reference.threads import (
    Channel,
    ChannelClosedError,
    Receive,
    Send,
    select,
)

Cases = tuple[tuple[str, str], ...]
Received = tuple[bool, int | None]


@quiesce.adapter(
    "select",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.select",
)
class TwoChannels:
    """``select`` over ``Channel``."""

    def __init__(self, capacity: int) -> None:
        self._channels = {name: Channel[int](capacity) for name in "ab"}
        self._chance = Random(0)

    def select(
        self, cases: Cases, item: int, default: bool, timeout: int | None
    ) -> str | tuple[int, Received | None]:
        made = (
            Send(self._channels[name], item) if kind == "send" else Receive(self._channels[name])
            for kind, name in cases
        )
        done = select(*made, default=default, timeout=timeout, chance=self._chance)
        if done is None:
            return "default" if default else "timeout"
        kind, _ = cases[done.index]
        return done.index, None if kind == "send" else (not done.is_closed, done.value)

    def send(self, channel: str, item: int) -> None:
        self._channels[channel].send(item)

    def receive(self, channel: str) -> Received:
        try:
            return True, self._channels[channel].receive()
        except ChannelClosedError:
            return False, None

    def close(self, channel: str) -> None:
        self._channels[channel].close()

    def shift(self, item: int) -> tuple[bool, Received | None]:
        sent = self.select((("send", "b"),), item, True, None) != "default"
        found = self.select((("receive", "a"),), item, True, None)
        return sent, None if isinstance(found, str) else found[1]

    def tally(self, rounds: int) -> list[int]:
        other, counts = TwoChannels(1), [0, 0]
        other.send("a", 0)
        other.send("b", 0)
        for _ in range(rounds):
            chosen = other.select((("receive", "a"), ("receive", "b")), 0, False, None)
            counts[int(chosen[0])] += 1
            other.send("ab"[int(chosen[0])], 0)
        return counts
