"""Known-bad channels: each a good one with a single planted defect.

The good ones come first: with direct hand-over, with two ends, with a barging queue, and for
threads. Their seams are the methods that twins replace.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any

import quiesce

PATTERN = "channel"
LACKS = {"unbounded", "close_now", "join", "ends"}
DIRECT: Any = {
    "world": "asyncio",
    "lacks": LACKS,
    "dialect": {"handover": "direct", "close_twice": "error"},
}
ENDS: Any = {
    "world": "asyncio",
    "lacks": LACKS - {"ends"},
    "dialect": {"handover": "direct", "close_twice": "noop", "ends": "two"},
}
QUEUE: Any = {
    "world": "asyncio",
    "lacks": {"rendezvous", "iterate", "ends"},
    "dialect": {"handover": "barging", "close_twice": "noop"},
}
STEALS = {"handover": "direct", "close_twice": "noop"}
THREADS: Any = {
    "world": "threads",
    "lacks": {"rendezvous", "unbounded", "iterate", "close_now", "join", "ends"},
    "dialect": {"handover": "barging", "close_twice": "noop"},
}

Received = tuple[bool, Any]
END: Received = (False, None)


class Closed(Exception):
    """The channel is closed."""


class Waiter:
    """A blocked send with its item, or a blocked receive."""

    def __init__(self, item: Any = None, end: Any = None) -> None:
        self.item = item
        self.end = end
        self.done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def wait(self) -> Any:
        try:
            return await asyncio.shield(self.done)
        except asyncio.CancelledError:
            if not self.done.done():
                raise
            self.cancel_again()
            return self.done.result()  # the value has passed

    def cancel_again(self) -> None:
        task = asyncio.current_task()
        assert task is not None

        def cancel() -> None:
            if task.cancelling():
                task.uncancel()
                task.cancel()

        asyncio.get_running_loop().call_soon(cancel)


@quiesce.adapter(PATTERN, name="ch_good_direct", **DIRECT)
class Direct:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.buffer: deque[Any] = deque()
        self.senders: deque[Waiter] = deque()
        self.receivers: deque[Waiter] = deque()
        self.closed = False

    async def send(self, item: Any) -> Any:
        if self.send_now(item):
            return None
        return await self.blocked(self.senders, Waiter(item))

    async def receive(self) -> Received:
        found = self.receive_now()
        if found is not None:
            return found
        result: Received = await self.blocked(self.receivers, Waiter())
        return result

    async def try_send(self, item: Any) -> bool:
        return self.send_now(item)

    async def try_receive(self) -> Received | None:
        return self.receive_now()

    async def close(self) -> None:
        if self.closed:
            return self.close_again()
        self.closed = True
        self.release_receivers()
        self.release_senders()
        return None

    async def occupancy(self) -> tuple[int, int]:
        return len(self.buffer), self.capacity

    async def iterate(self) -> list[Any]:
        items: list[Any] = []
        while True:
            more, item = await self.receive()
            if not more:
                return items
            items.append(item)

    async def blocked(self, queue: deque[Waiter], waiter: Waiter) -> Any:
        queue.append(waiter)
        try:
            return await waiter.wait()
        except asyncio.CancelledError:
            self.cancelled(queue, waiter)
            raise

    def cancelled(self, queue: deque[Waiter], waiter: Waiter) -> None:
        queue.remove(waiter)

    def close_again(self) -> None:
        raise Closed

    def release_receivers(self) -> None:
        while self.receivers:
            self.receivers.popleft().done.set_result(END)

    def release_senders(self) -> None:
        while self.senders:
            self.senders.popleft().done.set_exception(Closed())

    def send_now(self, item: Any) -> bool:
        if self.closed:
            return self.send_closed()
        if self.receivers:
            self.receivers.popleft().done.set_result((True, item))
        elif self.has_room():
            self.enter(item)
        else:
            return False
        return True

    def send_closed(self) -> bool:
        raise Closed

    def has_room(self) -> bool:
        return len(self.buffer) < self.capacity

    def enter(self, item: Any) -> None:
        self.buffer.append(item)

    def receive_now(self) -> Received | None:
        if self.buffer:
            item = self.take()
            self.refill()
            return True, item
        if self.senders:
            sender = self.senders.popleft()
            sender.done.set_result(None)
            return True, sender.item
        return self.receive_nothing()

    def take(self) -> Any:
        return self.buffer.popleft()

    def refill(self) -> None:
        if self.senders:
            sender = self.senders.popleft()
            self.buffer.append(sender.item)
            sender.done.set_result(None)

    def receive_nothing(self) -> Received | None:
        return END if self.closed else None


@quiesce.adapter(PATTERN, name="ch_hidden_slot", **DIRECT)
class HiddenSlot(Direct):
    def has_room(self) -> bool:
        return len(self.buffer) < max(1, self.capacity)


@quiesce.adapter(PATTERN, name="ch_cap_plus_one", **DIRECT)
class CapPlusOne(Direct):
    def has_room(self) -> bool:
        return 0 < self.capacity >= len(self.buffer)


@quiesce.adapter(PATTERN, name="ch_lifo", **DIRECT)
class Lifo(Direct):
    def take(self) -> Any:
        return self.buffer.pop()


@quiesce.adapter(PATTERN, name="ch_double_delivery", **DIRECT)
class DoubleDelivery(Direct):
    def send_now(self, item: Any) -> bool:
        if len(self.receivers) > 1:
            self.receivers.popleft().done.set_result((True, item))
        return super().send_now(item)


@quiesce.adapter(PATTERN, name="ch_close_drops_buffer", **DIRECT)
class CloseDropsBuffer(Direct):
    def release_receivers(self) -> None:
        super().release_receivers()
        self.buffer.clear()


@quiesce.adapter(PATTERN, name="ch_recv_blocks_after_close", **DIRECT)
class ReceiveBlocksAfterClose(Direct):
    def receive_nothing(self) -> Received | None:
        return None


@quiesce.adapter(PATTERN, name="ch_close_wakes_one", **DIRECT)
class CloseWakesOne(Direct):
    def release_receivers(self) -> None:
        if self.receivers:
            self.receivers.popleft().done.set_result(END)


@quiesce.adapter(PATTERN, name="ch_send_after_close_silent", **DIRECT)
class SendAfterCloseSilent(Direct):
    def send_closed(self) -> bool:
        return True


@quiesce.adapter(PATTERN, name="ch_close_forgets_senders", **DIRECT)
class CloseForgetsSenders(Direct):
    def release_senders(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="ch_second_close_passes", **DIRECT)
class SecondClosePasses(Direct):
    def close_again(self) -> None:
        pass


@quiesce.adapter(PATTERN, name="ch_length_is_zero_after_close", **DIRECT)
class LengthIsZeroAfterClose(Direct):
    async def occupancy(self) -> tuple[int, int]:
        return 0 if self.closed else len(self.buffer), self.capacity


@quiesce.adapter(PATTERN, name="ch_lost_on_cancelled_receive", **DIRECT)
class LostOnCancelledReceive(Direct):
    async def receive(self) -> Received:
        found = self.receive_now()
        if found is None:
            waiter = Waiter()
            self.receivers.append(waiter)
            try:
                found = await asyncio.shield(waiter.done)
            except asyncio.CancelledError:
                if waiter in self.receivers:
                    self.receivers.remove(waiter)
                raise
        assert found is not None
        return found


@quiesce.adapter(PATTERN, name="ch_duplicate_on_cancelled_send", **DIRECT)
class DuplicateOnCancelledSend(Direct):
    def cancelled(self, queue: deque[Waiter], waiter: Waiter) -> None:
        if queue is not self.senders:
            super().cancelled(queue, waiter)


@quiesce.adapter(PATTERN, name="ch_overflow_on_requeue", **DIRECT)
class OverflowOnRequeue(Direct):
    async def receive(self) -> Received:
        found = self.receive_now()
        if found is not None:
            return found
        if not self.capacity:
            return await super().receive()
        waiter = Waiter()
        self.receivers.append(waiter)
        try:
            found = await asyncio.shield(waiter.done)
        except asyncio.CancelledError:
            if waiter in self.receivers:
                self.receivers.remove(waiter)
            elif waiter.done.result() != END:
                self.put_back(waiter.done.result())
            raise
        assert found is not None
        return found

    def put_back(self, found: Received) -> None:
        if self.receivers:
            self.receivers.popleft().done.set_result(found)
        else:
            self.buffer.appendleft(found[1])


@quiesce.adapter(PATTERN, name="ch_receive_frees_two", **DIRECT)
class ReceiveFreesTwo(Direct):
    def refill(self) -> None:
        super().refill()
        super().refill()


@quiesce.adapter(PATTERN, name="ch_iteration_ends_when_empty", **DIRECT)
class IterationEndsWhenEmpty(Direct):
    async def iterate(self) -> list[Any]:
        items: list[Any] = []
        while (found := self.receive_now()) not in (None, END):
            assert found is not None
            items.append(found[1])
        return items


@quiesce.adapter(PATTERN, name="ch_second_close_drops_buffer", **DIRECT)
class SecondCloseDropsBuffer(Direct):
    def close_again(self) -> None:
        self.buffer.clear()
        raise Closed


class End:
    """A clone of one end."""

    def __init__(self, channel: Ends) -> None:
        self.channel = channel

    async def send_by_clone(self, item: Any) -> Any:
        return await self.channel.send_by(self, item)

    async def receive_by_clone(self) -> Received:
        return await self.channel.receive_by(self)

    async def close_sender_clone(self) -> None:
        self.channel.close_send_end(self)

    async def close_receiver_clone(self) -> None:
        self.channel.close_receive_end(self)


@quiesce.adapter(PATTERN, name="ch_good_ends", **ENDS)
class Ends(Direct):
    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.main = End(self)
        self.send_ends = {self.main}
        self.receive_ends = {self.main}

    async def send_by(self, end: End, item: Any) -> Any:
        if end not in self.send_ends:
            raise Closed
        if not self.receive_ends:
            return self.broken()
        if self.send_now(item):
            return None
        return await self.blocked(self.senders, Waiter(item, end))

    async def receive_by(self, end: End) -> Received:
        if end not in self.receive_ends:
            raise Closed
        found = self.receive_now()
        if found is None:
            found = await self.blocked(self.receivers, Waiter(None, end))
        assert found is not None
        return found

    async def send(self, item: Any) -> Any:
        return await self.send_by(self.main, item)

    async def receive(self) -> Received:
        return await self.receive_by(self.main)

    async def try_send(self, item: Any) -> bool:
        if self.main not in self.send_ends or not self.receive_ends:
            raise Closed
        return self.send_now(item)

    async def try_receive(self) -> Received | None:
        if self.main not in self.receive_ends:
            raise Closed
        return self.receive_now()

    async def clone_sender(self) -> End:
        return self.cloned(self.send_ends)

    async def clone_receiver(self) -> End:
        return self.cloned(self.receive_ends)

    def cloned(self, ends: set[End]) -> End:
        if self.main not in ends:
            raise Closed
        ends.add(end := End(self))
        return end

    async def close(self) -> None:
        self.close_send_end(self.main)

    async def close_receiver(self) -> None:
        self.close_receive_end(self.main)

    def close_send_end(self, end: End) -> None:
        if end not in self.send_ends:
            return self.close_again()
        self.send_ends.discard(end)
        for sender in [each for each in self.senders if each.end is end]:
            self.senders.remove(sender)
            sender.done.set_exception(Closed())
        if self.is_last_end():
            self.closed = True
            self.release_receivers()
        return None

    def close_again(self) -> None:
        pass

    def is_last_end(self) -> bool:
        return not self.send_ends

    def close_receive_end(self, end: End) -> None:
        self.receive_ends.discard(end)
        for receiver in [each for each in self.receivers if each.end is end]:
            self.receivers.remove(receiver)
            receiver.done.set_exception(Closed())
        if not self.receive_ends:
            self.buffer.clear()
            self.break_senders()

    def break_senders(self) -> None:
        while self.senders:
            self.senders.popleft().done.set_result("broken")

    def broken(self) -> Any:
        return "broken"


@quiesce.adapter(PATTERN, name="ch_first_clone_ends_it", **ENDS)
class FirstCloneEndsIt(Ends):
    def is_last_end(self) -> bool:
        return True

    def send_now(self, item: Any) -> bool:
        self.closed = not self.send_ends
        return super().send_now(item)


@quiesce.adapter(PATTERN, name="ch_broken_goes_unnoticed", **ENDS)
class BrokenGoesUnnoticed(Ends):
    def broken(self) -> Any:
        return None


@quiesce.adapter(PATTERN, name="ch_second_close_fails", **ENDS)
class SecondCloseFails(Ends):
    def close_again(self) -> None:
        raise Closed


@quiesce.adapter(PATTERN, name="ch_good_queue", **QUEUE)
class Queue:
    def __init__(self, capacity: int | None) -> None:
        self.capacity = capacity
        self.buffer: deque[Any] = deque()
        self.getters: deque[asyncio.Future[None]] = deque()
        self.putters: deque[asyncio.Future[None]] = deque()
        self.joiners: list[asyncio.Future[None]] = []
        self.unfinished = 0
        self.closed = False

    async def send(self, item: Any) -> None:
        while not self.put_now(item):
            await self.blocked(self.putters, self.has_room)

    async def receive(self) -> Received:
        while (found := self.get_now()) is None:
            await self.blocked(self.getters, self.has_values)
        return found

    async def try_send(self, item: Any) -> bool:
        return self.put_now(item)

    async def try_receive(self) -> Received | None:
        return self.get_now()

    async def close(self) -> None:
        self.closed = True
        for queue in (self.getters, self.putters):
            while queue:
                self.wake(queue)

    async def close_now(self) -> None:
        self.unfinished -= len(self.buffer)
        self.buffer.clear()
        self.settle()
        await self.close()

    async def occupancy(self) -> tuple[int, int | None]:
        return len(self.buffer), self.capacity

    async def join(self) -> None:
        while self.unfinished:
            self.joiners.append(asyncio.get_running_loop().create_future())
            await self.joiners[-1]

    async def task_done(self) -> None:
        if not self.unfinished:
            raise ValueError("nothing is unfinished")
        self.unfinished -= 1
        self.settle()

    def settle(self) -> None:
        for joiner in self.joiners:
            if not self.unfinished and not joiner.done():
                joiner.set_result(None)

    def has_room(self) -> bool:
        return self.capacity is None or len(self.buffer) < self.capacity

    def has_values(self) -> bool:
        return bool(self.buffer)

    async def blocked(self, queue: deque[asyncio.Future[None]], ready: Any) -> None:
        future = asyncio.get_running_loop().create_future()
        queue.append(future)
        try:
            await future
        except asyncio.CancelledError:
            self.cancelled(queue, future, ready)
            raise

    def cancelled(self, queue: deque[asyncio.Future[None]], future: Any, ready: Any) -> None:
        if future in queue:
            queue.remove(future)
        elif ready():
            self.wake(queue)

    def wake(self, queue: deque[asyncio.Future[None]]) -> None:
        while queue:
            future = queue.popleft()
            if not future.done():
                future.set_result(None)
                return

    def put_now(self, item: Any) -> bool:
        if self.closed:
            raise Closed
        if not self.has_room():
            return False
        self.buffer.append(item)
        self.unfinished += 1
        self.wake(self.getters)
        return True

    def get_now(self) -> Received | None:
        if self.buffer:
            item = self.buffer.popleft()
            self.wake(self.putters)
            return True, item
        return END if self.closed else None


@quiesce.adapter(PATTERN, name="ch_newcomer_steals", **{**QUEUE, "dialect": STEALS})
class NewcomerSteals(Queue):
    pass


@quiesce.adapter(PATTERN, name="ch_notify_cancelled_waiter", **QUEUE)
class NotifyCancelledWaiter(Queue):
    def cancelled(self, queue: deque[asyncio.Future[None]], future: Any, ready: Any) -> None:
        if future in queue:
            queue.remove(future)


@quiesce.adapter(PATTERN, name="ch_shutdown_now_keeps_values", **QUEUE)
class ShutdownNowKeepsValues(Queue):
    async def close_now(self) -> None:
        await self.close()


@quiesce.adapter(PATTERN, name="ch_shutdown_now_leaves_join", **QUEUE)
class ShutdownNowLeavesJoin(Queue):
    async def close_now(self) -> None:
        self.buffer.clear()
        await self.close()


@quiesce.adapter(PATTERN, name="ch_good_threads", **THREADS)
class ThreadQueue:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.buffer: deque[Any] = deque()
        self.changed = threading.Condition()
        self.closed = False

    def send(self, item: Any) -> None:
        with self.changed:
            self.wait_for_room()
            if self.closed:
                raise Closed
            self.buffer.append(item)
            self.changed.notify_all()

    def wait_for_room(self) -> None:
        while len(self.buffer) >= self.capacity and not self.closed:
            self.changed.wait()

    def receive(self) -> Received:
        with self.changed:
            self.wait_for_a_value()
            if not self.buffer:
                return END
            item = self.buffer.popleft()
            self.changed.notify_all()
            return True, item

    def wait_for_a_value(self) -> None:
        while not self.buffer and not self.closed:
            self.changed.wait()

    def try_send(self, item: Any) -> bool:
        with self.changed:
            if len(self.buffer) >= self.capacity and not self.closed:
                return False
            self.send(item)
            return True

    def try_receive(self) -> Received | None:
        with self.changed:
            return self.receive() if self.buffer or self.closed else None

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def occupancy(self) -> tuple[int, int]:
        return len(self.buffer), self.capacity


@quiesce.adapter(PATTERN, name="ch_check_then_act", **THREADS)
class CheckThenAct(ThreadQueue):
    def send(self, item: Any) -> None:
        with self.changed:
            self.wait_for_room()
            if self.closed:
                raise Closed
        with self.changed:
            self.buffer.append(item)
            self.changed.notify_all()


@quiesce.adapter(PATTERN, name="ch_peeks_before_it_takes", **THREADS)
class PeeksBeforeItTakes(ThreadQueue):
    def receive(self) -> Received:
        with self.changed:
            self.wait_for_a_value()
            if not self.buffer:
                return END
            item = self.buffer[0]
        with self.changed:
            if self.buffer:
                self.buffer.popleft()
            self.changed.notify_all()
            return True, item


@quiesce.adapter(PATTERN, name="ch_waits_once", **THREADS)
class WaitsOnce(ThreadQueue):
    def wait_for_room(self) -> None:
        if len(self.buffer) >= self.capacity and not self.closed:
            self.changed.wait()
