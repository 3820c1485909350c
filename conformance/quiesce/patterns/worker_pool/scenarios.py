"""What is done to a worker pool: the stimuli that are drawn, and the fixed scenarios."""

from __future__ import annotations

from typing import Any

from quiesce.patterns.pattern import Scenario
from quiesce.patterns.worker_pool.clauses import ASYNC
from quiesce.stimuli import NOTHING, Cancel, Inside, Open, Start, Step, Weighted, arguments

__all__ = ["PROBE", "RELEASE", "SCENARIOS", "STIMULI", "UNBLOCK"]

CANCELS = (0, 1)
WHICH = (0, 1, 2)

STIMULI = (
    Weighted(
        "submit",
        Start,
        10,
        fixed={"operation": "submit"},
        choices={"cancel": CANCELS, "instance": (0, 0, 0, 1)},
    ),
    Weighted("try_to_submit", Start, 3, fixed={"operation": "try_submit"}, needs=["try_submit"]),
    Weighted(
        "ask_for_a_result",
        Start,
        5,
        fixed={"operation": "result"},
        choices={"cancel": CANCELS},
        operands={"which": WHICH},
    ),
    Weighted(
        "let_a_job_end",
        Open,
        8,
        choices={"which": WHICH, "outcome": ("value", "value", "none", "error")},
    ),
    Weighted(
        "let_a_job_blow_up",
        Open,
        1,
        choices={"which": (0, 1), "outcome": ("exit", "panic")},
        needs=["panic"],
        worlds=("threads",),
    ),
    Weighted(
        "cancel_a_job",
        Start,
        3,
        fixed={"operation": "cancel_job"},
        operands={"which": WHICH},
        needs=["cancel_job"],
    ),
    Weighted("cancel_a_caller", Cancel, 4, choices={"which": (0, 1, 2, 3)}, worlds=ASYNC),
    Weighted(
        "submit_from_inside",
        Inside,
        1,
        fixed={"operation": "submit"},
        choices={"which": (0, 1)},
        needs=["submit_inside"],
    ),
    Weighted("close", Start, 1, fixed={"operation": "close"}),
    Weighted("join", Start, 1, fixed={"operation": "join"}, choices={"cancel": CANCELS}),
    Weighted("cancel_the_pool", Start, 1, fixed={"operation": "cancel"}, needs=["cancel"]),
)


def submit(follow: int = 0, instance: int = 0, cancel: int = 0) -> Step:
    return Step(Start("submit", (), instance, cancel), follow)


def result(which: int, follow: int = 0, cancel: int = 0) -> Step:
    return Step(Start("result", arguments(which=which), 0, cancel), follow)


def cancel_job(which: int, follow: int = 0) -> Step:
    return Step(Start("cancel_job", arguments(which=which)), follow)


def build(workers: int) -> Step:
    return Step(Start("build", arguments(workers=workers)))


def ends(which: int = 0, outcome: str = "value", follow: int = 0) -> Step:
    return Step(Open(which, outcome), follow)


SUBMIT, TRY, VALUE, ERROR = submit(), Step(Start("try_submit")), ends(), ends(0, "error")
CLOSE, JOIN, CANCEL_POOL = Step(Start("close")), Step(Start("join")), Step(Start("cancel"))
AT_ONCE = submit(NOTHING)
SUBMIT_INSIDE = Step(Inside(0, "submit"))

ONE: dict[str, Any] = {"workers": 1, "queue": 1}
TWO: dict[str, Any] = {"workers": 2, "queue": 1}
RENDEZVOUS: dict[str, Any] = {"workers": 1, "queue": 0}
ENDLESS: dict[str, Any] = {"workers": 1, "queue": None}
#: Whatever queue the adapter has.
ANY: dict[str, Any] = {"workers": 1}
ENDLESS_TWO: dict[str, Any] = {"workers": 2, "queue": None}

