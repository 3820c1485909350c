"""Fixed scenarios of a rate limiter, so that no clause stays unexercised."""

from __future__ import annotations

import math
from typing import Any, Final

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.rate_limiter.bucket import SECOND
from quiesce.patterns.rate_limiter.clauses import ASYNC
from quiesce.patterns.rate_limiter.stimuli import MILLI, TINY
from quiesce.stimuli import NOTHING, Advance, Cancel, Start, Step, arguments

__all__ = ["PROBE", "SCENARIOS"]


def start(
    operation: str, follow: int = 0, *, cancel: int = 0, instance: int = 0, **given: Any
) -> Step:
    return Step(Start(operation, arguments(**given), instance, cancel), follow)


def allow(n: int = 1, follow: int = 0, instance: int = 0) -> Step:
    return start("allow", follow, instance=instance, n=n)


def wait(n: int = 1, follow: int = 0, cancel: int = 0) -> Step:
    return start("wait", follow, cancel=cancel, n=n)


def until(timeout: int, n: int = 1) -> Step:
    return start("wait_until", n=n, timeout=timeout)


def reserve(n: int = 1) -> Step:
    return start("reserve", n=n)


def undo(which: int) -> Step:
    return start("cancel", which=which)


def delay(which: int) -> Step:
    return start("delay", which=which)


def by(nanoseconds: int) -> Step:
    return Step(Advance("by", 0, nanoseconds))


def to(which: int = 0, offset: int = 0) -> Step:
    return Step(Advance("next", which, offset))


TOKENS = start("tokens")

