"""The models of rate limiters, judged by hand and against limiters that act in random orders."""

from __future__ import annotations

import itertools
import math
import random
from typing import TYPE_CHECKING, Any

import pytest

from quiesce.adapters import Adapter
from quiesce.model import BLOCKED, Burst, Checker, Entry, View, name
from quiesce.patterns.rate_limiter import RATE_LIMITER, window
from quiesce.patterns.rate_limiter import relaxations as drop
from quiesce.stimuli import Began, Cancelled, Ticked, arguments
from quiesce.worlds.world import START
from quiesce_reference.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from quiesce.model import Model

S = 10**9
PART = (0,)
REFUSED = ("raised", ("refused",))
GONE = ("cancelled",)

#: (seconds since the start, in nanoseconds; operation; its arguments; outcome)
Line = tuple[int, str, dict[str, Any], Any]


def model_of(
    rate: float,
    burst: int,
    algorithm: str = "token_bucket",
    lacks: Iterable[str] = (),
    **dialect: str,
) -> Model:
    adapter = Adapter(
        name="hand",
        pattern="rate_limiter",
        world="asyncio",
        module="",
        qualname="",
        lacks=frozenset(lacks),
        dialect={"rate_algorithm": algorithm, "rate_cancel": "exact", **dialect},
    )
    return RATE_LIMITER.model(adapter, {"rate": rate, "burst": burst})