SCENARIOS = (
    Scenario(
        "jobs run and are told apart",
        (SUBMIT, SUBMIT, SUBMIT, result(1), result(0), ends(1), VALUE, result(2), VALUE),
        arguments=ENDLESS_TWO,
    ),
    Scenario(
        "one worker, in order",
        (SUBMIT, SUBMIT, SUBMIT, VALUE, VALUE, ends(0, "none"), result(1), result(2)),
        worlds=ASYNC,
        arguments=ENDLESS,
    ),
    Scenario(
        "one worker, a burst",
        (AT_ONCE, AT_ONCE, submit(1), VALUE, VALUE, VALUE, result(0)),
        arguments=ENDLESS,
    ),
    Scenario(
        "back-pressure",
        (SUBMIT, SUBMIT, SUBMIT, SUBMIT, VALUE, VALUE, VALUE, VALUE, result(2)),
        needs=["bounded"],
        arguments=ONE,
    ),
    Scenario(
        "back-pressure of two workers, a burst",
        (AT_ONCE, AT_ONCE, AT_ONCE, SUBMIT, ends(0, follow=NOTHING), ends(0), SUBMIT, VALUE),
        needs=["bounded"],
        arguments=TWO,
    ),
    Scenario(
        "a rendezvous",
        (SUBMIT, SUBMIT, TRY, VALUE, SUBMIT, ERROR, VALUE, TRY, VALUE),
        needs=["bounded", "rendezvous"],
        arguments=RENDEZVOUS,
    ),
    Scenario(
        "try to submit",
        (TRY, TRY, TRY, VALUE, TRY, VALUE, VALUE, CLOSE, TRY),
        needs=["bounded", "try_submit"],
        arguments=ONE,
    ),
    Scenario(
        "try to submit beside a blocked submitter",
        (SUBMIT, SUBMIT, SUBMIT, ends(follow=2), TRY, VALUE, TRY),
        needs=["bounded", "try_submit"],
        arguments=ONE,
    ),
    Scenario(
        "errors are told and the pool goes on",
        (SUBMIT, SUBMIT, result(0), ERROR, ERROR, result(1), SUBMIT, SUBMIT, VALUE, VALUE),
        arguments=ENDLESS_TWO,
    ),
    Scenario(
        "an error while others run, are queued and wait",
        (SUBMIT, SUBMIT, SUBMIT, SUBMIT, result(2), ends(1, "error"), SUBMIT, VALUE, JOIN, JOIN),
        needs=["bounded"],
        worlds=ASYNC,
        arguments=TWO,
    ),
    Scenario(
        "jobs blow up",
        (SUBMIT, SUBMIT, result(0), ends(0, "panic"), ends(0, "exit"), result(1), SUBMIT, VALUE),
        needs=["panic"],
        worlds=("threads",),
        arguments=ANY,
    ),
    Scenario(
        "close with queued jobs",
        (SUBMIT, SUBMIT, SUBMIT, CLOSE, SUBMIT, CLOSE, VALUE, VALUE, VALUE, result(2)),
        arguments=ENDLESS,
    ),
    Scenario(
        "close with blocked submitters",
        (SUBMIT, SUBMIT, SUBMIT, SUBMIT, CLOSE, VALUE, SUBMIT, VALUE, JOIN),
        needs=["bounded"],
        arguments=ONE,
    ),
    Scenario(
        "close a rendezvous with blocked submitters",
        (SUBMIT, SUBMIT, SUBMIT, CLOSE, VALUE, SUBMIT, JOIN),
        needs=["bounded", "rendezvous"],
        arguments=RENDEZVOUS,
    ),
    Scenario(
        "close as a job ends and another comes",
        (
            SUBMIT,
            SUBMIT,
            AT_ONCE,
            ends(0, follow=NOTHING),
            Step(Start("close"), 2),
            SUBMIT,
            VALUE,
            JOIN,
            VALUE,
        ),
        needs=["bounded"],
        arguments=ONE,
    ),
    Scenario(
        "wait with jobs",
        (SUBMIT, SUBMIT, JOIN, VALUE, JOIN, SUBMIT, VALUE, JOIN),
        worlds=ASYNC,
        arguments=ENDLESS,
    ),
    Scenario(
        "wait as jobs end",
        (SUBMIT, SUBMIT, ends(1, follow=1), Step(Start("join"), 1), ends(0, follow=1), JOIN),
        arguments=ENDLESS_TWO,
    ),
    Scenario(
        "pools are made, and wait without jobs", (build(0), build(1), build(-1), JOIN, JOIN, CLOSE)
    ),
    Scenario(
        "submit from inside",
        (SUBMIT, SUBMIT_INSIDE, VALUE, VALUE, SUBMIT, SUBMIT_INSIDE, SUBMIT_INSIDE, VALUE),
        needs=["submit_inside"],
        arguments=ENDLESS,
    ),
    Scenario(
        "submit from inside without room",
        (SUBMIT, SUBMIT, SUBMIT_INSIDE, CLOSE, VALUE, VALUE),
        needs=["bounded", "submit_inside"],
        arguments=ONE,
    ),
    Scenario(
        "cancel a queued job",
        (SUBMIT, SUBMIT, SUBMIT, result(1), cancel_job(1), cancel_job(1), VALUE, VALUE, result(2)),
        needs=["cancel_job"],
        worlds=ASYNC,
        arguments=ENDLESS,
    ),
    Scenario(
        "cancel a running job and one that has ended",
        (SUBMIT, SUBMIT, cancel_job(0), result(0), VALUE, VALUE, cancel_job(1), result(1)),
        needs=["cancel_job"],
        arguments=ENDLESS,
    ),
    Scenario(
        "cancel a queued job as its turn comes",
        (SUBMIT, SUBMIT, ends(follow=2), cancel_job(1), result(1), VALUE),
        needs=["cancel_job"],
        arguments=ENDLESS,
    ),
    Scenario(
        "cancel a queued job to let a submitter in",
        (SUBMIT, SUBMIT, SUBMIT, cancel_job(1), VALUE, VALUE),
        needs=["bounded", "cancel_job"],
        arguments=ONE,
    ),
    Scenario(
        "cancel the pool",
        (SUBMIT, SUBMIT, result(1), CANCEL_POOL, SUBMIT, CANCEL_POOL, VALUE, result(0), JOIN),
        needs=["cancel"],
        arguments=ENDLESS,
    ),
    Scenario(
        "cancel the pool with blocked submitters",
        (SUBMIT, SUBMIT, SUBMIT, SUBMIT, CANCEL_POOL, JOIN, VALUE, SUBMIT),
        needs=["bounded", "cancel"],
        arguments=ONE,
    ),
    Scenario(
        "cancel the pool as a job ends",
        (SUBMIT, SUBMIT, ends(follow=1), Step(Start("cancel"), 1), SUBMIT, VALUE, JOIN),
        needs=["cancel"],
        arguments=ENDLESS,
    ),
    Scenario(
        "pools are independent",
        (SUBMIT, submit(instance=1), SUBMIT, CLOSE, submit(instance=1), VALUE, VALUE),
        arguments={**ANY, "instances": 2},
    ),
    *(
        Scenario(f"{words} ({kind})", steps, needs=needs, worlds=ASYNC, arguments=given)
        for kind, cancel in (("first kind of cancellation", 0), ("second kind", 1))
        for words, needs, given, steps in (
            (
                "cancel a blocked submitter",
                ["bounded"],
                ONE,
                (SUBMIT, SUBMIT, submit(cancel=cancel), SUBMIT, Step(Cancel(0)), VALUE, VALUE),
            ),
            (
                "cancel a submitter as room appears",
                ["bounded"],
                ONE,
                (
                    SUBMIT,
                    SUBMIT,
                    submit(cancel=cancel),
                    SUBMIT,
                    ends(follow=1),
                    Step(Cancel(0), 1),
                    SUBMIT,
                    VALUE,
                    VALUE,
                    VALUE,
                ),
            ),
            (
                "cancel who waits for a result",
                [],
                ENDLESS,
                (SUBMIT, result(0, cancel=cancel), result(0), Step(Cancel(0)), VALUE, result(0)),
            ),
        )
    ),
)

PROBE = (SUBMIT, VALUE, SUBMIT, VALUE)
#: A submitter is let go by a close, and one who waits for a closed pool needs nothing else.
UNBLOCK = (CLOSE,)
RELEASE = (SUBMIT, SUBMIT, VALUE, ERROR, result(0), result(1))
