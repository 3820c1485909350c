"""The model of the read-write lock, judged by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.rwlock import RWLOCK
from quiesce.stimuli import Began, Cancelled, Fact, Finished

PART = (0,)
GONE = ("cancelled",)
REFUSED = ("raised", ("refused",))
NOTHING = ("returned", None)
FAILED = ("returned", (False, None))

Outcome = tuple[Any, ...]
Seen = tuple[Sequence[Fact], dict[int, Outcome], Sequence[tuple[int, int, str]]]


def value(index: int) -> Outcome:
    return ("returned", ("value", index))


def model_of(**dialect: str) -> Any:
    adapter = Adapter("hand", "rwlock", "asyncio", module="", qualname="", dialect=dialect)
    return RWLOCK.model(adapter, {})


def begun(operation: str, call: int, runs: Sequence[int], waits: Sequence[int] = ()) -> Seen:
    """A call after which these calls' functions run, in their order, and these wait."""
    calls = dict.fromkeys((*runs, *waits), BLOCKED)
    return (
        [Began(call, operation, ())],
        calls,
        [(i, each, "running") for i, each in enumerate(runs)],
    )


def entry(seen: Seen) -> Entry:
    """What was seen after a burst whose facts may have taken effect in any order."""
    facts, calls, executions = seen
    burst = Burst(tuple(facts), tuple(frozenset[int]() for _ in facts))
    return Entry(PART, burst, View(tuple(sorted(calls.items())), tuple(executions)))


def allows(model: Any, *seen: Seen) -> bool:
    checker = Checker(model)
    return all(checker.compare(entry(each)) for each in seen)


def blamed(model: Any, *seen: Seen) -> str:
    """The signature of what was seen last; all before that conforms."""
    journal = [entry(each) for each in seen]
    checker = Checker(model)
    assert all(checker.compare(each) for each in journal[:-1])
    assert not checker.compare(journal[-1])
    return name(model, journal, checker.predict(journal[-1]))


READS = begun("read", 0, [0])
WRITES = begun("write", 0, [0])
WRITER_WAITS = begun("write", 1, [0], [1])


def test_readers_share_the_lock_and_nobody_shares_it_with_a_writer() -> None:
    assert allows(model_of(), READS, begun("read", 1, [0, 1]), begun("write", 2, [0, 1], [2]))
    for second in ("read", "write"):
        assert allows(model_of(), WRITES, begun(second, 1, [0], [1]))
        assert blamed(model_of(), WRITES, begun(second, 1, [0, 1])).startswith("RW-01")
    assert blamed(model_of(), READS, begun("read", 1, [0], [1])).startswith("RW-01")


def test_a_waiting_writer_holds_new_readers_back() -> None:
    assert allows(model_of(), READS, WRITER_WAITS, begun("read", 2, [0], [1, 2]))
    overtakes = begun("read", 2, [0, 2], [1])
    assert blamed(model_of(), READS, WRITER_WAITS, overtakes).startswith("RW-02")


def test_a_reader_that_reads_again_behind_a_writer_waits_for_itself() -> None:
    again = Began(2, "read", (), inside=0)

    assert allows(
        model_of(), READS, WRITER_WAITS, ([again], dict.fromkeys((0, 1, 2), BLOCKED), READS[2])
    )


@pytest.mark.parametrize(("heir", "declared"), [(2, "readers"), (1, "any")])
def test_after_a_write_readers_go_first_unless_no_order_is_declared(
    heir: int, declared: str
) -> None:
    reader_waits = begun("read", 2, [0], [1, 2])
    ends: Seen = (
        [Finished(0, "value")],
        {0: value(0), 1: BLOCKED, 2: BLOCKED},
        [(0, 0, "ended"), (1, heir, "running")],
    )

    assert allows(model_of(after_write=declared), WRITES, WRITER_WAITS, reader_waits, ends)
    if heir == 1:
        assert blamed(model_of(), WRITES, WRITER_WAITS, reader_waits, ends).startswith("RW-03")


@pytest.mark.parametrize("runs", [[1], [2], [2, 3], [3], [3, 2]])
def test_a_free_lock_that_is_not_handed_over_is_for_anybody_who_comes(runs: list[int]) -> None:
    model = model_of(handover="barging", after_write="any")
    reader_waits = begun("read", 2, [0], [1, 2])
    ends: Seen = (
        [Finished(0, "value"), Began(3, "read", ())],
        {0: value(0), 1: BLOCKED, 2: BLOCKED, 3: BLOCKED},
        [(0, 0, "ended"), *((i, call, "running") for i, call in enumerate(runs, 1))],
    )

    assert allows(model, WRITES, WRITER_WAITS, reader_waits, ends)
    nobody: Seen = (ends[0], ends[1], ends[2][:1])
    assert not allows(model, WRITES, WRITER_WAITS, reader_waits, nobody)


@pytest.mark.parametrize("operation", ["release_read", "release_write"])
def test_what_nobody_holds_is_not_unlocked(operation: str) -> None:
    assert allows(model_of(), ([Began(0, operation, ())], {0: REFUSED}, []))
    seen: Seen = ([Began(0, operation, ())], {0: NOTHING}, [])
    assert blamed(model_of(), seen) == "RW-04 something is unlocked that is not held"


def test_an_unlock_in_the_wrong_mode_is_refused() -> None:
    seen: Seen = (
        [Began(2, "release_write", ())],
        {0: BLOCKED, 1: BLOCKED, 2: NOTHING},
        [(0, 0, "running"), (1, 1, "running")],
    )

    assert blamed(model_of(), READS, WRITER_WAITS, seen).startswith("RW-04")


@pytest.mark.parametrize(
    ("before", "operation", "succeeds"),
    [
        ([READS], "try_read", True),
        ([READS], "try_write", False),
        ([READS, WRITER_WAITS], "try_read", False),
        ([WRITES], "try_read", False),
        ([WRITES], "try_write", False),
        ([], "try_write", True),
    ],
)
def test_a_try_succeeds_exactly_where_it_need_not_wait(
    before: list[Seen], operation: str, succeeds: bool
) -> None:
    call, held = len(before), before[-1] if before else ([], {}, [])
    tried = [Began(call, operation, ())]
    gets_it = tried, {**held[1], call: BLOCKED}, [*held[2], (len(held[2]), call, "running")]
    fails = tried, {**held[1], call: FAILED}, held[2]

    assert allows(model_of(), *before, gets_it) == succeeds
    assert allows(model_of(), *before, fails) != succeeds


def test_readers_get_in_when_the_writer_that_held_them_back_is_cancelled() -> None:
    reader_waits = begun("read", 2, [0], [1, 2])
    calls = {0: BLOCKED, 1: GONE, 2: BLOCKED}
    get_in: Seen = ([Cancelled(1)], calls, [(0, 0, "running"), (1, 2, "running")])
    go_on_waiting: Seen = ([Cancelled(1)], calls, READS[2])

    assert allows(model_of(), READS, WRITER_WAITS, reader_waits, get_in)
    signature = blamed(model_of(), READS, WRITER_WAITS, reader_waits, go_on_waiting)
    assert signature == "UN-04 a cancelled writer goes on holding readers back"
