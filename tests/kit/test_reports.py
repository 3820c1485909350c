"""Reports as such: layout, matrix, totals, and the decision about exit codes."""

from __future__ import annotations

import attrs
import pytest

from quiesce.errors import ConfigurationError
from quiesce.exit_codes import DEFAULT_FAIL_ON, Exit, outcome, parse_fail_on
from quiesce.reports.layout import plain
from quiesce.reports.matrix import legend, matrix
from quiesce.reports.run import Cell, NotInstalled, Run
from quiesce.reports.story import HISTORY, failure_message
from quiesce.reports.terminal import report
from quiesce.schedulers.scheduler import Schedule
from quiesce.verdicts import CellResult, ClauseResult, Finding, Verdict


def cell(
    adapter: str,
    world: str = "asyncio",
    *verdicts: Verdict,
    pattern: str = "singleflight",
    findings: tuple[Finding, ...] = (),
    error: str | None = None,
    notes: tuple[str, ...] = (),
) -> CellResult:
    return CellResult(
        pattern=pattern,
        adapter=adapter,
        world=world,
        distribution=None,
        version=None,
        python="3.x",
        budget="ci",
        seed=0,
        points="gil" if world == "threads" else None,
        order="fifo",
        examples=1,
        schedules=1234,
        certificate="",
        clauses=tuple(
            ClauseResult(f"SF-{number:02}", verdict, 1)
            for number, verdict in enumerate(verdicts, 1)
        ),
        findings=findings,
        notes=notes,
        error=error,
    )


def finding(signature: str, *steps: str, advisory: str | None = None) -> Finding:
    return Finding(
        id="0a1b",
        signature=signature,
        clause=signature.split()[0],
        expected="this",
        observed="that",
        steps=steps,
        history=("0 ns  something",),
        advisory=advisory,
    )


def run(*cells: CellResult, unfinished: tuple[str, ...] = ()) -> Run:
    return Run.new(cells, budget="ci", seed=0, points="gil", unfinished=unfinished)


V, C, U = Verdict.VIOLATES, Verdict.CONFORMS, Verdict.UNEXERCISED


def test_the_matrix_has_a_letter_for_each_world() -> None:
    found = run(
        cell("reference", "threads", C),
        cell("reference", "asyncio", C),
        cell("reference", "trio", U),
        cell("limits", "threads", V, pattern="rate_limiter"),
        cell("reference", "threads", error="broken", pattern="rate_limiter"),
    )
    assert plain(matrix(found)) == (
        "rate_limiter  threads asyncio trio\n"
        "  limits         V       .     .\n"
        "  reference      E       .     .\n"
        "\n"
        "singleflight  threads asyncio trio\n"
        "  reference      C       C     u"
    )
    assert legend(found) == (
        "C conforms, V violates, u something unexercised, E error in adapter or kit, . no adapter"
    )


def test_the_matrix_has_only_worlds_that_were_run() -> None:
    found = run(*(cell("x", "asyncio", C, pattern=name) for name in ("once", "singleflight")))
    assert plain(matrix(found)) == (
        "once          asyncio\n  x              C\n\nsingleflight  asyncio\n  x              C"
    )


def test_one_violation_in_several_places_is_told_once_by_its_shortest_story() -> None:
    long = finding("SF-16 spreads", "one", "two", "three")
    short = finding("SF-16 spreads", "one", "two")
    found = run(
        cell("a", "asyncio", V, findings=(long,)),
        cell("b", "asyncio", V, findings=(short,)),
        cell("b", "trio", V, findings=(long,)),
    )
    text = plain(report(found, 80))
    assert "1 distinct violation\n" in text
    assert "  in        singleflight / b / asyncio\n" in text
    assert "  also in   a (asyncio), b (trio)\n" in text
    assert "three" not in text


def test_advisory_findings_stand_apart_from_violations() -> None:
    found = run(
        cell(
            "a",
            "asyncio",
            V,
            findings=(
                finding("SF-01 one", "x", advisory="free-threaded only"),
                finding("SF-16 two", "x"),
            ),
        )
    )
    text = plain(report(found, 80))
    violation, advisory = text.index("1 distinct violation"), text.index("1 advisory finding")
    assert advisory < text.index("SF-01 must  one") < violation < text.index("SF-16 must  two")
    assert "  advisory  free-threaded only\n" in text


