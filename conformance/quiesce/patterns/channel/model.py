"""The model of a channel.

What a call does to the buffer and to those it meets is one move: a hand-over is atomic. In
the dialect ``handover = barging`` values only ever pass through the buffer, and who is
blocked takes or puts by a move of its own, later, whoever was first. In both, a blocked
call learns of a close by a move of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quiesce.model import ANY, BLOCKED, Move, View, evolve
from quiesce.patterns.calls import CANCELLED, REFUSED, CallsModel, Outcome, put, returned
from quiesce.patterns.channel.clauses import ASYNC
from quiesce.patterns.channel.look import closest, look
from quiesce.patterns.channel.relaxations import (
    BLOCKS_AFTER_CLOSE,
    CLOSE_DROPS,
    DOUBLE,
    FIRST_CLONE_ENDS,
    FREES_TWO,
    GHOST_RECEIVER,
    GHOST_SENDER,
    HIDDEN_SLOT,
    LEAVES_SENDER,
    LOST_WAKE_UP,
    NOW_IS_LATER,
    ONE_MORE,
    OVERFLOW,
    RELAXATIONS,
    SECOND_CLOSE_DROPS,
    SILENT,
    STEALS,
    TORN_LENGTH,
    WAKES_ONE,
)
from quiesce.patterns.channel.state import (
    CLOSED,
    MAIN,
    WOULD_BLOCK,
    Loop,
    State,
    Waiting,
    deliver,
    end_of,
    is_transfer,
    leave,
    loop_of,
    queued,
    rest,
    swap,
)
from quiesce.stimuli import Began, Cancelled, Fact, Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from quiesce.adapters import Adapter

__all__ = ["Channel"]


class Channel(CallsModel):
    """The model of one channel."""

    relaxations: Mapping[str, str] = RELAXATIONS
    value = "CH-02 a call ends in another way"
    alien = "CH-15 a cancellation reaches a call that was not cancelled"

    def __init__(self, adapter: Adapter, arguments: Mapping[str, object]) -> None:
        capacity = arguments["capacity"]
        assert capacity is None or isinstance(capacity, int)
        self._capacity = capacity
        self._barging = adapter.dialect.get("handover", "direct") == "barging"
        self._refuses_second_close = adapter.dialect.get("close_twice", "error") == "error"
        self._two_ends = adapter.dialect.get("ends", "one") == "two"
        self._cancels = adapter.world in ASYNC
        self._joins = "join" not in adapter.lacks
        #: The clause that says who waits.
        self._bound = {0: "CH-01", None: "CH-21"}.get(capacity, "CH-02")

    def initial(self, part: Part) -> State:
        return State()

    def begin(self, state: State, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call = fact.call
        match fact.operation:
            case "send" | "send_by_clone":
                yield from self._send(state, call, end_of(fact), True, relaxed)
            case "try_send":
                yield from self._send(state, call, MAIN, False, relaxed)
            case "receive" | "receive_by_clone":
                yield from self._receive(state, call, end_of(fact), True, relaxed)
            case "try_receive":
                yield from self._receive(state, call, MAIN, False, relaxed)
            case "iterate":
                begun = put(evolve(state, loops=(*state.loops, Loop(call))), call, BLOCKED)
                yield Move(begun)
            case "close" | "close_sender_clone":
                yield from self._close(state, call, end_of(fact), relaxed)
            case "close_now":
                yield from self._close_now(state, call, relaxed)
            case "close_receiver" | "close_receiver_clone":
                ends = state.receive_ends - {end_of(fact)}
                after = evolve(state, receive_ends=ends, buffer=state.buffer if ends else ())
                yield Move(put(after, call, returned("closed")), ("CH-20",))
            case "clone_sender":
                after = evolve(state, send_ends=state.send_ends | {call})
                yield self._cloned(state, after, call, MAIN in state.send_ends)
            case "clone_receiver":
                after = evolve(state, receive_ends=state.receive_ends | {call})
                yield self._cloned(state, after, call, MAIN in state.receive_ends)
            case "occupancy":
                holds = returned(("holds", len(state.buffer), self._capacity))
                if not state.receive_ends:  # of a broken channel nothing is promised
                    holds = ANY
                yield Move(put(state, call, holds), ("CH-10",))
                if TORN_LENGTH in relaxed and state.senders and state.buffer:
                    torn = returned(("holds", len(state.buffer) - 1, self._capacity))
                    yield Move(put(state, call, torn), (), TORN_LENGTH)
            case "join":
                yield Move(put(evolve(state, joiners=(*state.joiners, call)), call, BLOCKED))
            case "task_done":
                yield self._task_done(state, call)

    def cancel(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        gone = put(leave(state, call), call, CANCELLED)
        tags = ("CH-15", "CH-16") if call not in state.joiners else ()
        yield Move(gone, tags)
        loop = loop_of(state, call)
        if loop is not None and loop.looks and loop.values:  # it has just received the last
            yield from self._given_back(gone, loop.values[-1], relaxed)
        if LOST_WAKE_UP in relaxed and self._barging and state.buffer:
            for waiting in gone.receivers:
                others = tuple(each for each in gone.receivers if each is not waiting)
                yield Move(evolve(gone, receivers=others), (), LOST_WAKE_UP)
        ghost = put(state, call, CANCELLED)  # it is gone, and still stands in the queue
        if GHOST_SENDER in relaxed and any(each.call == call for each in state.senders):
            yield Move(ghost, (), GHOST_SENDER)
        waits = any(each.call == call for each in state.receivers)
        if GHOST_RECEIVER in relaxed and waits and loop_of(state, call) is None:
            yield Move(ghost, (), GHOST_RECEIVER)

    def apply(self, state: State, fact: Fact, relaxed: Collection[str]) -> Iterable[Move]:
        match fact:
            case Cancelled(call) if (outcome := state.of(call)) and is_transfer(outcome):
                # What was transferred stays so: the cancellation came too late.
                yield Move(state, ("CH-15", "CH-16"))
                yield from self._too_late(state, call, outcome, relaxed)
            case _:
                yield from super().apply(state, fact, relaxed)

    def _too_late(
        self, state: State, call: int, outcome: Outcome, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """What else may become of a call that is cancelled after its value has passed."""
        cancelled = put(state, call, CANCELLED)
        match outcome:
            case ("returned", (_, value)):
                yield from self._given_back(cancelled, value, relaxed)
                if GHOST_RECEIVER in relaxed:
                    yield Move(cancelled, (), GHOST_RECEIVER)
            case _:
                if GHOST_SENDER in relaxed:
                    yield Move(cancelled, (), GHOST_SENDER)

    def _given_back(self, state: State, value: int, relaxed: Collection[str]) -> Iterable[Move]:
        """A cancelled receive gives its value back, as if it had never been made."""
        if self._barging:  # where the value is taken only by who is no longer cancelled
            return
        back = evolve(state, buffer=(value, *state.buffer))
        if receiver := self._first_receiver(state):
            left = tuple(each for each in state.receivers if each is not receiver)
            yield Move(
                deliver(evolve(state, receivers=left), receiver.call, value), ("CH-15", "CH-16")
            )
        elif self._has_room(state):
            yield Move(back, ("CH-15", "CH-16"))
        elif OVERFLOW in relaxed and self._capacity:
            yield Move(back, (), OVERFLOW)

    def follow(self, state: State, relaxed: Collection[str]) -> Iterable[Move]:
        for loop in state.loops:
            if loop.looks:
                yield from self._receive(state, loop.call, MAIN, True, relaxed)
        for waiting in state.senders:
            yield from self._sender_follows(state, waiting, relaxed)
            if not state.send_ends or not state.receive_ends:
                break  # all end, and in which order makes no difference
        for waiting in state.receivers:
            yield from self._receiver_follows(state, waiting, relaxed)
            if state.is_closed and not state.buffer:
                break
        if not state.unfinished:
            for call in state.joiners:
                yield Move(put(leave(state, call), call, returned("joined")), ("CH-21",))

    def possible(self, state: State, seen: View) -> bool:
        if state.loops:
            outcomes = dict(seen.calls)
            for loop in state.loops:
                match outcomes.get(loop.call):
                    case ("returned", ("iterated", *values)):
                        if tuple(values[: len(loop.values)]) != loop.values:
                            return False
        return super().possible(state, seen)

    def blame(self, expected: Sequence[View], seen: View) -> str:
        expected = closest(expected, seen)
        found = look(expected, seen, self._capacity, cancels=self._cancels)
        return found or super().blame(expected, seen)

    # The steps of a send, a receive and a close.

    def _is_barging(self, relaxed: Collection[str]) -> bool:
        return self._barging or (STEALS in relaxed and self._capacity != 0)

    def _has_room(self, state: State) -> bool:
        return self._capacity is None or len(state.buffer) < self._capacity

    def _entered(self, state: State, value: int) -> State:
        """The value is the buffer's last."""
        unfinished = state.unfinished + self._joins
        return evolve(state, buffer=(*state.buffer, value), unfinished=unfinished)

    def _send(
        self, state: State, call: int, end: int, waits: bool, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """Send the call's own number."""
        sent = put(state, call, returned(None if waits else True))
        if end not in state.send_ends:
            yield Move(put(state, call, REFUSED), ("CH-20",) if self._two_ends else ("CH-07",))
            if SILENT in relaxed:
                yield Move(sent, (), SILENT)
                yield Move(self._entered(sent, call), (), SILENT)
        elif not state.receive_ends:
            yield Move(put(state, call, returned("broken") if waits else REFUSED), ("CH-20",))
        elif not self._is_barging(relaxed) and (receiver := self._first_receiver(state)):
            met = evolve(sent, receivers=tuple(e for e in state.receivers if e is not receiver))
            if state.of(receiver.call) == BLOCKED:  # and no ghost
                met = note(deliver(met, receiver.call, call), call, relaxed)
            yield Move(met, ("CH-04", "CH-17", *(("CH-01",) if self._capacity == 0 else ())))
        elif self._has_room(state):
            yield Move(self._entered(sent, call), (self._bound,))
        elif waits:
            queue = queued(state.senders, Waiting(call, end), in_order=not self._barging)
            yield Move(put(evolve(state, senders=queue), call, BLOCKED), (self._bound,))
            yield from self._one_more(state, sent, call, relaxed)
        else:
            yield Move(put(state, call, returned(False)), (self._bound, "UN-04"))
            yield from self._one_more(state, sent, call, relaxed)

    def _one_more(
        self, state: State, sent: State, call: int, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """Relaxed: there is one slot more than there should be."""
        signature = ONE_MORE if self._capacity else HIDDEN_SLOT
        if signature in relaxed and len(state.buffer) == self._capacity:
            yield Move(self._entered(sent, call), (), signature)

    def _receive(
        self, state: State, call: int, end: int, waits: bool, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """Take the next value there is. The call is a receive, or an iteration."""
        if end not in state.receive_ends:
            yield self._ends(state, call, REFUSED, ("CH-20",))
            return
        barging = self._is_barging(relaxed)
        sender = None if barging else self._first_sender(state)
        if state.buffer:
            value, *left = state.buffer
            taken = evolve(deliver(state, call, value), buffer=tuple(left))
            tags = ["CH-04"]
            if len(state.buffer) + len(state.senders) > 1:
                tags.append("CH-03")
            if state.is_closed:
                tags.append("CH-05")
            if sender is not None:  # it takes the slot
                taken = self._lets_go(taken, sender)
                tags += ["CH-17", "CH-18"]
                second = self._first_sender(taken)
                if FREES_TWO in relaxed and second is not None:
                    yield Move(note(self._lets_go(taken, second), value, relaxed), (), FREES_TWO)
            yield Move(note(taken, value, relaxed), tuple(tags))
        elif sender is not None:
            met = evolve(state, senders=tuple(e for e in state.senders if e is not sender))
            met = sent_by(deliver(met, call, sender.call), sender)
            tags = ["CH-01", "CH-04"] + (["CH-03"] if len(state.senders) > 1 else [])
            yield Move(note(met, sender.call, relaxed), tuple(tags))
        elif state.is_closed:
            yield self._ends(state, call, CLOSED, ("CH-05",))
            if BLOCKS_AFTER_CLOSE in relaxed:
                stuck = put(state, call, BLOCKED)
                if loop := loop_of(state, call):
                    stuck = swap(stuck, loop, evolve(loop, looks=False))
                yield Move(stuck, (), BLOCKS_AFTER_CLOSE)
        elif waits:
            waits_too = rest(state, Waiting(call, end), in_order=not self._barging)
            yield Move(waits_too, (self._bound,))
        else:
            yield Move(put(state, call, WOULD_BLOCK), (self._bound, "UN-04"))
        if DOUBLE in relaxed:
            yield from doubled(state, call)

    def _lets_go(self, state: State, sender: Waiting) -> State:
        """A blocked send puts its value into the buffer and completes."""
        left = tuple(each for each in state.senders if each is not sender)
        return self._entered(sent_by(evolve(state, senders=left), sender), sender.call)

    def _first_sender(self, state: State) -> Waiting | None:
        return next((each for each in state.senders if each.end in state.send_ends), None)

    def _first_receiver(self, state: State) -> Waiting | None:
        return next((each for each in state.receivers if each.end in state.receive_ends), None)

    def _sender_follows(
        self, state: State, waiting: Waiting, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """What becomes of a blocked send by itself."""
        if state.of(waiting.call) != BLOCKED:
            return  # a ghost
        without = leave(state, waiting.call)
        if waiting.end not in state.send_ends:
            tags = ("CH-07", "CH-20") if self._two_ends else ("CH-07",)
            yield Move(put(without, waiting.call, REFUSED), tags)
            if LEAVES_SENDER in relaxed:
                yield Move(without, (), LEAVES_SENDER)
        elif not state.receive_ends:
            yield Move(put(without, waiting.call, returned("broken")), ("CH-20",))
        elif self._is_barging(relaxed) and self._has_room(state):
            yield Move(self._lets_go(state, waiting), ("CH-18",))

    def _receiver_follows(
        self, state: State, waiting: Waiting, relaxed: Collection[str]
    ) -> Iterable[Move]:
        """What becomes of a blocked receive by itself."""
        call = waiting.call
        if state.of(call) != BLOCKED:
            return  # a ghost
        without = evolve(state, receivers=tuple(e for e in state.receivers if e is not waiting))
        if waiting.end not in state.receive_ends:
            yield self._ends(without, call, REFUSED, ("CH-20",))
        elif state.buffer and self._is_barging(relaxed):
            yield from self._receive(without, call, waiting.end, True, relaxed)
        elif state.is_closed and not state.buffer:
            yield self._ends(without, call, CLOSED, ("CH-06",))
            if WAKES_ONE in relaxed:
                yield Move(without, (), WAKES_ONE)
        if DOUBLE in relaxed:
            yield from doubled(without, call)

    def _ends(self, state: State, call: int, outcome: Outcome, tags: tuple[str, ...]) -> Move:
        """A receive ends without a value; for an iteration that is the end of it."""
        loop = loop_of(state, call)
        if loop is not None:
            state = evolve(state, loops=tuple(each for each in state.loops if each is not loop))
            tags = (*tags, "CH-19")
            if outcome == CLOSED:
                outcome = returned(("iterated", *loop.values))
        if self._two_ends and outcome == CLOSED:
            tags = (*tags, "CH-20")
        return Move(put(state, call, outcome), tags)

    def _close(self, state: State, call: int, end: int, relaxed: Collection[str]) -> Iterable[Move]:
        closed = put(state, call, returned("closed"))
        if end not in state.send_ends:
            if self._refuses_second_close and end == MAIN:
                closed = put(state, call, REFUSED)
            yield Move(closed, ("CH-08", "UN-07"))
            if SECOND_CLOSE_DROPS in relaxed:
                yield Move(evolve(closed, buffer=()), (), SECOND_CLOSE_DROPS)
            return
        closed = evolve(closed, send_ends=state.send_ends - {end})
        yield Move(closed, ("CH-20",) if self._two_ends else ())
        if CLOSE_DROPS in relaxed and state.buffer:
            yield Move(evolve(closed, buffer=()), (), CLOSE_DROPS)
        if FIRST_CLONE_ENDS in relaxed:
            yield Move(evolve(closed, ended=True), (), FIRST_CLONE_ENDS)

    def _close_now(self, state: State, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        closed = put(evolve(state, send_ends=frozenset()), call, returned("closed"))
        dropped = max(0, state.unfinished - len(state.buffer))
        tags = ("CH-21",) if state.send_ends else ("CH-21", "UN-07")
        yield Move(evolve(closed, buffer=(), unfinished=dropped), tags)
        if NOW_IS_LATER in relaxed:
            yield Move(closed, (), NOW_IS_LATER)

    def _cloned(self, state: State, after: State, call: int, is_open: bool) -> Move:
        if is_open:
            return Move(put(after, call, returned("cloned")))
        return Move(put(state, call, REFUSED), ("CH-20",))

    def _task_done(self, state: State, call: int) -> Move:
        if not state.unfinished:
            return Move(put(state, call, REFUSED))
        after = evolve(state, unfinished=state.unfinished - 1)
        return Move(put(after, call, returned("done")))


def sent_by(state: State, sender: Waiting) -> State:
    """A blocked send has completed; one that was cancelled has its outcome already."""
    blocked = state.of(sender.call) == BLOCKED
    return put(state, sender.call, returned(None)) if blocked else state


def note(state: State, value: int, relaxed: Collection[str]) -> State:
    """Remember what was received, where a relaxation may need it."""
    return evolve(state, received=(*state.received, value)) if DOUBLE in relaxed else state


def doubled(state: State, call: int) -> Iterable[Move]:
    """Relaxed: the call gets a value that another has received."""
    for value in state.received:
        left = tuple(each for each in state.received if each != value)
        yield Move(deliver(evolve(state, received=left), call, value), (), DOUBLE)
