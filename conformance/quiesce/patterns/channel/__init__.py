"""Channel: values pass from senders to receivers, in order, through a bounded buffer.

A send waits while the buffer is full, a receive while it is empty. Without a buffer both meet:
neither completes without the other. A closed channel takes no more values, delivers those it
has, and then tells every receiver that it is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.patterns.channel.clauses import CLAUSES
from quiesce.patterns.channel.model import Channel
from quiesce.patterns.channel.scenarios import PROBE, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from quiesce.adapters import Adapter

__all__ = ["CHANNEL"]

NO_FUNCTIONS = "a channel runs no user functions"
EVERYWHERE = (
    attrs.evolve(clause, needs=["close"]) if clause.id == "UN-07" else clause
    for clause in universal(
        untested={
            "UN-02": "a channel starts no work of its own",
            "UN-05": NO_FUNCTIONS,
            "UN-06": "stated and checked in CH-02 and CH-16",
            "UN-08": NO_FUNCTIONS,
            "UN-09": NO_FUNCTIONS,
            "UN-11": "the kit sends numbers, to which nothing can refer weakly",
        },
        checked=["UN-07"],
    )
)

PORT = (
    Method(
        "send",
        ("item",),
        "Send the value, waiting for room or, without a buffer, for a receiver. Returns None, "
        'or "broken" if every receiving end is closed; raises if the channel is closed.',
        refuses=True,
    ),
    Method(
        "receive",
        (),
        "Receive a value, waiting for one: (True, value), or (False, None) if the channel is "
        "closed and drained.",
        refuses=True,
    ),
    Method(
        "try_send",
        ("item",),
        "Send without waiting: True if it was sent, False if it would have to wait; raises if "
        "the channel is closed or broken.",
        capability="try_send",
        refuses=True,
    ),
    Method(
        "try_receive",
        (),
        "Receive without waiting: as receive, or None if it would have to wait.",
        capability="try_receive",
        refuses=True,
    ),
    Method(
        "close",
        (),
        "Close the channel; with two ends, the sending end.",
        capability="close",
        refuses=True,
        read=lambda _: "closed",
    ),
    Method(
        "occupancy",
        (),
        "The number of buffered values, and the capacity (None if there is no bound).",
        capability="length",
        read=lambda pair: ("holds", *pair),
    ),
    Method(
        "iterate",
        (),
        "Iterate over the channel to its end, and return the values as a list.",
        capability="iterate",
        refuses=True,
        read=lambda values: ("iterated", *values),
    ),
    Method(
        "close_now",
        (),
        "Close, and discard what is buffered.",
        capability="close_now",
        refuses=True,
        read=lambda _: "closed",
    ),
    Method(
        "join",
        (),
        "Wait until task_done was called for each value that was sent.",
        capability="join",
        read=lambda _: "joined",
    ),
    Method(
        "task_done",
        (),
        "Say that one received value is dealt with; raises if none is open.",
        capability="join",
        refuses=True,
        read=lambda _: "done",
    ),
    Method(
        "close_receiver",
        (),
        "Close the receiving end.",
        capability="ends",
        read=lambda _: "closed",
    ),
    Method(
        "clone_sender",
        (),
        "Another sending end, with send_by_clone(item) and close_sender_clone().",
        capability="ends",
        refuses=True,
        read=lambda _: "cloned",
    ),
    Method(
        "clone_receiver",
        (),
        "Another receiving end, with receive_by_clone() and close_receiver_clone().",
        capability="ends",
        refuses=True,
        read=lambda _: "cloned",
    ),
    Method(
        "send_by_clone",
        ("item",),
        "As send, through another end.",
        capability="ends",
        receiver="clone_sender",
        refuses=True,
    ),
    Method(
        "close_sender_clone",
        (),
        "Close that sending end.",
        capability="ends",
        receiver="clone_sender",
        read=lambda _: "closed",
    ),
    Method(
        "receive_by_clone",
        (),
        "As receive, through another end.",
        capability="ends",
        receiver="clone_receiver",
        refuses=True,
    ),
    Method(
        "close_receiver_clone",
        (),
        "Close that receiving end.",
        capability="ends",
        receiver="clone_receiver",
        read=lambda _: "closed",
    ),
)


def constructs(adapter: Adapter, name: str, value: Any) -> bool:
    """Whether the adapter makes channels of that capacity."""
    assert name == "capacity"
    kind = {0: "rendezvous", None: "unbounded"}.get(value, "bounded")
    return kind not in adapter.lacks


CHANNEL = Pattern(
    name="channel",
    title="Channel: values pass in order through a bounded buffer",
    promise=__doc__ or "",
    clauses=(*CLAUSES, *EVERYWHERE),
    port=PORT,
    constructor={"capacity": (1, 0, 2, None)},
    capabilities={
        "rendezvous": "channels without a buffer, whose send meets a receive",
        "bounded": "channels with a buffer of one or two values",
        "unbounded": "channels whose buffer takes any number of values",
        "try_send": "try_send",
        "try_receive": "try_receive",
        "close": "close",
        "length": "occupancy",
        "iterate": "iterate",
        "close_now": "close_now",
        "join": "join and task_done",
        "ends": "two ends, each with clones that close one by one",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={
        "handover": ("direct", "barging"),
        "close_twice": ("error", "noop"),
        "ends": ("one", "two"),
    },
    model=Channel,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    constructs=constructs,
)
