"""What is done to a channel: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.channel.clauses import ASYNC
from quiesce.patterns.pattern import Scenario
from quiesce.stimuli import NOTHING, Cancel, Start, Step, Weighted, arguments

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = {"cancel": (0, 1), "instance": (0, 0, 0, 1)}
WHICH = {"which": (0, 1)}


def drawn(operation: str, weight: int, *needs: str, clone: bool = False) -> Weighted:
    """Calls of an operation, drawn so often."""
    return Weighted(
        operation,
        Start,
        weight,
        fixed={"operation": operation},
        choices=CANCELS,
        operands=WHICH if clone else {},
        needs=needs,
    )


#: Iterations are in the fixed scenarios only: several at once have too many orders to follow.
STIMULI = (
    drawn("send", 10),
    drawn("receive", 10),
    drawn("try_send", 2, "try_send"),
    drawn("try_receive", 2, "try_receive"),
    drawn("close", 2, "close"),
    drawn("occupancy", 2, "length"),
    drawn("close_now", 1, "close_now"),
    drawn("join", 1, "join"),
    drawn("task_done", 2, "join"),
    drawn("close_receiver", 1, "ends"),
    drawn("clone_sender", 2, "ends"),
    drawn("clone_receiver", 2, "ends"),
    drawn("send_by_clone", 4, "ends", clone=True),
    drawn("receive_by_clone", 3, "ends", clone=True),
    drawn("close_sender_clone", 2, "ends", clone=True),
    drawn("close_receiver_clone", 1, "ends", clone=True),
    Weighted("cancel_a_caller", Cancel, 7, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
)


def call(operation: str, follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start(operation, (), instance, cancel), follow)


def clone(operation: str) -> Step:
    """A call through the first clone."""
    return Step(Start(operation, arguments(which=0)))


SEND, RECEIVE, LENGTH = call("send"), call("receive"), call("occupancy")
TRY_SEND, TRY_RECEIVE = call("try_send"), call("try_receive")
CLOSE, ITERATE = call("close"), call("iterate")
SEND_AT_ONCE, RECEIVE_AT_ONCE = call("send", NOTHING), call("receive", NOTHING)
NOW, JOIN, DONE = call("close_now"), call("join"), call("task_done")

UNBUFFERED, PAIR, UNBOUNDED = {"capacity": 0}, {"capacity": 2}, {"capacity": None}

SCENARIOS = (
    Scenario("a sender waits for a receiver", (SEND, SEND, RECEIVE, RECEIVE), arguments=UNBUFFERED),
    Scenario("receivers wait for a sender", (RECEIVE, RECEIVE, SEND, SEND), arguments=UNBUFFERED),
    Scenario(
        "nothing is buffered",
        (TRY_SEND, TRY_RECEIVE, SEND, LENGTH, TRY_RECEIVE, RECEIVE, TRY_SEND),
        arguments=UNBUFFERED,
    ),
    Scenario("a buffer fills and drains", (SEND, LENGTH, SEND, SEND, RECEIVE, RECEIVE, RECEIVE)),
    Scenario(
        "values leave in order",
        (SEND, SEND, SEND, SEND, LENGTH, RECEIVE, RECEIVE, RECEIVE, LENGTH, RECEIVE),
        arguments=PAIR,
    ),
    Scenario("receivers wait for values", (RECEIVE, RECEIVE, RECEIVE, SEND, SEND, SEND)),
    Scenario("without waiting", (TRY_RECEIVE, TRY_SEND, TRY_SEND, LENGTH, TRY_RECEIVE)),
    Scenario(
        "senders race",
        (SEND_AT_ONCE, SEND_AT_ONCE, SEND_AT_ONCE, RECEIVE_AT_ONCE, RECEIVE, RECEIVE, LENGTH),
    ),
    Scenario("receivers race", (RECEIVE_AT_ONCE, RECEIVE_AT_ONCE, SEND_AT_ONCE, SEND, RECEIVE)),
    Scenario("a newcomer wants the value", (RECEIVE, SEND_AT_ONCE, RECEIVE, SEND)),
    Scenario("a newcomer wants the value, a step later", (RECEIVE, call("send", 1), RECEIVE, SEND)),
    Scenario("a newcomer wants the slot", (SEND, SEND, RECEIVE_AT_ONCE, SEND, RECEIVE, RECEIVE)),
    Scenario(
        "a look at the length in the middle of a hand-over",
        (SEND, SEND, RECEIVE_AT_ONCE, LENGTH),
        needs=["length"],
    ),
    Scenario(
        "instances are independent",
        (call("send", instance=1), RECEIVE, call("receive", instance=1), SEND),
        arguments={"instances": 2},
    ),
    Scenario(
        "the close delivers what was accepted",
        (SEND, SEND, CLOSE, SEND, LENGTH, RECEIVE, RECEIVE, RECEIVE),
        needs=["close"],
        arguments=PAIR,
    ),
    Scenario("the close releases receivers", (RECEIVE, RECEIVE, CLOSE, RECEIVE), needs=["close"]),
    Scenario(
        "the close releases senders",
        (SEND, SEND, SEND, CLOSE, CLOSE, TRY_SEND, RECEIVE),
        needs=["close"],
    ),
    Scenario(
        "the close without a buffer",
        (SEND, CLOSE, RECEIVE, TRY_RECEIVE, TRY_SEND),
        needs=["close"],
        arguments=UNBUFFERED,
    ),
    Scenario(
        "close twice",
        (SEND, SEND, CLOSE, RECEIVE, CLOSE, RECEIVE, CLOSE, RECEIVE),
        needs=["close"],
        arguments=PAIR,
    ),
    Scenario(
        "a close races with a sender and a receiver",
        (RECEIVE_AT_ONCE, SEND_AT_ONCE, CLOSE, RECEIVE),
        needs=["close"],
    ),
    Scenario(
        "iterate",
        (SEND, ITERATE, SEND, SEND, CLOSE, ITERATE),
        needs=["close", "iterate"],
    ),
    Scenario(
        "iterate over what is left",
        (SEND, SEND, CLOSE, ITERATE, RECEIVE),
        needs=["close", "iterate"],
        arguments=PAIR,
    ),
    Scenario("without a bound", (RECEIVE, SEND, SEND, SEND, RECEIVE), arguments=UNBOUNDED),
    Scenario("join", (JOIN, SEND, JOIN, RECEIVE, DONE, DONE), needs=["join"]),
    Scenario(
        "close and discard",
        (SEND, SEND, SEND, JOIN, NOW, RECEIVE, LENGTH, NOW, SEND),
        needs=["close_now", "join"],
        arguments=PAIR,
    ),
    Scenario(
        "close and discard, a value is not done",
        (SEND, RECEIVE, SEND, JOIN, NOW, RECEIVE, DONE),
        needs=["close_now", "join"],
    ),
    Scenario("discard with receivers", (RECEIVE, RECEIVE, NOW, CLOSE), needs=["close_now"]),
    Scenario(
        "the last sending end closes",
        (
            call("clone_sender"),
            RECEIVE,
            CLOSE,
            SEND,
            clone("send_by_clone"),
            RECEIVE,
            clone("close_sender_clone"),
            clone("send_by_clone"),
            RECEIVE,
        ),
        needs=["ends"],
        worlds=ASYNC,
    ),
    Scenario(
        "a sending end closes with a blocked sender",
        (call("clone_sender"), SEND, SEND, clone("send_by_clone"), CLOSE, RECEIVE, RECEIVE),
        needs=["ends"],
        worlds=ASYNC,
    ),
    Scenario(
        "the last receiving end closes",
        (
            call("clone_receiver"),
            clone("receive_by_clone"),
            call("close_receiver"),
            RECEIVE,
            SEND,
            SEND,
            SEND,
            clone("close_receiver_clone"),
            SEND,
            TRY_SEND,
        ),
        needs=["ends"],
        worlds=ASYNC,
    ),
    Scenario(
        "a receiving end closes with a blocked receiver",
        (call("clone_receiver"), RECEIVE, clone("receive_by_clone"), call("close_receiver"), SEND),
        needs=["ends"],
        worlds=ASYNC,
    ),
    *(
        Scenario(f"{words} ({kind})", steps, arguments=setup, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, setup, steps in (
            (
                "cancel a receiver",
                {},
                (call("receive", cancel=cancel), RECEIVE, Step(Cancel(0)), SEND, SEND, LENGTH),
            ),
            (
                "cancel a sender",
                {},
                (SEND, call("send", cancel=cancel), SEND, Step(Cancel(0)), RECEIVE, RECEIVE),
            ),
            (
                "cancel a sender without a buffer",
                UNBUFFERED,
                (call("send", cancel=cancel), Step(Cancel(0)), RECEIVE, SEND),
            ),
            *(
                (
                    f"cancel a receiver {ticks} steps after its value came",
                    setup,
                    (
                        call("receive", cancel=cancel),
                        RECEIVE,
                        call("send", ticks),
                        Step(Cancel(0), NOTHING),
                        SEND,
                        SEND,
                        LENGTH,
                    ),
                )
                for ticks, setup in ((1, {}), (2, UNBUFFERED))
            ),
            (
                "cancel a receiver with its value on the way, and refill",
                {},
                (
                    call("receive", cancel=cancel),
                    SEND_AT_ONCE,
                    call("try_send", 2),
                    Step(Cancel(0)),
                    LENGTH,
                    RECEIVE,
                ),
            ),
            *(
                (
                    f"cancel a sender {ticks} steps after its value went",
                    setup,
                    (
                        *before,
                        call("send", cancel=cancel),
                        call("receive", ticks),
                        Step(Cancel(0)),
                        RECEIVE,
                        LENGTH,
                        SEND,
                    ),
                )
                for ticks, setup, before in ((1, UNBUFFERED, ()), (2, {}, (SEND,)))
            ),
        )
    ),
)

PROBE = (SEND, RECEIVE)
#: A channel without a close is freed value by value.
UNBLOCK = (CLOSE, TRY_SEND, TRY_RECEIVE, DONE, Step(Cancel()))
