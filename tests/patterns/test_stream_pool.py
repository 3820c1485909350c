"""The model of a stream, judged by hand: how far it pulls, who gets what, and how it ends."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.stream_pool import STREAM_POOL
from quiesce.stimuli import Began, Cancelled, Fact, Finished

END = ("returned", "end")
STOPPED = ("returned", "stopped")
GONE = ("cancelled",)
SOURCE = ("source", None, None)

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], Mapping[int, Outcome], Sequence[tuple[int, Hashable, str]]]


def model_of(
    workers: int = 1, buffer: int = 0, ordered: bool = False, running: str = "runs_on"
) -> Any:
    dialect = {"cancel_running": running}
    adapter = Adapter("hand", "stream_pool", "asyncio", "", "", dialect=dialect)
    given = {"workers": workers, "buffer": buffer, "ordered": ordered}
    return STREAM_POOL.model(adapter, given)


def entry(seen: Seen) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    facts, calls, executions = seen
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry((0,), burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(each)) for each in seen)


def blamed(model: Any, *seen: Seen) -> str:
    """The signature of the last thing seen, which the model doesn't allow."""
    checker = Checker(model)
    entries = [entry(each) for each in seen]
    assert all(checker.compare(each) for each in entries[:-1])
    assert not checker.compare(entries[-1])
    return name(model, entries, checker.predict(entries[-1]))


def take(call: int) -> Began:
    return Began(call, "next", ())


def stop(call: int) -> Began:
    return Began(call, "stop", ())


def pull(index: int, phase: str = "running") -> tuple[int, Hashable, str]:
    return (index, SOURCE, phase)


def job(index: int, item: int, phase: str = "running") -> tuple[int, Hashable, str]:
    return (index, ("function", ("value", item), None), phase)


def outcome(index: int) -> Outcome:
    return ("returned", ("item", ("value", index)))


WANTED: Seen = ([take(0)], {0: BLOCKED}, [pull(0)])
ONE_RUNS: Seen = ([Finished(0, "value")], {0: BLOCKED}, [pull(0, "ended"), job(1, 0)])
#: Two workers: a job runs, and the next item is being pulled.
RUNS_AND_PULLS: Seen = (
    [Finished(0, "value")],
    {0: BLOCKED},
    [pull(0, "ended"), job(1, 0), pull(2)],
)
TWO_RUN: Seen = (
    [Finished(2, "value")],
    {0: BLOCKED},
    [job(1, 0), pull(2, "ended"), job(3, 2)],
)


def test_without_a_place_the_source_rests_until_an_outcome_is_taken() -> None:
    taken: Seen = ([Finished(1, "value")], {0: outcome(1)}, [job(1, 0, "ended"), pull(2)])
    assert allows(model_of(), WANTED, ONE_RUNS, taken)
    assert blamed(model_of(), WANTED, RUNS_AND_PULLS) == "WP-07 an item is pulled too early"


def test_with_a_place_the_next_item_is_pulled_at_once() -> None:
    assert allows(model_of(buffer=1), WANTED, RUNS_AND_PULLS)
    assert blamed(model_of(buffer=1), WANTED, ONE_RUNS).startswith("WP-07 the source is not")


def test_outcomes_come_as_jobs_end_or_in_the_order_of_the_items() -> None:
    early: Seen = (
        [Finished(3, "value")],
        {0: outcome(3)},
        [job(1, 0), job(3, 2, "ended"), pull(4)],
    )
    assert allows(model_of(workers=2), WANTED, RUNS_AND_PULLS, TWO_RUN, early)
    waits: Seen = ([Finished(3, "value")], {0: BLOCKED}, [job(1, 0), job(3, 2, "ended")])
    assert allows(model_of(workers=2, ordered=True), WANTED, RUNS_AND_PULLS, TWO_RUN, waits)
    assert not allows(model_of(workers=2), WANTED, RUNS_AND_PULLS, TWO_RUN, waits)