class Story:
    """Calls that follow each other, and what was seen after each."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.checker = Checker(model)
        self.journal: list[Entry] = []
        self.open: dict[int, Any] = {}
        self.number = itertools.count()

    def see(self, facts: Sequence[Any], outcomes: dict[int, Any], *, ordered: bool = False) -> bool:
        """Whether the model allows these outcomes of the calls that were open or began."""
        self.open.update(outcomes)
        after = [frozenset(range(i)) if ordered else frozenset() for i in range(len(facts))]
        view = View(tuple(sorted(self.open.items())))
        self.journal.append(Entry(PART, Burst(tuple(facts), tuple(after)), view))
        self.open = {call: outcome for call, outcome in self.open.items() if outcome == BLOCKED}
        return self.checker.compare(self.journal[-1])

    def tick(self, at: int, **outcomes: Any) -> bool:
        return self.see([Ticked(START + at)], {int(k[1:]): v for k, v in outcomes.items()})

    def call(self, operation: str, outcome: Any, **given: Any) -> bool:
        number = next(self.number)
        return self.see([Began(number, operation, arguments(**given))], {number: outcome})

    @property
    def signature(self) -> str:
        """What the story is called once the model does not allow it."""
        return name(self.model, self.journal, ())


def returned(value: Any) -> tuple[str, Any]:
    return ("returned", value)


def told(model: Model, lines: Sequence[Line]) -> str | None:
    """None if the model allows the story, else its signature."""
    story, now = Story(model), 0
    for at, operation, given, outcome in lines:
        if at != now and not story.tick(at):
            return story.signature
        now = at
        if not story.call(operation, outcome, **given):
            return story.signature
    return None


def allow(at: int, n: int, answer: bool) -> Line:
    return at, "allow", {"n": n}, returned(answer)


def reserve(at: int, n: int, delay: int | None) -> Line:
    return at, "reserve", {"n": n}, returned((delay is not None, delay))


def tokens(at: int, count: float) -> Line:
    return at, "tokens", {}, returned(count)


def undo(at: int, of: int) -> Line:
    return at, "cancel", {"of": of}, returned(None)


def rate(at: int, value: float) -> Line:
    return at, "set_rate", {"rate": value}, returned(None)


def burst(at: int, value: int) -> Line:
    return at, "set_burst", {"burst": value}, returned(None)


STORIES: dict[str, tuple[float, int, list[Line]]] = {
    "full at first": (1.0, 2, [allow(0, 1, True), allow(0, 1, True), allow(0, 1, False)]),
    "grows by the nanosecond": (
        1.0,
        1,
        [allow(0, 1, True), allow(S - 2, 1, False), allow(S, 1, True)],
    ),
    "stops at the burst": (1.0, 2, [allow(0, 2, True), tokens(9 * S, 2.0)]),
    "a third of a second": (
        3.0,
        1,
        [allow(0, 1, True), reserve(0, 1, 333333333), tokens(333333333, 0.333333333 * 3 - 1)],
    ),
    "debt": (2.0, 3, [reserve(0, 3, 0), reserve(0, 3, 3 * S // 2), tokens(0, -3.0)]),
    "cancel": (
        1.0,
        3,
        [reserve(0, 3, 0), reserve(0, 3, 3 * S), reserve(0, 1, 4 * S), undo(0, 1), tokens(0, -2.0)],
    ),
    "cancel rewinds": (
        1.0,
        3,
        [
            reserve(0, 3, 0),
            reserve(0, 1, S),
            reserve(0, 1, 2 * S),
            undo(0, 2),
            undo(0, 1),
            tokens(0, 0.0),
        ],
    ),
    "cancel twice": (
        1.0,
        1,
        [allow(0, 1, True), reserve(0, 1, S)] + [undo(0, 1)] * 2 + [tokens(0, 0.0)],
    ),
    "cancel at the acting time": (
        1.0,
        1,
        [reserve(0, 1, 0), reserve(0, 1, S), undo(S, 1), tokens(S, 1.0)],
    ),
    "cancel too late": (
        1.0,
        1,
        [reserve(0, 1, 0), reserve(0, 1, S), undo(S + 1, 1), tokens(S + 1, 1.000000001 - 1)],
    ),
    "infinite": (math.inf, 0, [allow(0, 9, True), rate(0, 1.0), burst(0, 2), tokens(S, 1.0)]),
    "zero": (
        0.0,
        1,
        [allow(0, 1, True), reserve(S, 1, None), rate(9 * S, 1.0), allow(10 * S, 1, True)],
    ),
    "settled before a new rate": (
        1.0,
        9,
        [allow(0, 9, True), rate(S, 10.0), tokens(S, 1.0), tokens(2 * S, 9.0)],
    ),
    "settled before a new burst": (
        1.0,
        2,
        [allow(0, 1, True), burst(9 * S, 5), tokens(9 * S, 2.0)],
    ),
    "tiny": (1e-10, 1, [reserve(0, 1, 0), reserve(0, 1, None), tokens(S, 1e-10)]),
    "nothing": (
        1.0,
        1,
        [allow(0, 0, True), reserve(0, 1, 0), reserve(0, 1, S), allow(0, 0, False)],
    ),
}


@pytest.mark.parametrize("title", STORIES)
def test_the_exact_model_allows_what_is_right(title: str) -> None:
    rate_, burst_, lines = STORIES[title]

    assert told(model_of(rate_, burst_), lines) is None


def changed(lines: Sequence[Line], index: int) -> list[Line]:
    at, operation, given, (kind, value) = lines[index]
    match value:
        case bool():
            other: Any = not value
        case float():
            other = math.nextafter(value, math.inf)
        case (ok, None):
            other = (not ok, 0)
        case (ok, delay):
            other = (ok, delay + 1)
    return [*lines[:index], (at, operation, given, (kind, other))]


@pytest.mark.parametrize("title", STORIES)
def test_the_exact_model_allows_no_answer_that_is_off_by_a_bit(title: str) -> None:
    rate_, burst_, lines = STORIES[title]
    answers = [i for i, line in enumerate(lines) if line[3] != returned(None)]

    assert answers
    for index in answers:
        assert told(model_of(rate_, burst_), changed(lines, index)) is not None


BROKEN: dict[str, tuple[float, int, list[Line]]] = {
    drop.STARTS_EMPTY: (1.0, 2, [tokens(0, 0.0)]),
    drop.NO_CAP: (1.0, 2, [allow(0, 2, True), tokens(9 * S, 9.0)]),
    drop.INF_TAKES: (math.inf, 2, [allow(0, 1, True), tokens(0, 1.0)]),
    drop.SETRATE_UNSETTLED: (1.0, 9, [allow(0, 9, True), rate(S // 2, 10.0), tokens(S // 2, 5.0)]),
    drop.SETBURST_UNSETTLED: (1.0, 2, [allow(0, 1, True), burst(9 * S, 5), tokens(9 * S, 5.0)]),
    drop.ZERO_UNLIMITED: (0.0, 1, [allow(0, 1, True), allow(0, 1, True)]),
    drop.OVERSIZE_GRANTED: (1.0, 1, [reserve(0, 2, S)]),
    drop.REFUSED_TAKES: (1.0, 1, [allow(0, 1, True), allow(0, 1, False), tokens(0, -1.0)]),
    drop.REFUSED_MOVES_CLOCK: (
        1.0,
        1,
        [allow(0, 1, True), allow(S // 2, 1, False), tokens(S // 2, 0.0), tokens(S, 0.5)],
    ),
    drop.ALLOW_EARLY: (1.0, 1, [allow(0, 1, True), allow(S // 2, 1, True), tokens(S // 2, -0.5)]),
    drop.CANCEL_NOOP: (1.0, 1, [reserve(0, 1, 0), reserve(0, 1, S), undo(0, 1), tokens(0, -1.0)]),
    drop.CANCEL_LATE: (
        1.0,
        2,
        [reserve(0, 2, 0), reserve(0, 1, S), undo(3 * S // 2, 1), tokens(3 * S // 2, 1.5)],
    ),
    drop.CANCEL_WHOLE: (
        1.0,
        2,
        [reserve(0, 2, 0), reserve(0, 1, S), reserve(0, 1, 2 * S), undo(0, 1), tokens(0, -1.0)],
    ),
    drop.CANCEL_NOT_REWOUND: (
        1.0,
        3,
        [
            reserve(0, 3, 0),
            reserve(0, 1, S),
            reserve(0, 1, 2 * S),
            undo(0, 2),
            undo(0, 1),
            tokens(0, -1.0),
        ],
    ),
    drop.CANCEL_TWICE: (
        1.0,
        9,
        [reserve(0, 9, 0), reserve(0, 2, 2 * S), undo(0, 1), undo(0, 1), tokens(0, 2.0)],
    ),
    drop.RESERVE_TAKES_NOTHING: (1.0, 2, [reserve(0, 1, 0), tokens(0, 2.0)]),
    drop.OVERTAKES: (1.0, 2, [reserve(0, 1, 0), reserve(0, 2, S), allow(0, 1, True)]),
    drop.DELAY_WRONG: (
        1.0,
        1,
        [reserve(0, 1, 0), reserve(0, 1, S), (S // 2, "delay", {"of": 1}, returned(S))],
    ),
    drop.ALLOW_TOO_LITTLE: (1.0, 1, [allow(0, 1, True), tokens(S, 1.0), allow(S, 1, False)]),
    drop.TOKENS_WRONG: (1.0, 1, [tokens(0, 0.25)]),
}


@pytest.mark.parametrize("signature", BROKEN)
def test_each_defect_is_called_by_its_narrowest_name(signature: str) -> None:
    rate_, burst_, lines = BROKEN[signature]

    assert told(model_of(rate_, burst_), lines) == signature


def test_a_wait_returns_at_its_acting_time_and_no_other() -> None:
    for early, late in ((0, 0), (1, 0), (0, 1)):
        story = Story(model_of(1.0, 1))
        assert story.call("wait", ("returned", None, START), n=1)
        assert story.call("wait", BLOCKED, n=1)
        allowed = True
        if early:
            allowed = story.tick(S - 1, c1=("returned", None, START + S - 1))
        elif late:
            allowed = story.tick(S)
        else:
            assert story.tick(S - 1)
            assert story.tick(S, c1=("returned", None, START + S))
        assert allowed == (not early and not late)
        if not allowed:
            assert story.signature in (drop.WAIT_LOOSE, drop.MILLISECONDS)


def test_a_deadline_is_judged_at_once_to_the_nanosecond() -> None:
    story = Story(model_of(1.0, 1))

    assert story.call("wait", ("returned", None, START), n=1)
    assert story.call("wait_until", (*REFUSED, START), n=1, timeout=S - 1)
    assert story.call("wait_until", BLOCKED, n=1, timeout=S)
    assert not story.call("wait_until", BLOCKED, n=1, timeout=S)
    assert story.signature == drop.DEADLINE_WAITED


def test_a_cancelled_wait_gives_back_and_its_order_with_others_is_free() -> None:
    wait = Began(1, "wait", arguments(n=1))
    newcomer = Began(2, "wait", arguments(n=1))
    for acts in (S, 2 * S):
        story = Story(model_of(1.0, 1))
        assert story.call("allow", returned(True), n=1)
        assert story.see([wait], {1: BLOCKED})
        assert story.see([Cancelled(1), newcomer], {1: GONE, 2: BLOCKED})
        assert story.tick(acts, c2=("returned", None, START + acts))


def test_a_cancelled_wait_that_keeps_its_tokens_is_named() -> None:
    story = Story(model_of(1.0, 1))

    assert story.call("allow", returned(True), n=1)
    assert story.call("wait", BLOCKED, n=1)
    assert story.see([Cancelled(1)], {1: GONE})
    next(story.number)
    assert not story.call("tokens", returned(-1.0))
    assert story.signature == drop.WAIT_KEEPS


def test_concurrent_calls_share_what_there_is() -> None:
    calls = [Began(i, "allow", arguments(n=1)) for i in range(4)]
    for right in (1, 2, 3):
        for yes in itertools.combinations(range(4), right):
            story = Story(model_of(1.0, 2))
            seen = story.see(calls, {i: returned(i in yes) for i in range(4)})
            assert seen == (right == 2)
            if right == 3:
                assert story.signature == drop.THUNDERING


OPERATIONS = ("allow", "allow", "reserve", "reserve", "tokens", "cancel", "set_rate", "set_burst")


def perform(bucket: TokenBucket, grants: dict[int, Any], call: Began, now: int) -> Any:
    """What the reference's bucket answers."""
    given = dict(call.arguments)
    match call.operation:
        case "allow":
            return bucket.request(given["n"], at=now, max_delay=0) is not None
        case "reserve":
            grant = grants[call.call] = bucket.request(given["n"], at=now)
            return (grant is not None, None if grant is None else grant.acts_at - now)
        case "tokens":
            return bucket.tokens(at=now)
        case "cancel":
            if grants[given["of"]] is not None:
                bucket.cancel(grants[given["of"]], at=now)
        case "set_rate":
            bucket.set_rate(given["rate"], at=now)
        case "set_burst":
            bucket.set_burst(given["burst"], at=now)
    return None


