"""``quiesce run``: pytest and xdist underneath, with checks that do what their names say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]

REPORT_OF_A_VIOLATION = """\
1 distinct violation

SF-16 must  the leader's cancellation spreads  [ab12cd34]
  in        singleflight / fake.violates / asyncio
  clause    Cancelling the leader never delivers a cancellation to members who were not
            cancelled, and never strands them: the execution goes on (detached) or one of
            them starts it again (inline).
  expected  caller 1 goes on waiting
  observed  caller 1 got CancelledError
  steps
    1. do(k) as caller 0
    2. do(k) as caller 1
    3. cancel caller 0
  history
        0 ns  caller 0: do(k)
        0 ns  caller 1: do(k)
        1 ns  caller 1: raised CancelledError
  also in   fake.violates (threads)
  next      quiesce explain SF-16
            quiesce run singleflight/SF-16 -a fake.violates -w asyncio
"""


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d s", "N s", text)


def test_a_conforming_cell_ends_with_0_and_its_bound(command: Command) -> None:
    done = command("run", "-a", "fake.fine", "-w", "asyncio")
    assert done.stderr == ""
    assert done.returncode == 0
    lines = without_times(done.stdout).splitlines()
    assert lines[0].endswith(": 1 cell, 1 worker, budget ci, seed 0, points gil")
    assert lines[1] == "[1/1] conforms       singleflight  fake.fine  asyncio  3 conform  N s"
    assert lines[4:] == [
        "",
        "What was checked, and how far",
        "  singleflight/fake.fine/asyncio  conforms  3 conform",
        "      120 scenarios; nothing beyond these was looked at",
        "",
        "Notes",
        "  - could be claimed: forget (singleflight/fake.fine/asyncio)",
        "",
        "singleflight  asyncio",
        "  fake.fine      C",
        "",
        "C conforms, . no adapter",
        "",
        "1 cell: 1 conforms. 3 clauses: 3 conform. N s",
    ]


def test_a_violation_ends_with_1_and_its_story_once(command: Command) -> None:
    done = command("run", "-a", "fake.violates")
    assert done.returncode == 1
    assert REPORT_OF_A_VIOLATION in done.stdout
    assert done.stdout.count("the leader's cancellation spreads") == 1


def test_the_schedule_is_told_where_it_matters(command: Command) -> None:
    done = command("run", "-a", "fake.violates", "-w", "threads", "--points", "free-threaded")
    assert (
        "  schedule  1 deviation from run until blocked (points: free-threaded): at choice 3 task 1\n"  # noqa: E501
        "            of the enabled ones\n"
    ) in done.stdout
    assert "-a fake.violates -w threads --points free-threaded\n" in done.stdout


def test_whatever_cells_do_none_is_lost_and_the_others_are_unharmed(command: Command) -> None:
    done = command("run", "-a", "hostile", "-a", "fake.fine", "-n", "2", "--json", "all.json")
    assert done.returncode == 4  # hostile.misfit can't even be constructed
    cells = results("all.json")
    assert {cell["adapter"]: cell["error"] is None for cell in cells} == {
        "fake.fine": True,
        "hostile.dies": False,
        "hostile.exits": False,
        "hostile.interrupts": False,
        "hostile.misfit": False,
        "hostile.raises": False,
    }
    assert sum(cell["adapter"] == "fake.fine" for cell in cells) == 3
    assert (
        "  singleflight/hostile.dies/asyncio\n"
        "    The process that checked this cell died: os._exit, a signal, or a crash in C. The\n"
        "    other cells went on in another process. Run it alone and in this process to see how.\n"
        "    next  quiesce run singleflight -a hostile.dies -w asyncio -n 0\n"
    ) in done.stdout
    assert "RuntimeError: out of cheese" in done.stdout


def test_an_error_without_a_violation_ends_with_3(command: Command) -> None:
    assert command("run", "-a", "hostile.raises", "-n", "0").returncode == 3


def test_an_adapter_that_exits_in_this_process_is_an_error_of_its_cell(command: Command) -> None:
    done = command("run", "-a", "hostile.exits", "-n", "0")
    assert done.returncode == 3
    assert "SystemExit: 4" in done.stdout


@pytest.mark.parametrize(
    ("fail_on", "code"), [("violates", 0), ("inconclusive", 7), ("unexercised,advisory", 1)]
)
def test_fail_on_chooses_what_counts(command: Command, fail_on: str, code: int) -> None:
    chosen = ("-a", "fake.unsure", "-a", "fake.idle", "-a", "fake.advisory")
    done = command("run", *chosen, "-n", "0", "--fail-on", fail_on)
    assert done.returncode == code
    assert "Inconclusive: seen, but not reproducible, or the budget ended" in done.stdout
    assert "Unexercised: the clause's situation never arose" in done.stdout
    assert "1 advisory finding: no violation of a MUST on this build" in done.stdout
    assert "distinct violation" not in done.stdout


@pytest.mark.parametrize("adapter", ["fake.idle", "fake.claims_nothing"])
def test_a_run_that_checked_no_clause_is_no_success(command: Command, adapter: str) -> None:
    done = command("run", "-a", adapter, "-n", "0")
    assert done.returncode == 5
    assert done.stdout.endswith(
        "Nothing was checked: no clause chosen here was both claimed and exercised.\n"
    )


def test_a_library_that_is_not_installed_says_so_and_what_to_type(command: Command) -> None:
    done = command("run", "-a", "absent", "-a", "library-that-nobody-has")
    assert done.returncode == 5
    assert (
        "Not installed, so not checked\n"
        "  absent                   pip install Not-There\n"
        "  library-that-nobody-has  pip install library-that-nobody-has\n"
    ) in done.stdout
    assert done.stdout.endswith("what you chose is not installed; see above.\n")


@pytest.mark.parametrize("name", ["Renamed.py", "renamed_library", "renamed"])
def test_what_to_install_is_what_the_adapter_declares_and_not_what_it_imports(
    command: Command, name: str
) -> None:
    done = command("run", "-a", name)

    assert "Not installed, so not checked\n  Renamed.py  pip install Renamed.py\n" in done.stdout


def test_one_clause_is_checked_of_one_pattern(command: Command) -> None:
    done = command("run", "singleflight/SF-02", "-a", "fake.violates", "-w", "asyncio", "-n", "0")
    assert "1 cell: 1 conforms. 1 clause: 1 conforms." in done.stdout


def test_equal_seeds_give_equal_files_but_for_the_timing(command: Command) -> None:
    for name in ("first.json", "second.json"):
        command("run", "-a", "fake", "--seed", "5", "--json", name)
    first, second = (json.loads(Path(name).read_text()) for name in ("first.json", "second.json"))
    assert first.pop("timing") != second.pop("timing")
    assert first == second
    assert first["seed"] == 5
    assert {cell["seed"] for cell in first["cells"]} == {5}


def test_a_run_reads_no_settings_of_the_folder_and_leaves_nothing_in_it(
    command: Command, fakes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fakes / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (fakes / "conftest.py").write_text("raise RuntimeError('loaded')\n")
    (fakes / "test_mine.py").write_text("def test_mine(): assert False\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    assert command("run", "-a", "fake.fine", "-w", "asyncio", "-n", "1").returncode == 0
    assert sorted(path.name for path in fakes.iterdir()) == [
        "conftest.py",
        "pytest.ini",
        "test_mine.py",
    ]


def test_adapters_of_the_current_folder_can_be_named(command: Command, fakes: Path) -> None:
    (fakes / "mine.py").write_text(
        "from quiesce.adapters import adapter\n"
        "from quiesce_fakes.calm import LACKS, Asynchronous\n"
        "@adapter('singleflight', world='asyncio', name='mine.violates', lacks=LACKS)\n"
        "class Mine(Asynchronous): pass\n"
    )
    done = command("run", "--adapter", "mine:Mine")
    assert done.returncode == 1
    # The command to type next finds it again.
    again = "quiesce run singleflight/SF-16 --adapter mine:Mine -a mine.violates -w asyncio"
    assert again in done.stdout
    assert command(*again.split()[1:]).returncode == 1


def test_wrong_adapters_are_refused_before_any_test(command: Command) -> None:
    done = command("run", "--adapter", "misdeclared", "--adapter", "quiesce_fakes.calm")
    assert done.returncode == 4
    assert done.stdout == ""
    first, *reasons = done.stderr.splitlines()
    assert first == "quiesce: wrong adapters, nothing was run:"
    assert [reason.split()[0] for reason in reasons] == ["no_method", "sync"]


def test_an_interrupted_run_prints_what_was_finished(fakes: Path) -> None:
    (fakes / "slow.py").write_text(
        "from quiesce.adapters import adapter\n"
        "from quiesce_fakes.calm import LACKS, Asynchronous\n"
        "@adapter('singleflight', world='asyncio', name='a.fine', lacks=LACKS)\n"
        "class A(Asynchronous): pass\n"
        "@adapter('singleflight', world='asyncio', name='z.interrupts', lacks=LACKS)\n"
        "class Z(Asynchronous): pass\n"
    )
    # In this process a KeyboardInterrupt is taken for a Ctrl-C, whoever raised it.
    done = subprocess.run(
        [sys.executable, "-m", "quiesce.cli", "run", "--adapter", "slow", "-n", "0"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1] == "Interrupted: 1 cell not checked."
    assert "singleflight/a.fine/asyncio  conforms" in done.stdout


def results(name: str) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(Path(name).read_text())["cells"]
    return cells
