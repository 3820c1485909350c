"""The model of channels, judged by hand: what it allows and forbids in small bursts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.channel import CHANNEL
from quiesce.stimuli import Began, Cancelled, Fact

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome]]

PART = (0,)
SENT: Outcome = ("returned", None)
CLOSED: Outcome = ("returned", "closed")
END: Outcome = ("returned", (False, None))
GONE: Outcome = ("cancelled",)
REFUSED: Outcome = ("raised", ("refused",))
SOME_LACKS = ("close_now", "join", "ends", "unbounded")


def got(value: int) -> Outcome:
    return ("returned", (True, value))


def began(call: int, operation: str, **arguments: Any) -> Began:
    return Began(call, operation, tuple(sorted(arguments.items())))


def model_of(
    capacity: int | None = 1,
    lacks: Iterable[str] = SOME_LACKS,
    world: str = "asyncio",
    **flags: str,
) -> Any:
    adapter = Adapter(
        name="hand",
        pattern="channel",
        world=world,
        module="",
        qualname="",
        lacks=frozenset(lacks),
        dialect=flags,
    )
    return CHANNEL.model(adapter, {"capacity": capacity})


def entry(facts: Sequence[Fact], calls: dict[int, Outcome]) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items()))))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(*each)) for each in seen)


def named(model: Any, *seen: Seen) -> str:
    """The signature of what was seen last; all before it is as it should be."""
    checker, journal = Checker(model), [entry(*each) for each in seen]
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    signature: str = name(model, journal, checker.predict(journal[-1]))
    return signature


SEND_0: Seen = ([began(0, "send")], {0: SENT})
SEND_1_WAITS: Seen = ([began(1, "send")], {1: BLOCKED})
RECEIVE_0_WAITS: Seen = ([began(0, "receive")], {0: BLOCKED})


def test_without_a_buffer_a_send_waits_for_its_receive():
    model = model_of(0)
    met: Seen = ([began(1, "receive")], {0: SENT, 1: got(0)})

    assert allows(model, ([began(0, "send")], {0: BLOCKED}), met)
    assert named(model, SEND_0).startswith("CH-01")


def test_a_send_waits_exactly_while_the_buffer_is_full():
    assert allows(model_of(), SEND_0, SEND_1_WAITS)
    assert named(model_of(), SEND_0, ([began(1, "send")], {1: SENT})).startswith("CH-02")
    assert allows(model_of(None), SEND_0, ([began(1, "send")], {1: SENT}))


def test_a_receive_takes_the_oldest_value_and_lets_the_first_sender_go():
    waits: Seen = ([began(2, "send")], {1: BLOCKED, 2: BLOCKED})
    seen: Seen = ([began(3, "receive")], {1: SENT, 2: BLOCKED, 3: got(0)})
    wrong: Seen = ([began(3, "receive")], {1: SENT, 2: SENT, 3: got(0)})

    assert allows(model_of(), SEND_0, SEND_1_WAITS, waits, seen)
    assert named(model_of(), SEND_0, SEND_1_WAITS, waits, wrong).startswith("CH-18")


def test_values_that_were_sent_in_one_burst_arrive_in_either_order():
    both: Seen = ([began(0, "send"), began(1, "send")], {0: SENT, 1: SENT})

    for first in (0, 1):
        assert allows(model_of(2), both, ([began(2, "receive")], {2: got(first)}))


def test_a_newcomer_steals_only_where_hand_over_is_barging():
    seen: Seen = ([began(1, "send"), began(2, "receive")], {0: BLOCKED, 1: SENT, 2: got(1)})
    burst = Burst(tuple(seen[0]), (frozenset(), frozenset({0})))  # the send was over before
    stolen = Entry(PART, burst, entry(*seen).seen)
    for handover, allowed in (("direct", False), ("barging", True)):
        checker = Checker(model_of(handover=handover))
        assert checker.compare(entry(*RECEIVE_0_WAITS))
        assert checker.compare(stolen) == allowed


def test_a_close_ends_receivers_and_senders_and_leaves_what_was_accepted():
    close: Seen = ([began(2, "close")], {1: REFUSED, 2: CLOSED})
    left = [([began(3, "receive")], {3: got(0)}), ([began(4, "receive")], {4: END})]

    assert allows(model_of(), SEND_0, SEND_1_WAITS, close, *left)
    assert allows(model_of(), RECEIVE_0_WAITS, ([began(1, "close")], {0: END, 1: CLOSED}))
    stuck: Seen = ([began(1, "close")], {0: BLOCKED, 1: CLOSED})
    assert named(model_of(), RECEIVE_0_WAITS, stuck).startswith("CH-06")


@pytest.mark.parametrize(("flag", "outcome"), [("error", REFUSED), ("noop", CLOSED)])
def test_a_second_close_is_what_the_dialect_says(flag, outcome):
    once: Seen = ([began(0, "close")], {0: CLOSED})
    model = model_of(close_twice=flag)

    assert allows(model, once, ([began(1, "close")], {1: outcome}))
    other = CLOSED if outcome == REFUSED else REFUSED
    assert named(model, once, ([began(1, "close")], {1: other})).startswith("CH-08")


def test_a_cancelled_receive_has_its_value_or_leaves_it():
    burst = [began(1, "send"), Cancelled(0)]
    later: Seen = ([began(2, "receive")], {2: got(1)})

    assert allows(model_of(), RECEIVE_0_WAITS, (burst, {0: got(1), 1: SENT}))
    assert allows(model_of(), RECEIVE_0_WAITS, (burst, {0: GONE, 1: SENT}), later)
    lost: Seen = ([began(2, "receive")], {2: BLOCKED})
    signature = named(model_of(), RECEIVE_0_WAITS, (burst, {0: GONE, 1: SENT}), lost)
    assert signature.startswith("CH-15")


def test_an_iteration_ends_with_the_channel_and_tells_all_it_received():
    begin: Seen = ([began(0, "iterate")], {0: BLOCKED})
    send: Seen = ([began(1, "send")], {0: BLOCKED, 1: SENT})
    close: Seen = ([began(2, "close")], {0: ("returned", ("iterated", 1)), 2: CLOSED})

    assert allows(model_of(), begin, send, close)
    early: Seen = ([began(1, "send")], {0: ("returned", ("iterated", 1)), 1: SENT})
    assert named(model_of(), begin, early).startswith("CH-19")


def test_receivers_see_the_end_when_the_last_sending_end_closes():
    model = model_of(lacks=("close_now", "join"), ends="two", close_twice="noop")
    clone: Seen = ([began(0, "clone_sender")], {0: ("returned", "cloned")})
    waits: Seen = ([began(1, "receive")], {1: BLOCKED})
    main: Seen = ([began(2, "close")], {1: BLOCKED, 2: CLOSED})
    last: Seen = ([began(3, "close_sender_clone", of=0)], {1: END, 3: CLOSED})

    assert allows(model, clone, waits, main, last)
    early: Seen = ([began(2, "close")], {1: END, 2: CLOSED})
    assert named(model, clone, waits, early).startswith("CH-20")


def test_closing_at_once_discards_and_settles_join():
    model = model_of(lacks=("ends",), handover="barging", close_twice="noop")
    join: Seen = ([began(1, "join")], {1: BLOCKED})
    now: Seen = ([began(2, "close_now")], {1: ("returned", "joined"), 2: CLOSED})

    assert allows(model, SEND_0, join, now, ([began(3, "receive")], {3: END}))
    left: Seen = ([began(2, "close_now")], {1: BLOCKED, 2: CLOSED})
    assert named(model, SEND_0, join, left).startswith("CH-21")


def test_too_long_a_buffer_has_another_name_where_nothing_can_be_cancelled():
    long: Seen = ([began(1, "occupancy")], {1: ("returned", ("holds", 2, 1))})

    assert named(model_of(), SEND_0, long).startswith("CH-16")
    assert named(model_of(world="threads"), SEND_0, long).startswith("CH-10")


def test_a_length_never_shows_the_middle_of_a_hand_over():
    burst = [began(2, "receive"), began(3, "occupancy")]
    for held in (1, 0):
        seen: Seen = (burst, {1: SENT, 2: got(0), 3: ("returned", ("holds", held, 1))})
        if held:
            assert allows(model_of(), SEND_0, SEND_1_WAITS, seen)
        else:
            assert named(model_of(), SEND_0, SEND_1_WAITS, seen).startswith("CH-10")