def draw(source: random.Random, number: int, made: Sequence[int]) -> Began:
    operation = source.choice(OPERATIONS)
    if operation == "cancel" and not made:
        operation = "reserve"
    given: dict[str, Any] = {}
    if operation in ("allow", "reserve"):
        given["n"] = source.choice((1, 1, 1, 2, 3, 0))
    elif operation == "cancel":
        given["of"] = source.choice(made)
    elif operation == "set_rate":
        given["rate"] = source.choice((1.0, 3.0, 0.0, 10.0, math.inf, 0.5))
    elif operation == "set_burst":
        given["burst"] = source.choice((0, 1, 2, 5))
    return Began(number, operation, arguments(**given))


@pytest.mark.parametrize("seed", range(60))
def test_the_exact_model_raises_no_false_alarm_over_random_orders(seed: int) -> None:
    source = random.Random(seed)
    rate_, burst_ = source.choice((1.0, 2.0, 3.0, 10.0)), source.choice((1, 2, 3, 5))
    bucket, story = TokenBucket(rate_, burst_), Story(model_of(rate_, burst_))
    now = START
    made: list[int] = []
    grants: dict[int, Any] = {}
    for _ in range(12):
        facts = [draw(source, next(story.number), made) for _ in range(source.randint(1, 4))]
        order = source.sample(facts, len(facts))
        outcomes = {f.call: returned(perform(bucket, grants, f, now)) for f in order}
        assert story.see(facts, outcomes), story.signature
        made = [call for call, grant in grants.items() if grant is not None]
        now += source.choice((0, 1, S // 3, S // 2, S, 3 * S))
        assert story.tick(now - START)


class Windows:
    """A limiter that counts in windows, as coarse as one of the libraries is."""

    def __init__(self, burst: int, period: int, grain: int, *, closed: bool, slides: bool) -> None:
        self.burst, self.grain, self.closed, self.slides = burst, grain, closed, slides
        self.period = -(-period // grain)
        self.log: list[int] = []
        self.start: int | None = None

    def ask(self, n: int, at: int) -> bool:
        now = at // self.grain
        if self.slides:
            edge = now - self.period
            self.log = [at for at in self.log if at > edge or (self.closed and at == edge)]
        elif self.start is None or now >= self.start + self.period + self.closed:
            self.start, self.log = now, []
        if len(self.log) + n > self.burst:
            return False
        self.log += [now] * n
        return True


@pytest.mark.parametrize("grain", [1, 10**6])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("algorithm", ["sliding_window", "fixed_window"])
def test_the_loose_model_raises_no_false_alarm(algorithm: str, closed: bool, grain: int) -> None:
    for seed in range(40):
        source = random.Random(seed)
        rate_, burst_ = source.choice((1.0, 3.0, 10.0)), source.choice((1, 2, 3))
        period = math.ceil(burst_ / rate_ * S)
        slides = algorithm == "sliding_window"
        limiter = Windows(burst_, period, grain, closed=closed, slides=slides)
        story, now = Story(model_of(rate_, burst_, algorithm)), 0
        for _ in range(15):
            facts = [
                Began(next(story.number), "allow", arguments(n=source.choice((1, 1, 2))))
                for _ in range(source.randint(1, 3))
            ]
            order = source.sample(facts, len(facts))
            said = {
                fact.call: returned(limiter.ask(fact.argument("n"), START + now)) for fact in order
            }
            assert story.see(facts, said), (seed, story.signature)
            jump = source.choice((1, period // 3, period - 1, period, period + 1, 3 * period))
            now += jump
            assert story.tick(now)


@pytest.mark.parametrize("algorithm", ["sliding_window", "fixed_window"])
def test_the_loose_model_bounds_what_is_let_in(algorithm: str) -> None:
    story = Story(model_of(1.0, 2, algorithm))

    assert story.call("allow", returned(True), n=1)
    assert story.tick(S)
    assert story.call("allow", returned(True), n=1)
    if algorithm == "fixed_window":
        assert story.tick(S + 1)
        assert story.call("allow", returned(True), n=2)  # two windows may meet
    assert story.tick(S + 2)
    assert not story.call("allow", returned(True), n=1)
    assert story.signature == window.TOO_MUCH


@pytest.mark.parametrize("algorithm", ["sliding_window", "fixed_window"])
def test_of_concurrent_calls_no_more_than_the_bound_are_let_in(algorithm: str) -> None:
    calls = [Began(i, "allow", arguments(n=1)) for i in range(3)]
    for yes in range(4):
        story = Story(model_of(1.0, 2, algorithm))
        seen = story.see(calls, {i: returned(i < yes) for i in range(3)})
        assert seen == (yes <= 2)  # calls that race may let in fewer
        if not seen:
            assert story.signature == window.THUNDERING


def test_an_idle_window_lets_in() -> None:
    story = Story(model_of(1.0, 2, "sliding_window"))

    assert story.call("allow", returned(True), n=2)
    assert story.call("allow", returned(False), n=1)
    assert story.tick(9 * S)
    assert not story.call("allow", returned(False), n=1)
    assert story.signature == window.STARTS_EMPTY


def test_a_refusal_counts_only_where_the_library_says_so() -> None:
    lines = [allow(0, 2, False), allow(S // 2, 1, False)]

    assert told(model_of(1.0, 1, "fixed_window", lacks=["free_refusals"]), lines) is None
    assert told(model_of(1.0, 1, "fixed_window"), lines) == window.REFUSED_TAKES


def test_while_somebody_waits_somebody_is_let_in() -> None:
    for patient in (True, False):
        story = Story(model_of(1.0, 1, "sliding_window"))
        assert story.call("wait", ("returned", None, START), n=1)
        assert story.call("wait", BLOCKED, n=1)
        due = max(story.checker.instants()) - START
        assert story.tick(due - 1)
        if patient:
            assert story.tick(due, c1=("returned", None, START + due))
        else:
            assert not story.tick(due)


def test_a_leaky_bucket_serves_those_who_wait_in_any_order() -> None:
    for first, second in ((1, 2), (2, 1)):
        story = Story(model_of(1.0, 1, "leaky"))
        assert story.call("wait", ("returned", None, START), n=1)
        assert story.call("wait", BLOCKED, n=1)
        assert story.call("wait", BLOCKED, n=1)
        assert story.tick(S, **{f"c{first}": ("returned", None, START + S)})
        assert story.tick(2 * S, **{f"c{second}": ("returned", None, START + 2 * S)})


def test_a_leaky_bucket_that_sleeps_too_long_is_named() -> None:
    story = Story(model_of(1.0, 4, "leaky"))

    assert story.call("wait", ("returned", None, START), n=3)
    assert story.call("wait", BLOCKED, n=2)  # one is missing: one second
    due = [at - START for at in story.checker.instants() if at > START + S]
    assert due
    assert due[0] <= S + 1000
    assert story.tick(S - 1000)
    assert not story.tick(due[-1])
    assert story.signature == drop.WAIT_LOOSE


def test_every_signature_names_a_clause_of_the_pattern() -> None:
    ids = {clause.id for clause in RATE_LIMITER.clauses}

    for table in (drop.BUCKET_RELAXATIONS, window.WINDOW_RELAXATIONS):
        assert set(table.values()) <= ids
