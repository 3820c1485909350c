"""Channel: values pass from thread to thread, in order, through a bounded buffer.

After Go's channels. A call that has to wait makes an *offer* in the channel's queue; whoever
comes to meet it takes the value, or leaves his, and wakes it. So a value is handed over by the
one who arrives, under the lock, and nobody who comes later can get between.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, final

from quiesce_reference.errors import ChannelClosedError, WouldBlockError
from quiesce_reference.threads.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Channel", "Offer", "Party"]

T = TypeVar("T")

_births: Final = itertools.count()


@final
class Channel(Generic[T]):
    """A queue of at most ``capacity`` values, between any number of senders and receivers.

    With capacity 0 nothing is ever stored: a send completes together with the receive that
    takes its value. With capacity c a send completes when its value is in the buffer, so the
    send number k+c completes only after the receive number k.

    Values are received in the order in which they were sent, each by one receiver. Blocked
    calls are served in the order of their arrival, and a call that comes later never gets what
    was handed to one that waited.

    Any number of threads may use a channel, and several channels at once with ``select``.

    Args:
      capacity: how many values can wait in the channel.

    Raises:
      ValueError: the capacity is negative.

    Clauses: CH-01 to CH-04, CH-10, CH-17, CH-18, UN-03, UN-10.
    """

    def __init__(self, capacity: int = 0) -> None:
        if capacity < 0:
            msg = f"a channel's capacity is 0 or more, not {capacity}"
            raise ValueError(msg)
        self._capacity = capacity
        self._number = next(_births)  # the order in which select locks several channels
        self._lock = threading.Lock()
        # Protected by the lock. If somebody offers to receive, nothing is buffered and nobody
        # offers to send; if somebody offers to send, the buffer is full.
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
        with self._lock:  # or the middle of a hand-over would show
            return len(self._buffer)

    def send(self, value: T, timeout: int | None = None) -> None:
        """Send a value, waiting for room or, without a buffer, for a receiver.

        Args:
          value: what a receiver gets.
          timeout: nanoseconds after which to give up; None means never.

        Raises:
          ChannelClosedError: the channel is closed, or was closed while this call waited. The
            value is not delivered.
          TimeoutError: the time is over. The value is not delivered.

        Clauses: CH-01, CH-02, CH-07, UN-04.
        """
        with self._lock:
            if self._send_now(value):
                return
            # Looked and queued under one hold of the lock: who comes to meet us finds the offer.
            offer = Offer(Party(), value)
            self._senders.append(offer)
        self._wait(self._senders, offer, timeout)
        if not offer.party.is_met:
            raise ChannelClosedError

    def receive(self, timeout: int | None = None) -> T:
        """Receive the next value, waiting for one.

        Args:
          timeout: nanoseconds after which to give up; None means never.

        Raises:
          ChannelClosedError: the channel is closed, and all its values were received.
          TimeoutError: the time is over. No value was taken.

        Clauses: CH-02 to CH-06, UN-04.
        """
        with self._lock:
            found = self._receive_now()
            if found is not None:
                return found[0]
            offer = Offer(Party())
            self._receivers.append(offer)
        self._wait(self._receivers, offer, timeout)
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
        with self._lock:
            if not self._send_now(value):
                raise WouldBlockError

    def try_receive(self) -> T:
        """Receive a value that is there at once.

        Raises:
          WouldBlockError: it would have to wait.
          ChannelClosedError: the channel is closed, and all its values were received.
        """
        with self._lock:
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
        with self._lock:
            if self._closed:
                raise ChannelClosedError
            self._closed = True
            for offers in (self._senders, self._receivers):
                while (offer := _first(offers)) is not None:
                    offer.party.wake(offer.index, None, is_met=False)

    def __iter__(self) -> Iterator[T]:
        """Receive values until the channel is closed and drained.

        Clauses: CH-19.
        """
        while True:
            try:
                value = self.receive()
            except ChannelClosedError:
                return
            yield value

    # For select as well. All are called with the lock held.

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

    def _wait(self, offers: deque[Offer], offer: Offer, timeout: int | None) -> None:
        try:
            met = offer.party.wait(timeout)
        except BaseException:  # a signal handler's; if the offer was met already, it stays so
            self._withdraw(offers, offer)
            raise
        if not met:
            self._withdraw(offers, offer)
            msg = f"nobody came to meet this call within {timeout} ns"
            raise TimeoutError(msg)

    def _withdraw(self, offers: deque[Offer], offer: Offer) -> None:
        offer.party.claim()  # from here on it can't be met
        with self._lock:
            if offer in offers:
                offers.remove(offer)


@final
class Party:
    """A call that waits, in one channel or in several at once, until one partner meets it.

    Partners in different channels hold different locks, so what decides between them, and
    between them and the call's own timeout, is the claim: one alone gets it.
    """

    __slots__ = ("_claimed", "_woken", "index", "is_met", "value")

    def __init__(self) -> None:
        self._claimed = threading.Lock()
        self._woken = threading.Lock()
        self._woken.acquire()
        # Written by the partner before he wakes the call, read by the call afterwards.
        self.index = 0
        self.value: Any = None
        self.is_met = False

    def claim(self) -> bool:
        """Take the right to end the wait; True for the first who asks."""
        return self._claimed.acquire(blocking=False)

    def wake(self, index: int, value: object, *, is_met: bool) -> None:
        """End the wait, as whoever holds the claim: with a value, or because of a close."""
        self.index, self.value, self.is_met = index, value, is_met
        self._woken.release()

    def wait(self, timeout: int | None) -> bool:
        """Wait to be woken; False if the time was over first, and then nobody will wake it."""
        if self._woken.acquire(timeout=-1 if timeout is None else seconds(timeout)):
            return True
        if self.claim():
            return False
        # A partner was faster than the timeout, and is about to wake us.
        return self._woken.acquire()


@final
class Offer:
    """A waiting call's place in one channel: what it sends, and which of its cases that is."""

    __slots__ = ("index", "party", "value")

    def __init__(self, party: Party, value: Any = None, index: int = 0) -> None:
        self.party = party
        self.value = value
        self.index = index


def _first(offers: deque[Offer]) -> Offer | None:
    """Claim and remove the first offer that still stands; others were met elsewhere."""
    while offers:
        offer = offers.popleft()
        if offer.party.claim():
            return offer
    return None
