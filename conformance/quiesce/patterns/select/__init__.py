"""Select: wait for several channels at once, and send or receive on exactly one.

A case is a send or a receive on a channel. If some can be done at once, one of them is, by a
fair choice; else the select does nothing, by default or after a timeout, or waits. The subject
has two channels, a and b; the channels themselves are the pattern ``channel``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quiesce.patterns.pattern import Method, Pattern
from quiesce.patterns.select.clauses import CLAUSES
from quiesce.patterns.select.model import Select
from quiesce.patterns.select.scenarios import PROBE, ROUNDS, SCENARIOS, STIMULI, UNBLOCK
from quiesce.patterns.universal import universal

if TYPE_CHECKING:
    from quiesce.adapters import Adapter

__all__ = ["SELECT"]

NO_FUNCTIONS = "a select runs no user functions"
#: Six standard deviations of as many throws of a coin.
TOLERANCE = 6 * (ROUNDS / 4) ** 0.5


def judged(counts: Any) -> str:
    """What is compared of a tally."""
    return "fair" if all(abs(n - ROUNDS / 2) <= TOLERANCE for n in counts) else "unfair"


PORT = (
    Method(
        "select",
        ("cases", "item", "default", "timeout"),
        'Perform one of the cases, pairs such as ("receive", "a") and ("send", "b"); item is '
        'what sends send. Returns (index, answer), or "default", or "timeout" after so many '
        "nanoseconds (None: never). The answer is that of send or of receive.",
        refuses=True,
        timed=True,
    ),
    Method("send", ("channel", "item"), "Send the value. Returns None.", refuses=True),
    Method(
        "receive",
        ("channel",),
        "Receive: (True, value), or (False, None) if the channel is closed and drained.",
        refuses=True,
    ),
    Method(
        "close",
        ("channel",),
        "Close the channel.",
        capability="close",
        refuses=True,
        read=lambda _: "closed",
    ),
    Method(
        "shift",
        ("item",),
        "Try to send item on b, then try to receive from a; returns whether it was sent, and "
        "what receive returns, or None if there was nothing.",
        capability="default",
        refuses=True,
    ),
    Method(
        "tally",
        ("rounds",),
        "Of two fresh channels, each with a value at all times, select so many times to receive "
        "from either; returns how often each was chosen.",
        capability="tally",
        read=judged,
    ),
)


def constructs(adapter: Adapter, name: str, value: Any) -> bool:
    """Whether the adapter makes channels of that capacity."""
    assert name == "capacity"
    return value != 0 or "rendezvous" not in adapter.lacks


SELECT = Pattern(
    name="select",
    title="Select: send or receive on one of several channels",
    promise=__doc__ or "",
    clauses=(
        *CLAUSES,
        *universal(
            untested={
                "UN-02": "a select starts no work of its own",
                "UN-05": NO_FUNCTIONS,
                "UN-06": "stated and checked by the pattern channel",
                "UN-07": "a select has nothing to stop; CH-08 checks the close of a channel",
                "UN-08": NO_FUNCTIONS,
                "UN-09": NO_FUNCTIONS,
                "UN-11": "the kit sends numbers, to which nothing can refer weakly",
            }
        ),
    ),
    port=PORT,
    constructor={"capacity": (1, 0)},
    capabilities={
        "rendezvous": "channels without a buffer",
        "close": "close",
        "default": "a select that does not wait, and shift",
        "timeout": "a select that gives up",
        "tally": "tally",
        "stop": "what it runs in the background can be stopped",
    },
    dialects={},
    model=Select,
    stimuli=STIMULI,
    scenarios=SCENARIOS,
    probe=PROBE,
    unblock=UNBLOCK,
    constructs=constructs,
)