def test_the_end_comes_after_the_last_outcome() -> None:
    over: Seen = ([Finished(2, "none")], {0: BLOCKED}, [job(1, 0), pull(2, "ended")])
    last: Seen = ([Finished(1, "value")], {0: outcome(1)}, [job(1, 0, "ended")])
    again: Seen = ([take(1)], {1: END}, [])
    model = model_of(workers=2)
    assert allows(model, WANTED, RUNS_AND_PULLS, over, last, again, ([take(2)], {2: END}, []))
    early: Seen = ([Finished(2, "none")], {0: END}, [job(1, 0), pull(2, "ended")])
    assert blamed(model, WANTED, RUNS_AND_PULLS, early) == "WP-17 the stream ends early"


def test_the_error_of_the_source_comes_before_the_end_and_once() -> None:
    fails: Seen = ([Finished(0, "error")], {0: ("raised", ("error", 0))}, [pull(0, "ended")])
    assert allows(model_of(), WANTED, fails, ([take(1)], {1: END}, []))
    ends: Seen = ([Finished(0, "error")], {0: END}, [pull(0, "ended")])
    assert blamed(model_of(), WANTED, ends) == "WP-17 the stream ends early"


def test_a_stop_ends_the_stream_and_nothing_starts_any_more() -> None:
    stopped: Seen = ([stop(1)], {0: END, 1: STOPPED}, [job(1, 0), pull(2)])
    pulled: Seen = ([Finished(2, "value")], {}, [job(1, 0), pull(2, "ended")])
    model = model_of(workers=2)
    assert allows(model, WANTED, RUNS_AND_PULLS, stopped, pulled)
    works_on: Seen = ([Finished(2, "value")], {}, [job(1, 0), pull(2, "ended"), job(3, 2)])
    assert blamed(model, WANTED, RUNS_AND_PULLS, stopped, works_on).startswith("WP-12")


def test_a_stop_interrupts_tasks() -> None:
    stopped: Seen = (
        [stop(1)],
        {0: END, 1: STOPPED},
        [job(1, 0, "cancelled"), pull(2, "cancelled")],
    )
    model = model_of(workers=2, running="interrupted")
    assert allows(model, WANTED, RUNS_AND_PULLS, stopped)
    ignored: Seen = ([stop(1)], {0: END, 1: STOPPED}, [job(1, 0), pull(2)])
    assert blamed(model, WANTED, RUNS_AND_PULLS, ignored).startswith("WP-12")


def test_a_cancelled_consumer_loses_nothing() -> None:
    gone: Seen = ([Cancelled(0)], {0: GONE}, [job(1, 0)])
    done: Seen = ([Finished(1, "value")], {}, [job(1, 0, "ended")])
    kept: Seen = ([take(1)], {1: outcome(1)}, [pull(2)])
    assert allows(model_of(), WANTED, ONE_RUNS, gone, done, kept)
    lost: Seen = ([Finished(1, "value")], {}, [job(1, 0, "ended"), pull(2)])
    assert blamed(model_of(), WANTED, ONE_RUNS, gone, lost) == (
        "UN-04 an outcome is lost with a cancelled consumer"
    )


def test_each_of_several_consumers_may_get_the_outcome_and_one_does() -> None:
    second: Seen = ([take(1)], {0: BLOCKED, 1: BLOCKED}, [job(1, 0)])
    for first, other in ((outcome(1), BLOCKED), (BLOCKED, outcome(1))):
        seen: Seen = ([Finished(1, "value")], {0: first, 1: other}, [job(1, 0, "ended"), pull(2)])
        assert allows(model_of(), WANTED, ONE_RUNS, second, seen)
    twice: Seen = (
        [Finished(1, "value")],
        {0: outcome(1), 1: outcome(1)},
        [job(1, 0, "ended"), pull(2)],
    )
    assert blamed(model_of(), WANTED, ONE_RUNS, second, twice).startswith("WP-18")