#: name, rate, burst, steps, needs
FIXED: Final[tuple[tuple[str, float, int, tuple[Step, ...], tuple[str, ...]], ...]] = (
    ("a new limiter is full", 1.0, 3, (allow(), allow(), allow(), allow(), TOKENS), ("allow",)),
    (
        "tokens come back one by one",
        1.0,
        2,
        (allow(), allow(), by(SECOND - 1), allow(), by(1), allow(), allow(), by(SECOND), allow()),
        ("allow",),
    ),
    (
        "tokens stop at the burst",
        1.0,
        2,
        (allow(), allow(), by(20 * SECOND), allow(), allow(), allow(), TOKENS),
        ("allow",),
    ),
    (
        "tokens stop at the burst, for those who wait",
        1.0,
        2,
        (wait(), wait(), by(20 * SECOND), wait(), wait(), wait(), to(), wait()),
        ("wait",),
    ),
    (
        "half a token is none",
        1.0,
        1,
        (allow(), by(SECOND // 2), allow(), by(SECOND // 2 - 1), allow(), by(1), allow()),
        ("allow",),
    ),
    (
        "half a token of two is none",
        2.0,
        2,
        (allow(2), by(SECOND * 3 // 4), allow(2), by(SECOND // 4 - 1), allow(2), by(1), allow(2)),
        ("allow", "weighted"),
    ),
    (
        "a refused request takes nothing",
        1.0,
        2,
        (
            allow(2),
            by(SECOND),
            allow(2),
            allow(1),
            by(SECOND // 2),
            allow(),
            by(SECOND // 2),
            allow(),
        ),
        ("allow", "weighted"),
    ),
    (
        "a request that is too big takes nothing",
        1.0,
        2,
        (allow(3), allow(2), by(5 * SECOND), allow(3), allow(), allow()),
        ("allow", "weighted"),
    ),
    (
        "a burst of callers",
        1.0,
        2,
        (allow(1, NOTHING), allow(1, NOTHING), allow(1, NOTHING), allow(), by(5 * SECOND), allow()),
        ("allow",),
    ),
    (
        "a burst of callers for one token",
        1.0,
        1,
        (allow(1, NOTHING), allow(), by(5 * SECOND), allow(1, NOTHING), allow(1, NOTHING), allow()),
        ("allow",),
    ),
    (
        "steady demand",
        2.0,
        2,
        (allow(), *(step for _ in range(12) for step in (by(300 * MILLI), allow()))),
        ("allow",),
    ),
    (
        "steady waiting",
        2.0,
        2,
        (*(wait() for _ in range(10)), *(to() for _ in range(5)), wait()),
        ("wait",),
    ),
    (
        "the end of one window and the beginning of the next",
        1.0,
        2,
        (
            *(allow(), by(1900 * MILLI), allow(), allow(), by(200 * MILLI), allow(), allow()),
            *(allow(), by(1700 * MILLI), allow(), allow(), by(600 * MILLI), allow(), allow()),
        ),
        ("allow",),
    ),
    (
        "the end of one window and the beginning of the next, for those who wait",
        1.0,
        2,
        (wait(), by(1900 * MILLI), wait(), wait(), by(200 * MILLI), wait(), wait(), to(), wait()),
        ("wait",),
    ),
    (
        "reservations act in order",
        1.0,
        3,
        (
            reserve(3),
            reserve(2),
            allow(1),
            reserve(1),
            TOKENS,
            delay(1),
            by(SECOND),
            delay(1),
            allow(),
            by(SECOND),
            delay(1),
            delay(0),
            allow(),
            by(5 * SECOND),
            delay(2),
            reserve(4),
            delay(3),
        ),
        ("reserve", "weighted"),
    ),
    (
        "a refused reservation",
        1.0,
        2,
        (reserve(3), delay(0), undo(0), reserve(2), reserve(1)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel gives back",
        1.0,
        2,
        (reserve(2), reserve(2), undo(1), TOKENS, reserve(1), delay(2)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel gives back what was not built upon",
        1.0,
        3,
        (reserve(3), reserve(3), reserve(1), undo(1), TOKENS, delay(2), reserve(1), delay(3)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel at the acting time",
        1.0,
        1,
        (reserve(), reserve(), by(SECOND), undo(1), TOKENS, reserve(), delay(2)),
        ("reserve",),
    ),
    (
        "a cancel just after the acting time",
        1.0,
        1,
        (reserve(), reserve(), by(SECOND + 1), undo(1), TOKENS, reserve(), delay(2)),
        ("reserve",),
    ),
    (
        "a second cancel",
        1.0,
        2,
        (
            reserve(2),
            reserve(1),
            reserve(1),
            undo(2),
            undo(2),
            TOKENS,
            reserve(1),
            undo(1),
            undo(1),
            reserve(1),
        ),
        ("reserve", "weighted"),
    ),
    (
        "cancels from the last to the first",
        1.0,
        3,
        (reserve(3), reserve(1), reserve(1), undo(2), undo(1), TOKENS, reserve(1)),
        ("reserve", "weighted"),
    ),
    (
        "cancels from the first to the last",
        1.0,
        3,
        (reserve(3), reserve(3), reserve(1), undo(1), reserve(1), undo(2), TOKENS, reserve(1)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel above the burst",
        1.0,
        2,
        (reserve(1), reserve(2), by(SECOND // 2), undo(1), TOKENS, allow(2), allow(1)),
        ("reserve", "weighted"),
    ),
    (
        "a cancel of what was reserved at an infinite rate",
        1.0,
        2,
        (
            start("set_rate", rate=math.inf),
            reserve(2),
            start("set_rate", rate=1.0),
            reserve(2),
            undo(0),
            TOKENS,
            reserve(1),
        ),
        ("reserve", "set_rate", "infinite_rate", "weighted"),
    ),
    ("a wait", 1.0, 1, (wait(), wait(), wait(), to(0, -1), to(), by(SECOND - 1), by(1)), ("wait",)),
    (
        "a wait at a rate that does not divide",
        3.0,
        1,
        (wait(), wait(), wait(), to(0, -1), to(), to(0, 1)),
        ("wait",),
    ),
    (
        "a big wait and a small one",
        1.0,
        3,
        (wait(3), wait(3), wait(1), wait(2), to(), to(), to(), to(), wait(1), to()),
        ("wait", "weighted"),
    ),
    (
        "a wait for a small deficit",
        1.0,
        5,
        (wait(4), wait(2), to(), wait(3), to(), wait(1), to()),
        ("wait", "weighted"),
    ),
    (
        "a wait for more than the burst",
        1.0,
        2,
        (wait(3), wait(2), wait(3), wait(1), to()),
        ("wait", "weighted"),
    ),
    (
        "a wait with a deadline",
        1.0,
        1,
        (
            until(0),
            until(0),
            until(SECOND - 1),
            until(SECOND),
            until(SECOND),
            until(2 * SECOND),
            by(SECOND),
            by(SECOND),
        ),
        ("deadline",),
    ),
    (
        "a wait that its deadline ends takes nothing",
        1.0,
        1,
        (until(0), until(SECOND // 2), by(SECOND // 2), TOKENS, until(SECOND // 2), to()),
        ("deadline",),
    ),
    (
        "an infinite rate",
        math.inf,
        1,
        (
            allow(),
            allow(),
            allow(5),
            reserve(5),
            wait(5),
            TOKENS,
            start("set_rate", rate=1.0),
            TOKENS,
            allow(),
            allow(),
        ),
        ("infinite_rate", "weighted"),
    ),
    (
        "an infinite rate takes nothing",
        1.0,
        1,
        (
            start("set_rate", rate=math.inf),
            allow(),
            allow(),
            TOKENS,
            start("set_rate", rate=1.0),
            TOKENS,
            allow(),
            allow(),
        ),
        ("infinite_rate", "set_rate", "allow"),
    ),
    (
        "a rate of 0",
        0.0,
        2,
        (
            allow(),
            allow(),
            allow(),
            by(5 * SECOND),
            allow(),
            reserve(),
            until(5 * SECOND),
            wait(),
            TOKENS,
            start("set_rate", rate=1.0),
            allow(),
            by(SECOND),
            allow(),
            allow(),
        ),
        ("zero_rate",),
    ),
    (
        "a burst of 0",
        1.0,
        0,
        (allow(), by(SECOND), allow(), reserve(), wait(), TOKENS),
        ("zero_burst",),
    ),
    (
        "a new rate counts from now on",
        1.0,
        5,
        (
            allow(5),
            by(SECOND),
            start("set_rate", rate=10.0),
            TOKENS,
            allow(),
            allow(),
            by(100 * MILLI),
            allow(),
        ),
        ("set_rate", "allow", "weighted"),
    ),
    (
        "a new rate leaves reservations alone",
        1.0,
        2,
        (
            reserve(2),
            reserve(2),
            start("set_rate", rate=10.0),
            delay(1),
            reserve(1),
            undo(1),
            TOKENS,
            wait(),
            to(),
            to(),
        ),
        ("set_rate", "reserve", "weighted"),
    ),
    (
        "a higher burst adds no tokens",
        1.0,
        2,
        (
            by(10 * SECOND),
            allow(),
            by(10 * SECOND),
            start("set_burst", burst=5),
            TOKENS,
            allow(),
            allow(),
            allow(),
        ),
        ("set_burst", "allow"),
    ),
    (
        "a lower burst cuts them",
        1.0,
        5,
        (
            start("set_burst", burst=2),
            TOKENS,
            allow(),
            allow(),
            allow(),
            start("set_burst", burst=5),
            by(3 * SECOND),
            TOKENS,
        ),
        ("set_burst", "allow"),
    ),
    (
        "requests for nothing",
        1.0,
        1,
        (
            allow(0),
            wait(0),
            allow(),
            allow(0),
            reserve(),
            allow(0),
            wait(0),
            reserve(0),
            undo(1),
            to(),
            allow(0),
        ),
        ("weighted", "zero_tokens"),
    ),
    (
        "requests for less than nothing",
        1.0,
        2,
        (allow(2), allow(-1), wait(-1), TOKENS, allow()),
        ("negative", "allow", "weighted"),
    ),
    (
        "a tiny rate",
        TINY,
        1,
        (
            reserve(),
            reserve(),
            delay(1),
            undo(1),
            TOKENS,
            allow(),
            by(20 * SECOND),
            allow(),
            TOKENS,
        ),
        ("reserve",),
    ),
)

SCENARIOS = (
    *(
        Scenario(name, steps, needs=needs, arguments={"rate": rate, "burst": burst})
        for name, rate, burst, steps, needs in FIXED
    ),
    Scenario(
        "instances are independent",
        (
            allow(),
            allow(1, 0, 1),
            allow(),
            allow(1, 0, 1),
            wait(),
            start("wait", n=1, instance=1),
            to(),
        ),
        arguments={"rate": 1.0, "burst": 1, "instances": 2},
    ),
    *(
        Scenario(
            f"{words} ({kind})",
            steps,
            needs=["wait"],
            worlds=ASYNC,
            arguments={"rate": 1.0, "burst": burst},
        )
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, burst, steps in (
            (
                "cancel a wait half-way",
                1,
                (
                    wait(),
                    wait(1, 0, cancel),
                    by(SECOND // 2),
                    Step(Cancel(0)),
                    TOKENS,
                    wait(),
                    to(),
                ),
            ),
            (
                "cancel the first of those who wait",
                1,
                (wait(), wait(1, 0, cancel), wait(), Step(Cancel(0)), wait(), to(), to(), to()),
            ),
            (
                "cancel the last of those who wait",
                1,
                (wait(), wait(), wait(1, 0, cancel), Step(Cancel(1)), wait(), to(), to(), to()),
            ),
            (
                "cancel a wait before it begins",
                2,
                (wait(1, NOTHING, cancel), Step(Cancel(0)), TOKENS, wait(), wait(), wait(), to()),
            ),
            (
                "cancel a wait in the midst of others",
                1,
                (
                    wait(),
                    wait(1, 1, cancel),
                    wait(1, NOTHING),
                    Step(Cancel(0), 1),
                    wait(),
                    to(),
                    to(),
                ),
            ),
            (
                "cancel a wait just before its acting time",
                1,
                (wait(), wait(1, 0, cancel), to(0, -1), Step(Cancel(0), 1), wait(), to()),
            ),
        )
    ),
)

#: After twenty seconds every limiter here that has a finite rate is full, or nearly.
PROBE = (by(20 * SECOND), allow(), wait())
