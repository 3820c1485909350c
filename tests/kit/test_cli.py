"""The command line apart from ``run``: help, lists, explanations, and wrong use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from quiesce import cli
from quiesce.catalogue import clauses
from quiesce.exit_codes import Exit
from quiesce.reports.run import SPEC, kit_version
from quiesce.twins import Kill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def start(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_version_names_kit_and_specification(capsys: pytest.CaptureFixture[str]) -> None:
    expected = f"quiesce {kit_version()}, specification {SPEC}\n"
    assert start(capsys, "--version") == (0, expected, "")


def test_help_teaches_by_examples_and_tells_the_exit_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = start(capsys, "--help")
    assert code == Exit.OK
    assert "  quiesce run singleflight -a async-lru -w asyncio\n" in out
    assert "0 nothing wrong   1 a violation   2 interrupted   3 an adapter or the kit failed" in out
    for command in ("run", "list", "explain"):
        assert f"\n  {command} " in out


def test_help_of_run_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = start(capsys, "run", "-h")
    assert code == Exit.OK
    for option in ("-a", "-w", "--adapter", "--budget", "--seed", "-n", "--points", "--json"):
        assert f"\n  {option}" in out
    assert "[default: violates,harness-error]" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "singelflight"],
            (
                "There is no pattern 'singelflight'. Did you mean singleflight? "
                "`quiesce list patterns` shows all."
            ),
        ),
        (
            ["run", "singleflight/SF-016"],
            (
                "There is no clause in singleflight 'SF-016'. Did you mean SF-16? "
                "`quiesce list clauses` shows all."
            ),
        ),
        (
            ["run", "-w", "asincio"],
            "There is no world 'asincio'. Did you mean asyncio? `quiesce list worlds` shows all.",
        ),
        (
            ["run", "-a", "no-such-thing-at-all"],
            "There is no adapter 'no-such-thing-at-all'. `quiesce list adapters` shows all.",
        ),
        (
            ["explain", "SF_9"],
            "There is no clause 'SF_9'. Did you mean SF-09? `quiesce list clauses` shows all.",
        ),
        (
            ["run", "--adapter", "no_such_module:X"],
            "The adapter 'no_such_module:X' can't be imported: No module named 'no_such_module'.",
        ),
        (
            ["run", "-n", "many"],
            "-n many: give a number of worker processes, 0 for none, or auto.",
        ),
        (
            ["run", "--fail-on", "violates,flaky"],
            (
                "'flaky' is no verdict to fail on; name any of violates, harness-error, "
                "inconclusive, unexercised, advisory, separated by commas, or none."
            ),
        ),
        (["run", "--json", "."], "--json .: that is a folder; name a file in it."),
    ],
)
def test_wrong_use_ends_with_4_and_says_what_to_do(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert start(capsys, *arguments) == (Exit.USAGE, "", f"quiesce: {message}\n")


def test_an_unknown_option_ends_with_4_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = start(capsys, "run", "--no-such-option")
    assert (code, out) == (Exit.USAGE, "")
    assert "No such option" in err


def test_a_missing_folder_is_found_before_the_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "none" / "results.json"
    expected = (
        f"quiesce: --json {path}: the folder {path.parent} does not exist; create it first.\n"
    )
    assert start(capsys, "run", "--json", str(path)) == (Exit.USAGE, "", expected)


def test_without_click_the_command_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "click", None)
    code, out, err = start(capsys, "--help")
    assert (code, out) == (Exit.USAGE, "")
    assert err.startswith("The command line of quiesce needs click and rich, which are not inst")
    assert "    pip install 'quiesce[cli]'\n" in err


def test_without_rich_the_text_is_plain_and_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, coloured, _ = start(capsys, "explain", "SF-16")
    assert code == Exit.OK
    monkeypatch.setitem(sys.modules, "rich.console", None)
    code, out, err = start(capsys, "explain", "SF-16")
    assert code == Exit.OK
    assert out == coloured
    assert err == "(plain text, because rich is not installed: pip install 'quiesce[cli]')\n"


def test_every_clause_is_listed_and_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    _, listed, _ = start(capsys, "list", "clauses")
    for clause_id, (clause, _) in clauses().items():
        assert f"\n{clause_id}  {clause.level.value} " in f"\n{listed}"
        code, out, _ = start(capsys, "explain", clause_id.lower())
        assert code == Exit.OK
        said = " ".join(out.split())
        assert said.startswith(f"{clause_id} {clause.level.value}")
        for text in (clause.text, clause.source, clause.untested or "", *clause.twins):
            assert " ".join(text.split()) in said


def test_an_untested_clause_is_marked_in_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    _, listed, _ = start(capsys, "list", "clauses")
    untested = [clause for clause, _ in clauses().values() if clause.untested is not None]
    said = " ".join(listed.split())
    assert untested
    for clause in untested:
        assert f"[untested: {clause.untested}]" in said


def test_a_clause_that_one_pattern_checks_counts_as_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = start(capsys, "explain", "UN-07")

    assert code == Exit.OK
    assert "quiesce run" in out
    assert "object_pool/UN-07" in out
    assert "once: " in out  # it has nothing to close, and says so


def test_the_list_of_clauses_ends_with_how_many_are_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, listed, _ = start(capsys, "list", "clauses")
    known = [clause for clause, _ in clauses().values()]
    checked = sum(clause.untested is None for clause in known)

    assert listed.splitlines()[-1].startswith(f"{len(known)} clauses, {checked} checked (")


def test_a_clause_of_one_world_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    _, listed, _ = start(capsys, "list", "clauses")

    assert "(detached) or one of them starts it again (inline). [in asyncio and trio]" in " ".join(
        listed.split()
    )


def test_an_explanation_says_whom_the_clause_binds(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = start(capsys, "explain", "SF-16")
    lines = out.splitlines()
    assert lines[0].startswith("SF-16  must  ")
    names = [line[2:14].strip() for line in lines if line[2:3].strip()]
    assert {"source", "worlds", "must catch", "check it"} < set(names)
    assert "quiesce run singleflight/SF-16" in out


def test_worlds_and_patterns_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _, worlds, _ = start(capsys, "list", "worlds")
    assert [line.split()[0] for line in worlds.splitlines() if line[0] != " "] == [
        "threads",
        "asyncio",
        "trio",
    ]
    _, patterns, _ = start(capsys, "list", "patterns")
    assert "singleflight  " in patterns


def test_what_can_be_listed_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = start(capsys, "list", "cells")
    assert code == Exit.USAGE
    assert "'patterns', 'clauses', 'worlds', 'adapters'" in err


def test_twins_need_their_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    expected = (
        f"quiesce: There are no twins at {folder}. They are no part of the installed kit: name "
        "the folder tests/twins of a checkout with --twins.\n"
    )
    assert start(capsys, "twins", "--twins", str(folder)) == (Exit.USAGE, "", expected)


@pytest.mark.parametrize(
    ("kills", "code", "lines"),
    [
        (
            [
                Kill("singleflight", "sf_caches", "asyncio", ("SF-05",), ()),
                Kill("singleflight", "sf_good", "asyncio", (), ()),
            ],
            Exit.OK,
            [
                "singleflight sf_caches asyncio caught by SF-05",
                "singleflight sf_good asyncio conforms, as it should",
                "1 of 1 twins caught by all the clauses that must catch them",
            ],
        ),
        (
            [
                Kill("singleflight", "sf_caches", "trio", ("SF-14",), ("SF-05",)),
                Kill("singleflight", "sf_lock", "trio", (), ()),
                Kill("singleflight", "sf_good", "trio", ("UN-01",), ()),
                Kill("singleflight", "sf_leak", "trio", ("SF-14",), (), "died"),
            ],
            Exit.VIOLATION,
            [
                "singleflight sf_caches trio caught by SF-14, missed by SF-05",
                "singleflight sf_lock trio not caught",
                "singleflight sf_good trio conforms, but is said to break UN-01",
                "singleflight sf_leak trio caught by SF-14, ended by an error: died",
                "0 of 3 twins caught by all the clauses that must catch them; 4 rows are wrong",
            ],
        ),
    ],
)
def test_twins_are_shown_row_by_row_and_those_that_survive_count(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kills: list[Kill],
    code: Exit,
    lines: list[str],
) -> None:
    def report(
        folder: Path, patterns: tuple[str, ...], progress: Callable[[Kill], None], workers: int
    ) -> tuple[Kill, ...]:
        assert (folder, patterns, workers) == (tmp_path, ("singleflight",), 0)
        for kill in kills:
            progress(kill)
        return tuple(kills)

    monkeypatch.setattr("quiesce.twins.report", report)
    ended, out, _ = start(capsys, "twins", "singleflight", "--twins", str(tmp_path), "-n", "0")
    assert ended == code
    rows, _, rest = out.partition("\nClauses that no twin breaks\n")
    shown = [*rows.splitlines(), rest.splitlines()[-1]]
    assert [" ".join(line.split()) for line in shown] == lines
    # What no twin of this run breaks is told, and what one breaks is not.
    assert "SF-01" in rest
    assert all(clause not in rest for kill in kills for clause in kill.clauses)
