"""The clauses of channels, as data."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "CH-01",
        Level.MUST,
        "Without a buffer a send completes only together with a receive: there is no hidden slot.",
        "The Go memory model, unbuffered channels; trio test_channel.py: test_unbuffered",
        needs=["rendezvous"],
        twins=["ch_hidden_slot"],
    ),
    Clause(
        "CH-02",
        Level.MUST,
        "With capacity c a send blocks exactly when c values are waiting, and a receive blocks "
        "exactly when none is.",
        "Go runtime/chan_test.go: TestChan",
        needs=["bounded"],
        twins=["ch_cap_plus_one"],
    ),
    Clause(
        "CH-03",
        Level.MUST,
        "Values leave in the order in which they entered: the buffer's first, then those of "
        "blocked senders, where hand-over is direct in the order of their arrival.",
        "Go runtime/chan_test.go: TestChan",
        twins=["ch_lifo"],
    ),
    Clause(
        "CH-04",
        Level.MUST,
        "Each value is received by exactly one receiver.",
        "Go runtime/chan_test.go: TestChan, TestMultiConsumer",
        twins=["ch_double_delivery"],
    ),
    Clause(
        "CH-05",
        Level.MUST,
        "After the close, values already accepted are still delivered; then every receive tells "
        "at once, and for ever, that the channel is closed.",
        "The Go specification: Close; runtime/chan_test.go: TestChan",
        needs=["close"],
        twins=["ch_close_drops_buffer", "ch_recv_blocks_after_close"],
    ),
    Clause(
        "CH-06",
        Level.MUST,
        "The close releases all blocked receivers.",
        "Go runtime/chan_test.go: TestChan",
        needs=["close"],
        twins=["ch_close_wakes_one"],
    ),
    Clause(
        "CH-07",
        Level.MUST,
        "A send on a closed channel is an error to its sender, also to those who were blocked "
        "when it was closed; the value is not delivered.",
        "The Go specification: Close",
        needs=["close"],
        twins=["ch_send_after_close_silent", "ch_close_forgets_senders"],
    ),
    Clause(
        "CH-08",
        Level.MUST,
        "A second close is an error in the dialect close_twice = error, as in Go, and changes "
        "nothing in the dialect noop, as in trio.",
        "The Go specification: Close; trio _channel.py: MemorySendChannel.close",
        needs=["close"],
        twins=["ch_second_close_passes", "ch_second_close_fails"],
    ),
    Clause(
        "CH-09",
        Level.MAY,
        "A nil channel: send and receive block for ever, close is an error, and in a select it "
        "is never ready.",
        "The Go specification: Select, Close",
        untested="Python has no nil channels; a select whose list of cases is computed leaves "
        "such a case out",
    ),
    Clause(
        "CH-10",
        Level.MUST,
        "The length is the number of buffered values, the capacity never changes, and the "
        "length is never below zero or above the capacity.",
        "Go runtime/chan_test.go: TestChan",
        needs=["length"],
        twins=["ch_length_is_zero_after_close"],
    ),
    Clause(
        "CH-15",
        Level.MUST,
        "A cancelled send or receive is atomic: the value is transferred and the call "
        "successful, or it is not and the call cancelled. Never lost, never doubled.",
        "trio: open_memory_channel; anyio issue 146; tornado issue 2826",
        worlds=ASYNC,
        twins=["ch_lost_on_cancelled_receive", "ch_duplicate_on_cancelled_send"],
    ),
    Clause(
        "CH-16",
        Level.MUST,
        "Also under cancellation the buffer never holds more than the capacity.",
        "anyio pull request 147",
        needs=["bounded", "length"],
        worlds=ASYNC,
        twins=["ch_overflow_on_requeue"],
    ),
    Clause(
        "CH-17",
        Level.MUST,
        "A value handed to a blocked receiver belongs to it: a later receive can't steal it; "
        "nor can a later send take the slot of a blocked sender.",
        "trio test_channel.py: test_channel_fairness",
        dialect={"handover": ("direct",)},
        twins=["ch_newcomer_steals"],
    ),
    Clause(
        "CH-18",
        Level.MUST,
        "With capacity c the send number k+c completes only after the receive number k: a "
        "receive lets one blocked sender go, so the channel works as a counting semaphore.",
        "The Go memory model, buffered channels",
        needs=["bounded"],
        twins=["ch_receive_frees_two"],
    ),
    Clause(
        "CH-19",
        Level.MUST,
        "Iterating ends exactly when the channel is closed and drained.",
        "The Go specification: For statements with range clause",
        needs=["close", "iterate"],
        twins=["ch_iteration_ends_when_empty"],
    ),
    Clause(
        "CH-20",
        Level.MUST,
        "Two ends with clones: receivers see the end only when the last sending end closes; "
        "when the last receiving end closes, senders learn that the channel is broken; using "
        "an end that was closed is a different error.",
        "trio _channel.py; anyio streams/memory.py",
        dialect={"ends": ("two",)},
        worlds=ASYNC,
        twins=["ch_first_clone_ends_it", "ch_broken_goes_unnoticed"],
    ),
    Clause(
        "CH-21",
        Level.MUST,
        "Shutdown of a queue: puts fail, gets drain and then fail; an immediate shutdown "
        "discards what is buffered and settles join. A queue of size 0 is unbounded.",
        "Python 3.13, asyncio/queues.py and queue.py: shutdown",
        needs=["close_now", "join"],
        twins=["ch_shutdown_now_keeps_values", "ch_shutdown_now_leaves_join"],
    ),
)
