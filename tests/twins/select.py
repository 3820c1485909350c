"""Known-bad selects: each a good one with a single planted defect.

The good ones come first, for asyncio and for threads, over one core without any waiting. Their
seams are the methods that twins replace.
"""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import quiesce

PATTERN = "select"
AIO: Any = {"world": "asyncio"}
THREADS: Any = {"world": "threads"}

Case = tuple[str, str]
Cases = tuple[Case, ...]
BOTH: Cases = (("receive", "a"), ("receive", "b"))
LATE: Any = object()


class Closed(Exception):
    """The channel is closed."""


class Party:
    """A call: what it may do, and what it did."""

    def __init__(self, cases: Cases, item: Any, woken: Any) -> None:
        self.cases = cases
        self.item = item
        self.woken = woken  # called once it is met
        self.met = False
        self.refused = False
        self.result: Any = None

    def meet(self, index: int, answer: Any, *, refused: bool = False) -> None:
        self.met, self.result, self.refused = True, (index, answer), refused
        self.woken()

    def answer(self) -> Any:
        if self.refused:
            raise Closed
        return self.result


class Core:
    """Two channels, and the calls that wait on them."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.buffers: dict[str, list[Any]] = {"a": [], "b": []}
        self.closed: set[str] = set()
        self.waiting: list[Party] = []
        self.chance = random.Random(0)

    def order(self, party: Party) -> list[int]:
        return self.chance.sample(range(len(party.cases)), len(party.cases))

    def attempt(self, party: Party) -> bool:
        return any(self.perform(party, index) for index in self.order(party))

    def perform(self, party: Party, index: int) -> bool:
        kind, channel = party.cases[index]
        return (
            self.put(party, index, channel) if kind == "send" else self.get(party, index, channel)
        )

    def put(self, party: Party, index: int, channel: str) -> bool:
        if channel in self.closed:
            party.meet(index, None, refused=True)
        elif partner := self.partner(("receive", channel)):
            self.meet(partner, ("receive", channel), (True, party.item))
            party.meet(index, None)
        elif len(self.buffers[channel]) < self.capacity:
            self.buffers[channel].append(party.item)
            party.meet(index, None)
        else:
            return False
        return True

    def get(self, party: Party, index: int, channel: str) -> bool:
        buffer = self.buffers[channel]
        if partner := self.partner(("send", channel)):
            buffer.append(partner.item)
            self.meet(partner, ("send", channel), None)
        if buffer:
            party.meet(index, (True, buffer.pop(0)))
        elif channel in self.closed:
            party.meet(index, (False, None))
        else:
            return False
        return True

    def partner(self, case: Case) -> Party | None:
        return next((party for party in self.waiting if case in party.cases), None)

    def meet(self, party: Party, case: Case, answer: Any, *, refused: bool = False) -> None:
        self.waiting.remove(party)
        party.meet(party.cases.index(case), answer, refused=refused)

    def close(self, channel: str) -> None:
        if channel in self.closed:
            raise Closed
        self.closed.add(channel)
        while party := self.partner(("receive", channel)):
            self.meet(party, ("receive", channel), (False, None))
        while party := self.partner(("send", channel)):
            self.meet(party, ("send", channel), None, refused=True)


@quiesce.adapter(PATTERN, name="ch_good_select_asyncio", **AIO)
class AioSelect:
    def __init__(self, capacity: int) -> None:
        self.core = self.make(capacity)

    def make(self, capacity: int) -> Core:
        return Core(capacity)

    async def select(self, cases: Cases, item: Any, default: bool, timeout: int | None) -> Any:
        future = asyncio.get_running_loop().create_future()

        def woken() -> None:
            if not future.done():
                future.set_result(None)

        party = Party(cases, item, woken)
        if self.enter(party, default):
            return "default"
        seconds = None if timeout is None else timeout / 1e9
        try:
            await self.wait(future, seconds)
        except TimeoutError:
            self.leave(party)
            return "timeout"
        except asyncio.CancelledError:
            self.cancelled(party)
            if party.met:
                return party.answer()
            raise
        return party.answer()

    def enter(self, party: Party, default: bool) -> bool:
        if self.core.attempt(party):
            return False
        if not default:
            self.core.waiting.append(party)
        return default

    async def wait(self, future: asyncio.Future[None], seconds: float | None) -> None:
        async with asyncio.timeout(seconds):
            await future

    def leave(self, party: Party) -> None:
        self.core.waiting.remove(party)

    def cancelled(self, party: Party) -> None:
        if party in self.core.waiting:
            self.core.waiting.remove(party)

    async def send(self, channel: str, item: Any) -> None:
        await self.select((("send", channel),), item, False, None)

    async def receive(self, channel: str) -> Any:
        return (await self.select((("receive", channel),), None, False, None))[1]

    async def close(self, channel: str) -> None:
        self.core.close(channel)

    async def shift(self, item: Any) -> Any:
        sent = await self.select((("send", "b"),), item, True, None) != "default"
        found = await self.select((("receive", "a"),), None, True, None)
        return sent, None if found == "default" else found[1]

    async def tally(self, rounds: int) -> list[int]:
        other, counts = type(self)(1), [0, 0]
        await other.send("a", 0)
        await other.send("b", 0)
        for _ in range(rounds):
            index, _ = await other.select(BOTH, None, False, None)
            counts[index] += 1
            await other.send("ab"[index], 0)
        return counts


class InOrder(Core):
    def order(self, party: Party) -> list[int]:
        return list(range(len(party.cases)))


@quiesce.adapter(PATTERN, name="ch_select_first_only", **AIO)
class SelectFirstOnly(AioSelect):
    def make(self, capacity: int) -> Core:
        return InOrder(capacity)


class Greedy(Core):
    def attempt(self, party: Party) -> bool:
        ready = [index for index in self.order(party) if self.perform(party, index)]
        return bool(ready)


@quiesce.adapter(PATTERN, name="ch_select_takes_two", **AIO)
class SelectTakesTwo(AioSelect):
    def make(self, capacity: int) -> Core:
        return Greedy(capacity)


@quiesce.adapter(PATTERN, name="ch_select_ignores_the_timeout", **AIO)
class SelectIgnoresTheTimeout(AioSelect):
    async def wait(self, future: asyncio.Future[None], seconds: float | None) -> None:
        await future


@quiesce.adapter(PATTERN, name="ch_select_meets_itself", **AIO)
class SelectMeetsItself(AioSelect):
    def enter(self, party: Party, default: bool) -> bool:
        is_in_line = super().enter(party, default)
        if party in self.core.waiting and self.core.attempt(party):
            self.leave(party)
        return is_in_line

    def leave(self, party: Party) -> None:
        if party in self.core.waiting:
            super().leave(party)


@quiesce.adapter(PATTERN, name="ch_select_stays_in_line", **AIO)
class SelectStaysInLine(AioSelect):
    def leave(self, party: Party) -> None:
        pass

    def cancelled(self, party: Party) -> None:
        pass


@quiesce.adapter(PATTERN, name="ch_good_select_threads", **THREADS)
class ThreadSelect:
    def __init__(self, capacity: int) -> None:
        self.core = Core(capacity)
        self.changed = threading.Condition()

    def select(self, cases: Cases, item: Any, default: bool, timeout: int | None) -> Any:
        party = Party(cases, item, lambda: None)
        if self.attempt(party):
            return party.answer()
        if default:
            return "default"
        with self.changed:
            if not self.core.attempt(party):
                self.core.waiting.append(party)
                seconds = None if timeout is None else timeout / 1e9
                if not self.changed.wait_for(lambda: party.met, seconds):
                    self.core.waiting.remove(party)
                    return "timeout"
            self.changed.notify_all()
            return party.answer()

    def attempt(self, party: Party) -> bool:
        with self.changed:
            met = self.core.attempt(party)
            self.changed.notify_all()
            return met

    def send(self, channel: str, item: Any) -> None:
        self.select((("send", channel),), item, False, None)

    def receive(self, channel: str) -> Any:
        return self.select((("receive", channel),), None, False, None)[1]

    def close(self, channel: str) -> None:
        with self.changed:
            self.core.close(channel)
            self.changed.notify_all()

    def shift(self, item: Any) -> Any:
        sent = self.select((("send", "b"),), item, True, None) != "default"
        found = self.select((("receive", "a"),), None, True, None)
        return sent, None if found == "default" else found[1]

    def tally(self, rounds: int) -> list[int]:
        other, counts = type(self)(1), [0, 0]
        other.send("a", 0)
        other.send("b", 0)
        for _ in range(rounds):
            index, _ = other.select(BOTH, None, False, None)
            counts[index] += 1
            other.send("ab"[index], 0)
        return counts


@quiesce.adapter(PATTERN, name="ch_select_default_race", **THREADS)
class SelectDefaultRace(ThreadSelect):
    def attempt(self, party: Party) -> bool:
        for index in self.core.order(party):
            with self.changed:
                if self.core.perform(party, index):
                    self.changed.notify_all()
                    return True
        return False


@quiesce.adapter(PATTERN, name="ch_select_close_wakes_one", **THREADS)
class SelectCloseWakesOne(ThreadSelect):
    def close(self, channel: str) -> None:
        with self.changed:
            self.core.close(channel)
            self.changed.notify()