def test_a_long_history_is_cut_in_the_middle_and_says_so() -> None:
    events = tuple(f"{number} ns  event {number}" for number in range(HISTORY + 10))
    told = attrs.evolve(finding("SF-16 spreads", "x"), history=events)
    text = failure_message(cell("a", "asyncio", V, findings=(told,)))
    assert "... 10 more events; --json has them all" in text
    assert events[0] in text
    assert events[-1] in text
    assert events[HISTORY // 2] not in text


def test_choices_of_data_are_part_of_the_schedule() -> None:
    schedule = Schedule(tasks=((3, 1),), data=((0, 2),))
    told = attrs.evolve(finding("SF-16 spreads", "x"), schedule=schedule, points="gil")
    text = " ".join(failure_message(cell("a", "threads", V, findings=(told,))).split())
    assert (
        "schedule 2 deviations from run until blocked (points: gil): at choice 3 task 1 of the "
        "enabled ones, data choice 0 is 2"
    ) in text


def test_a_schedule_without_deviations_does_not_matter_and_is_left_out() -> None:
    told = attrs.evolve(finding("SF-16 spreads", "x"), points="gil")
    assert "schedule" not in failure_message(cell("a", "threads", V, findings=(told,)))


def test_the_report_of_an_error_keeps_its_lines() -> None:
    text = plain(report(run(cell("a", error="first\n  second")), 80))
    assert (
        "    first\n      second\n    next  quiesce run singleflight -a a -w asyncio -n 0" in text
    )


def test_an_error_of_several_cells_is_told_once_and_shortened() -> None:
    error = "\n".join(f"line {number}" for number in range(40))
    text = plain(report(run(cell("a", error=error), cell("b", error=error)), 80))
    assert "1 error of adapters or of the kit" in text
    assert "  singleflight/a/asyncio\n  singleflight/b/asyncio\n    line 0\n" in text
    assert "    line 7\n    ... 24 more lines; --json has them all\n    line 32\n" in text


def test_a_bound_without_a_certificate_counts_what_was_run() -> None:
    text = plain(report(run(cell("a", "threads", C), cell("b", "asyncio", C)), 100))
    assert (
        "singleflight/a/threads  conforms  1 conforms  1 example, 1,234 schedules at gil\n" in text
    )
    assert "singleflight/b/asyncio  conforms  1 conforms  1 example, 1,234 schedules\n" in text


def test_clauses_that_were_never_exercised_are_told_together() -> None:
    text = plain(report(run(cell("a", "asyncio", C, U, U), cell("b", "asyncio", C, U, U)), 100))
    assert (
        "Unexercised: the clause's situation never arose\n"
        "  - SF-02, SF-03 in singleflight/a/asyncio, singleflight/b/asyncio\n"
    ) in text


def test_missing_libraries_and_notes_are_told_once() -> None:
    found = Run.new(
        [cell("a", "asyncio", C, notes=("n",)), cell("b", "asyncio", C, notes=("n",))],
        budget="ci",
        seed=0,
        points="gil",
        not_installed=[NotInstalled("x", "pip install x")] * 2,
        seconds=2.0,
    )
    text = plain(report(found, 100))
    assert "  - n (singleflight/a/asyncio, singleflight/b/asyncio)\n" in text
    assert text.count("pip install x") == 1
    assert text.endswith("\n2 cells: 2 conform. 2 clauses: 2 conform. 2.0 s")


@pytest.mark.parametrize(
    ("cells", "fail_on", "expected"),
    [
        ([cell("a", "asyncio", C, U)], DEFAULT_FAIL_ON, Exit.OK),
        ([cell("a", "asyncio", C, V)], DEFAULT_FAIL_ON, Exit.VIOLATION),
        ([cell("a", "asyncio", C, V)], frozenset(), Exit.OK),
        ([cell("a", error="x"), cell("b", "asyncio", C)], DEFAULT_FAIL_ON, Exit.HARNESS),
        ([cell("a", error="x"), cell("b", "asyncio", V)], DEFAULT_FAIL_ON, Exit.VIOLATION),
        ([cell("a", error="configuration: x")], DEFAULT_FAIL_ON, Exit.USAGE),
        ([cell("a", "asyncio", U)], DEFAULT_FAIL_ON, Exit.NOTHING_RAN),
        ([cell("a", "asyncio", U)], frozenset({U}), Exit.UNCERTAIN),
        ([], DEFAULT_FAIL_ON, Exit.NOTHING_RAN),
    ],
)
def test_the_exit_code_follows_from_the_verdicts(
    cells: list[CellResult], fail_on: frozenset[Verdict], expected: Exit
) -> None:
    assert outcome(run(*cells), fail_on) is expected


def test_an_interrupted_run_is_nothing_else() -> None:
    assert outcome(run(cell("a", "asyncio", V), unfinished=("b",))) is Exit.INTERRUPTED


def test_what_fails_a_run_is_read_from_words() -> None:
    assert parse_fail_on("violates, unexercised") == {V, U}
    assert parse_fail_on("none") == frozenset()
    with pytest.raises(ConfigurationError, match=r"^--fail-on is empty; name any of violates, "):
        parse_fail_on(" ")


def test_a_cell_survives_its_text_even_with_slashes_in_the_name() -> None:
    assert Cell.parse("once/a/b/trio") == Cell("once", "a/b", "trio")
    with pytest.raises(ValueError, match=r"^'once/trio' is no cell; "):
        Cell.parse("once/trio")
