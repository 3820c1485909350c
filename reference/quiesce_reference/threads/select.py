"""Select: wait for several channels at once, and send or receive on one of them.

After Go's select statement. All its channels are locked while it looks at them, so it judges
them at one moment.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from quiesce_reference.errors import ChannelClosedError
from quiesce_reference.selected import Selected
from quiesce_reference.threads.channel import Offer, Party

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quiesce_reference.threads.channel import Channel

__all__ = ["Receive", "Send", "select"]

_chance: Final = random.Random()


@final
class Send(NamedTuple):
    """A case of a select: send this value on this channel."""

    channel: Channel[Any]
    value: Any


@final
class Receive(NamedTuple):
    """A case of a select: receive from this channel."""

    channel: Channel[Any]


def select(
    *cases: Send | Receive,
    default: bool = False,
    timeout: int | None = None,
    chance: random.Random = _chance,
) -> Selected | None:
    """Perform exactly one of the cases, waiting until one is possible.

    A receive from a channel that is closed and drained is possible. If several cases are
    possible, chance decides. All are judged at one moment: if at every moment one of them was
    possible, neither ``default`` nor ``timeout`` ends the call. A select never meets itself, and
    one without cases waits for ever.

    Args:
      cases: what may be done; a channel may occur several times.
      default: don't wait. If no case is possible, do nothing.
      timeout: nanoseconds after which to do nothing; None means never.
      chance: what decides. A test may pass its own, with a seed.

    Returns:
      What was done, or None if nothing was.

    Raises:
      ChannelClosedError: the case that was chosen is a send on a closed channel, or one that
        was closed while this call waited.

    Clauses: CH-11 to CH-14, UN-03, UN-04.
    """
    party = Party()
    offers: list[Offer] = []
    with _locked(cases):
        for index in chance.sample(range(len(cases)), len(cases)):
            done = _perform_now(cases[index], index)
            if done is not None:
                return done
        if default:
            return None
        # Nobody can change any of the channels between the look and the last of these offers.
        for index, case in enumerate(cases):
            offer = Offer(party, case.value if isinstance(case, Send) else None, index)
            offers.append(offer)
            _queue(case).append(offer)
    try:
        met = party.wait(timeout)
    finally:
        party.claim()  # after a signal handler's error: from here on nobody can meet us
        with _locked(cases):
            for case, offer in zip(cases, offers, strict=True):
                if offer in (queue := _queue(case)):
                    queue.remove(offer)
    if not met:
        return None
    case = cases[party.index]
    if isinstance(case, Receive):
        return Selected(party.index, party.value, not party.is_met)
    if not party.is_met:
        raise ChannelClosedError
    return Selected(party.index)


def _perform_now(case: Send | Receive, index: int) -> Selected | None:
    """Do what the case says if that needs no waiting; its channel is locked."""
    if isinstance(case, Send):
        return Selected(index) if case.channel._send_now(case.value) else None
    try:
        found = case.channel._receive_now()
    except ChannelClosedError:
        return Selected(index, is_closed=True)
    return None if found is None else Selected(index, found[0])


def _queue(case: Send | Receive) -> Any:
    return case.channel._senders if isinstance(case, Send) else case.channel._receivers


def _locked(cases: Sequence[Send | Receive]) -> ExitStack:
    """Lock all channels, each once, oldest first: two selects can't wait for each other."""
    channels = {case.channel._number: case.channel for case in cases}
    stack = ExitStack()
    for number in sorted(channels):
        stack.enter_context(channels[number]._lock)
    return stack
