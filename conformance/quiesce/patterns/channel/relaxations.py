"""The relaxations of the channel's model: each is the model with one clause dropped."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BLOCKS_AFTER_CLOSE",
    "CLOSE_DROPS",
    "DOUBLE",
    "FIRST_CLONE_ENDS",
    "FREES_TWO",
    "GHOST_RECEIVER",
    "GHOST_SENDER",
    "HIDDEN_SLOT",
    "LEAVES_SENDER",
    "LOST_WAKE_UP",
    "NOW_IS_LATER",
    "ONE_MORE",
    "OVERFLOW",
    "RELAXATIONS",
    "SECOND_CLOSE_DROPS",
    "SILENT",
    "STEALS",
    "TORN_LENGTH",
    "WAKES_ONE",
]

CLOSE_DROPS: Final = "CH-05 the close drops what the buffer holds"
BLOCKS_AFTER_CLOSE: Final = "CH-05 a receive after the close blocks"
SECOND_CLOSE_DROPS: Final = "UN-07 a second close drops what the buffer holds"
WAKES_ONE: Final = "CH-06 the close leaves a blocked receiver waiting"
LEAVES_SENDER: Final = "CH-07 the close leaves a blocked sender waiting"
SILENT: Final = "CH-07 a send on the closed channel seems to succeed"
FIRST_CLONE_ENDS: Final = "CH-20 receivers see the end while a sending end is open"
NOW_IS_LATER: Final = "CH-21 closing at once still delivers what was buffered"
FREES_TWO: Final = "CH-18 one receive lets two senders go"
GHOST_RECEIVER: Final = "CH-15 a cancelled receive takes a value with it"
GHOST_SENDER: Final = "CH-15 a cancelled send is delivered all the same"
TORN_LENGTH: Final = "CH-10 the length shows the middle of a hand-over"
HIDDEN_SLOT: Final = "CH-01 a send completes without a receive"
ONE_MORE: Final = "CH-02 a send does not wait for room"
OVERFLOW: Final = "CH-16 a cancelled receive puts its value back into a full buffer"
LOST_WAKE_UP: Final = "UN-03 the wake-up of a cancelled receive is not passed on"
STEALS: Final = "CH-17 a later call takes what was handed to a blocked one"
DOUBLE: Final = "CH-04 a value is received twice"

RELAXATIONS = {
    signature: signature[:5]
    for signature in (  # narrowest first
        CLOSE_DROPS,
        SECOND_CLOSE_DROPS,
        BLOCKS_AFTER_CLOSE,
        WAKES_ONE,
        LEAVES_SENDER,
        SILENT,
        FIRST_CLONE_ENDS,
        NOW_IS_LATER,
        TORN_LENGTH,
        FREES_TWO,
        LOST_WAKE_UP,
        OVERFLOW,
        GHOST_RECEIVER,
        GHOST_SENDER,
        HIDDEN_SLOT,
        ONE_MORE,
        DOUBLE,
        STEALS,
    )
}
