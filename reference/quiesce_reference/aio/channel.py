"""Channel: values pass from task to task, in order, through a bounded buffer.

After Go's channels. A call that has to wait makes an *offer* in the channel's queue; whoever
comes to meet it takes the value, or leaves his, and wakes it. So a value is handed over by the
one who arrives, and nobody who comes later can get between.

Tasks of one event loop only, so there is no lock: what lies between two awaits is atomic.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Generic, Self, TypeVar, final

import anyio
import anyio.lowlevel

from quiesce_reference.errors import ChannelClosedError, WouldBlockError

__all__ = ["Channel", "Offer", "Party"]

T = TypeVar("T")


@final
class Channel(Generic[T]):
    """A queue of at most ``capacity`` values, between any number of senders and receivers.

    With capacity 0 nothing is ever stored: a send completes together with the receive that
    takes its value. With capacity c a send completes when its value is in the buffer, so the
    send number k+c completes only after the receive number k.

    Values are received in the order in which they were sent, each by one receiver. Blocked
    calls are served in the order of their arrival, and a call that comes later never gets what
    was handed to one that waited.

    A cancelled call is atomic: either its value has passed and the call returns normally, or
    it has not and the call is cancelled. So a value is never lost and never sent twice. The
    price on asyncio: a ``Task.cancel`` in the very tick in which the value passes does not end
    this call, but the next wait of its task. A call that need not wait does not let other tasks
    run.

    Args:
      capacity: how many values can wait in the channel.

    Raises:
      ValueError: the capacity is negative.

    Clauses: CH-01 to CH-04, CH-10, CH-15 to CH-18, UN-03, UN-10.
    """

    def __init__(self, capacity: int = 0) -> None:
        if capacity < 0:
            msg = f"a channel's capacity is 0 or more, not {capacity}"
            raise ValueError(msg)
        self._capacity = capacity
        # If somebody offers to receive, nothing is buffered and nobody offers to send; if
        # somebody offers to send, the buffer is full.
        self._buffer = deque[T]()
        self._senders = deque[Offer]()
        self._receivers = deque[Offer]()
        self._closed = False

    @property
    def capacity(self) -> int:
        """How many values can wait in the channel. It never changes."""
        return self._capacity

    def __len__(self) -> int:
        """The number of values in the buffer; those of blocked senders are not among them."""
        return len(self._buffer)

    async def send(self, value: T) -> None:
        """Send a value, waiting for room or, without a buffer, for a receiver.

        Raises:
          ChannelClosedError: the channel is closed, or was closed while this call waited. The
            value is not delivered.

        Clauses: CH-01, CH-02, CH-07, CH-15, UN-04.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        if self._send_now(value):
            return
        offer = Offer(Party(), value)
        self._senders.append(offer)
        try:
            await offer.party.wait()
        except BaseException:
            _withdraw(self._senders, offer)
            raise
        if not offer.party.is_met:
            raise ChannelClosedError

    async def receive(self) -> T:
        """Receive the next value, waiting for one.

        Raises:
          ChannelClosedError: the channel is closed, and all its values were received.

        Clauses: CH-02 to CH-06, CH-15, UN-04.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        found = self._receive_now()
        if found is not None:
            return found[0]
        offer = Offer(Party())
        self._receivers.append(offer)
        try:
            await offer.party.wait()
        except BaseException:
            _withdraw(self._receivers, offer)
            raise
        if not offer.party.is_met:
            raise ChannelClosedError
        value: T = offer.party.value
        return value

    def try_send(self, value: T) -> None:
        """Send a value at once.

        Raises:
          WouldBlockError: it would have to wait. The value is not delivered.
          ChannelClosedError: the channel is closed.
        """
        if not self._send_now(value):
            raise WouldBlockError

    def try_receive(self) -> T:
        """Receive a value that is there at once.

        Raises:
          WouldBlockError: it would have to wait.
          ChannelClosedError: the channel is closed, and all its values were received.
        """
        found = self._receive_now()
        if found is None:
            raise WouldBlockError
        return found[0]

    def close(self) -> None:
        """Say that no more values come.

        Values in the buffer are still delivered; then every receive raises ChannelClosedError
        and iterations end. Receivers that are blocked, all of them, get it now, and so do
        blocked senders, whose values are not delivered. Close on the sending side, when all
        senders are done.

        Raises:
          ChannelClosedError: it was closed before. Nothing has changed.

        Clauses: CH-05 to CH-08, UN-07.
        """
        if self._closed:
            raise ChannelClosedError
        self._closed = True
        for offers in (self._senders, self._receivers):
            while (offer := _first(offers)) is not None:
                offer.party.wake(offer.index, None, is_met=False)

    def __aiter__(self) -> Self:
        """Receive values until the channel is closed and drained.

        Clauses: CH-19.
        """
        return self

    async def __anext__(self) -> T:
        try:
            return await self.receive()
        except ChannelClosedError:
            raise StopAsyncIteration from None

    # For select as well.

    def _send_now(self, value: T) -> bool:
        """Send without waiting, or return False. Raises if the channel is closed."""
        if self._closed:
            raise ChannelClosedError
        receiver = _first(self._receivers)
        if receiver is not None:
            receiver.party.wake(receiver.index, value, is_met=True)
        elif len(self._buffer) < self._capacity:
            self._buffer.append(value)
        else:
            return False
        return True

    def _receive_now(self) -> tuple[T] | None:
        """Receive without waiting, or return None. Raises if the channel is closed and drained."""
        found = (self._buffer.popleft(),) if self._buffer else None
        sender = _first(self._senders)
        if sender is not None:
            if found is None:  # without a buffer
                found = (sender.value,)
            else:  # the slot that came free is his, before anybody else can want it
                self._buffer.append(sender.value)
            sender.party.wake(sender.index, None, is_met=True)
        if found is None and self._closed:
            raise ChannelClosedError
        return found


@final
class Party:
    """A call that waits, in one channel or in several at once, until one partner meets it."""

    __slots__ = ("_woken", "index", "is_met", "is_over", "value")

    def __init__(self) -> None:
        self._woken = anyio.Event()
        self.is_over = False  # woken or cancelled: it can't be met any more
        # Written by the partner before he wakes the call, read by the call afterwards.
        self.index = 0
        self.value: Any = None
        self.is_met = False

    def wake(self, index: int, value: object, *, is_met: bool) -> None:
        """End the wait, with a value or because of a close."""
        self.index, self.value, self.is_met = index, value, is_met
        self.is_over = True
        self._woken.set()

    @property
    def is_woken(self) -> bool:
        """Whether a partner or a close has ended the wait."""
        return self._woken.is_set()

    async def wait(self) -> None:
        """Wait to be woken. A cancellation ends it only if no partner was there before."""
        try:
            await self._woken.wait()
        except anyio.get_cancelled_exc_class() as error:
            if not self.is_over:
                self.is_over = True
                raise
            # The value has passed: to report a cancellation would lose it, or send it twice.
            _cancel_again(error)


@final
class Offer:
    """A waiting call's place in one channel: what it sends, and which of its cases that is."""

    __slots__ = ("index", "party", "value")

    def __init__(self, party: Party, value: Any = None, index: int = 0) -> None:
        self.party = party
        self.value = value
        self.index = index


def _withdraw(offers: deque[Offer], offer: Offer) -> None:
    if offer in offers:
        offers.remove(offer)


def _first(offers: deque[Offer]) -> Offer | None:
    """Remove the first offer that still stands; others were met elsewhere."""
    while offers:
        offer = offers.popleft()
        if not offer.party.is_over:
            return offer
    return None


def _cancel_again(error: BaseException) -> None:
    """Let a cancellation that came too late for this call come back at the task's next wait.

    A cancelled scope sees to that itself. What has to be asked for again is asyncio's
    ``Task.cancel``, in the next turn of the loop and only if the request still stands: an
    ``asyncio.timeout`` whose block ends before takes it back.
    """
    if not isinstance(error, asyncio.CancelledError):
        return
    task = asyncio.current_task()
    assert task is not None

    def cancel() -> None:
        if task.cancelling():
            task.uncancel()
            task.cancel(*error.args)

    asyncio.get_running_loop().call_soon(cancel)
