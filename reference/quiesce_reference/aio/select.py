"""Select: wait for several channels at once, and send or receive on one of them.

After Go's select statement. It looks at all its channels without an await in between, so it
judges them at one moment.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

import anyio
import anyio.lowlevel

from quiesce_reference.aio.channel import Offer, Party
from quiesce_reference.errors import ChannelClosedError
from quiesce_reference.rates import SECOND
from quiesce_reference.selected import Selected

if TYPE_CHECKING:
    from quiesce_reference.aio.channel import Channel

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


async def select(
    *cases: Send | Receive,
    default: bool = False,
    timeout: int | None = None,
    chance: random.Random = _chance,
) -> Selected | None:
    """Perform exactly one of the cases, waiting until one is possible.

    A receive from a channel that is closed and drained is possible. If several cases are
    possible, chance decides. All are judged at one moment: if at every moment one of them was
    possible, neither ``default`` nor ``timeout`` ends the call. A select never meets itself, and
    one without cases waits for ever. Cancelling it is atomic, as cancelling a send is.

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
    await anyio.lowlevel.checkpoint_if_cancelled()
    for index in chance.sample(range(len(cases)), len(cases)):
        done = _perform_now(cases[index], index)
        if done is not None:
            return done
    if default:
        return None
    party = Party()
    offers = []
    for index, case in enumerate(cases):
        offer = Offer(party, case.value if isinstance(case, Send) else None, index)
        offers.append(offer)
        _queue(case).append(offer)
    try:
        with anyio.move_on_after(math.inf if timeout is None else timeout / SECOND):
            await party.wait()
    finally:
        for case, offer in zip(cases, offers, strict=True):
            if offer in (queue := _queue(case)):
                queue.remove(offer)
    if not party.is_woken:
        return None
    case = cases[party.index]
    if isinstance(case, Receive):
        return Selected(party.index, party.value, not party.is_met)
    if not party.is_met:
        raise ChannelClosedError
    return Selected(party.index)


def _perform_now(case: Send | Receive, index: int) -> Selected | None:
    """Do what the case says if that needs no waiting."""
    if isinstance(case, Send):
        return Selected(index) if case.channel._send_now(case.value) else None
    try:
        found = case.channel._receive_now()
    except ChannelClosedError:
        return Selected(index, is_closed=True)
    return None if found is None else Selected(index, found[0])


def _queue(case: Send | Receive) -> Any:
    return case.channel._senders if isinstance(case, Send) else case.channel._receivers
