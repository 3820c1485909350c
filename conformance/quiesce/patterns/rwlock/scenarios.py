"""What is done to a read-write lock: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.rwlock.clauses import ASYNC
from quiesce.stimuli import NOTHING, Cancel, Inside, Open, Start, Step, Weighted

__all__ = ["PROBE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)
INSTANCES = (0, 0, 0, 1)

STIMULI = (
    Weighted(
        "read",
        Start,
        8,
        fixed={"operation": "read"},
        choices={"cancel": CANCELS, "instance": INSTANCES},
    ),
    Weighted(
        "write",
        Start,
        6,
        fixed={"operation": "write"},
        choices={"cancel": CANCELS, "instance": INSTANCES},
    ),
    *(
        Weighted(
            f"try_to_{mode}",
            Start,
            2,
            fixed={"operation": f"try_{mode}"},
            choices={"cancel": CANCELS},
            needs=["try"],
        )
        for mode in ("read", "write")
    ),
    *(
        Weighted(
            f"unlock_what_{holder}_holds",
            Start,
            1,
            fixed={"operation": f"release_{mode}"},
            needs=["anyone"],
        )
        for mode, holder in (("read", "a_reader"), ("write", "the_writer"))
    ),
    Weighted(
        "let_a_function_end",
        Open,
        8,
        choices={"which": (0, 1, 2), "outcome": ("value", "value", "none", "error")},
    ),
    Weighted("cancel_a_caller", Cancel, 7, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
    Weighted(
        "read_from_inside",
        Inside,
        1,
        fixed={"operation": "read"},
        choices={"which": (0, 1)},
        needs=["anyone"],
    ),
    Weighted(
        "try_from_inside",
        Inside,
        1,
        choices={"which": (0, 1), "operation": ("try_read", "try_write")},
        needs=["try"],
    ),
)


def read(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("read", (), instance, cancel), follow)


def write(follow: int = 0, cancel: int = 0, instance: int = 0) -> Step:
    return Step(Start("write", (), instance, cancel), follow)


VALUE, ERROR = Step(Open()), Step(Open(0, "error"))
TRY_READ, TRY_WRITE = Step(Start("try_read")), Step(Start("try_write"))
UNLOCK_READ, UNLOCK_WRITE = Step(Start("release_read")), Step(Start("release_write"))

SCENARIOS = (
    Scenario("readers share, a writer waits", (read(), read(), write(), VALUE, VALUE, VALUE)),
    Scenario("writers take turns", (write(), write(), write(), VALUE, ERROR, VALUE)),
    Scenario("a waiting writer holds readers back", (read(), write(), read(), VALUE, VALUE, VALUE)),
    Scenario(
        "readers before the next writer",
        (write(), read(), write(), read(), VALUE, VALUE, VALUE, VALUE),
    ),
    Scenario(
        "a burst", (write(NOTHING), read(NOTHING), read(NOTHING), write(), VALUE, VALUE, VALUE)
    ),
    Scenario(
        "newcomers in the tick of an unlock",
        (write(), write(), Step(Open(), 1), read(1), write(), VALUE, VALUE, VALUE),
    ),
    Scenario(
        "a writer in the tick of the last reader's unlock",
        (read(), read(), Step(Open(), NOTHING), Step(Open(), 1), write(1), read(), VALUE, VALUE),
    ),
    Scenario("errors unlock", (write(), read(), ERROR, write(), ERROR, VALUE)),
    Scenario(
        "unlock what nobody holds",
        (UNLOCK_READ, UNLOCK_WRITE, read(), UNLOCK_WRITE, VALUE, write(), UNLOCK_READ, VALUE),
        needs=["anyone"],
    ),
    Scenario(
        "unlock too often",
        (read(), read(), write(), UNLOCK_READ, UNLOCK_READ, UNLOCK_READ, VALUE, VALUE),
        needs=["anyone"],
    ),
    Scenario(
        "somebody else unlocks the writer",
        (write(), write(), read(), UNLOCK_WRITE, VALUE, VALUE),
        needs=["anyone"],
    ),
    Scenario(
        "a reader reads again behind a writer",
        (read(), write(), Step(Inside(0, "read")), UNLOCK_READ, VALUE, VALUE),
        needs=["anyone"],
    ),
    Scenario(
        "a reader reads again",
        (read(), Step(Inside(0, "read")), VALUE, VALUE, write()),
    ),
    Scenario(
        "try with readers",
        (TRY_READ, TRY_READ, TRY_WRITE, read(), VALUE, VALUE, VALUE, TRY_WRITE, VALUE),
        needs=["try"],
    ),
    Scenario(
        "try with a writer",
        (TRY_WRITE, TRY_WRITE, TRY_READ, read(), VALUE, TRY_READ, VALUE, VALUE),
        needs=["try"],
    ),
    Scenario(
        "try behind a waiting writer",
        (read(), write(), TRY_READ, TRY_WRITE, VALUE, VALUE, TRY_READ),
        needs=["try"],
    ),
    Scenario(
        "locks are independent",
        (write(), write(instance=1), Step(Open(1)), read(instance=1), VALUE, VALUE),
        arguments={"instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, worlds=ASYNC)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, steps in (
            (
                "cancel a waiting writer",
                (read(), write(cancel=cancel), read(), read(), Step(Cancel(1)), VALUE, VALUE),
            ),
            (
                "cancel one of two waiting writers",
                (read(), write(cancel=cancel), write(), read(), Step(Cancel(1)), VALUE, VALUE),
            ),
            (
                "cancel a waiting reader",
                (write(), read(cancel=cancel), read(), write(), Step(Cancel(1)), VALUE, VALUE),
            ),
            ("cancel the writer", (write(cancel=cancel), read(), write(), Step(Cancel(0)), VALUE)),
            (
                "cancel the last reader",
                (read(cancel=cancel), write(), read(), Step(Cancel(0)), VALUE, VALUE),
            ),
            (
                "cancel the heir that reads",
                (write(), read(cancel=cancel), write(), Step(Open(), 1), Step(Cancel(0)), VALUE),
            ),
            (
                "cancel the heir that writes",
                (read(), write(cancel=cancel), read(), Step(Open(), 1), Step(Cancel(0)), VALUE),
            ),
        )
    ),
)

PROBE = (read(), write(), read(), VALUE, VALUE, VALUE)
UNBLOCK = (UNLOCK_READ, UNLOCK_WRITE)
