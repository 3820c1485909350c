"""The pytest plugin in an adopter's own test run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

Pytest = Callable[..., "subprocess.CompletedProcess[str]"]

TESTS = """\
import pytest
from quiesce.tests_api import tests
from quiesce_fakes import calm

test_fine = tests(calm.Fine)
test_wrong = tests("quiesce_fakes.calm:Violates")

class TestThreads:
    test_fine = tests(calm.FineThreads)

def test_of_something_else():
    pass
"""

STORY = """\
violates, SF-16: fake.violates as singleflight in asyncio

SF-16 must  the leader's cancellation spreads  [ab12cd34]
  in        singleflight / fake.violates / asyncio
  clause    Cancelling the leader never delivers a cancellation to members who were not
            cancelled, and never strands them: the execution goes on (detached) or one of them
            starts it again (inline).
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
  next      quiesce explain SF-16
"""


@pytest.fixture
def adopter(fakes: Path) -> Path:
    (fakes / "test_adopter.py").write_text(TESTS)
    return fakes


def outcomes(output: str) -> dict[str, str]:
    """Word by item, from the short summary that ``-rA`` prints."""
    lines = (line.split(" - ")[0].split(maxsplit=1) for line in output.splitlines())
    words = {"PASSED", "FAILED", "ERROR"}
    return {line[1]: line[0] for line in lines if len(line) == 2 and line[0] in words}


EXPECTED = {
    "test_adopter.py::test_fine[singleflight/fake.fine/asyncio]": "PASSED",
    "test_adopter.py::test_fine[singleflight/fake.fine/trio]": "PASSED",
    "test_adopter.py::test_wrong[singleflight/fake.violates/asyncio]": "FAILED",
    "test_adopter.py::TestThreads::test_fine[singleflight/fake.fine/threads]": "PASSED",
    "test_adopter.py::test_of_something_else": "PASSED",
}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["in process", "under xdist"])
def test_each_cell_is_an_item_that_fails_with_its_story(
    adopter: Path, run_pytest: Pytest, workers: tuple[str, ...]
) -> None:
    done = run_pytest("-rA", *workers)
    assert outcomes(done.stdout) == EXPECTED
    assert done.returncode == 1
    assert STORY in done.stdout
    assert "items.py" not in done.stdout  # no traceback of the kit
    assert "FAILED test_adopter.py::test_wrong[singleflight/fake.violates/asyncio] - viol" in (
        done.stdout
    )
    summary = done.stdout.partition("= quiesce =")[2]
    assert "  singleflight/fake.violates/asyncio  violates  2 conform, 1 violates" in summary
    assert "120 scenarios; nothing beyond these was looked at" in summary


def test_results_go_into_one_file_that_the_controller_writes(
    adopter: Path, run_pytest: Pytest
) -> None:
    for name, workers in (("one.json", "0"), ("two.json", "2")):
        run_pytest("-n", workers, "--quiesce-json", name, "--quiesce-seed", "3")
    one, two = (json.loads(Path(name).read_text()) for name in ("one.json", "two.json"))
    assert [cell["adapter"] for cell in one["cells"]] == [*["fake.fine"] * 3, "fake.violates"]
    del one["timing"], two["timing"]
    assert one == two


def test_junit_files_carry_no_results(adopter: Path, run_pytest: Pytest) -> None:
    run_pytest("--junitxml", "junit.xml")
    text = Path("junit.xml").read_text()
    assert "<propert" not in text
    assert "caller 1 got CancelledError" in text


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["in process", "under xdist"])
def test_cells_of_named_adapters_are_added(
    adopter: Path, run_pytest: Pytest, workers: tuple[str, ...]
) -> None:
    done = run_pytest("-rA", *workers, "--quiesce-adapter", "quiesce_fakes.calm:Advisory")
    added = {"quiesce::test_cell[singleflight/fake.advisory/asyncio]": "PASSED"}
    assert outcomes(done.stdout) == EXPECTED | added


def test_adapters_and_the_budget_can_stand_in_the_ini_file(fakes: Path, run_pytest: Pytest) -> None:
    with (fakes / "pytest.ini").open("a") as ini:
        ini.write("quiesce_budget = quick\nquiesce_adapters =\n    quiesce_fakes.calm:Fine\n")
    done = run_pytest("-v", "--quiesce-world", "trio")
    assert done.returncode == 0
    assert ": budget quick, seed 0, points gil\n" in done.stdout
    assert "quiesce::test_cell[singleflight/fake.fine/trio] PASSED" in done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--quiesce-world", "threads"], ["threads"]),
        (["--quiesce-cell", "singleflight/fake.fine/trio"], ["trio"]),
        (["--quiesce-clause", "SF-01", "--quiesce-world", "trio"], ["trio"]),
        (["--quiesce-pattern", "singleflight/SF-01", "--quiesce-world", "trio"], ["trio"]),
    ],
)
def test_filters_leave_other_peoples_tests_alone(
    adopter: Path, run_pytest: Pytest, options: list[str], left: list[str]
) -> None:
    done = run_pytest("-rA", *options)
    words = outcomes(done.stdout)
    assert words.pop("test_adopter.py::test_of_something_else") == "PASSED"
    assert [name.rpartition("/")[2].rstrip("]") for name in words] == left
    assert "deselected" in done.stdout


def test_a_wrong_adapter_in_a_test_file_is_a_collection_error(
    fakes: Path, run_pytest: Pytest
) -> None:
    (fakes / "test_wrong.py").write_text(
        "from quiesce.tests_api import tests\nimport misdeclared\n"
        "test_it = tests(misdeclared.Synchronous)\n"
        "test_nothing = tests(int)\n"
    )
    done = run_pytest()
    assert done.returncode == 2
    assert "test_it = quiesce.tests(...): wrong adapters, nothing was run:\n  sync (" in done.stdout
    assert "Traceback" not in done.stdout
    assert "passed" not in done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["in process", "under xdist"])
def test_a_wrong_named_adapter_is_a_usage_error_before_any_test(
    adopter: Path, run_pytest: Pytest, workers: tuple[str, ...]
) -> None:
    done = run_pytest(*workers, "--quiesce-adapter", "misdeclared:NoMethod")
    assert done.returncode == 4
    assert "ERROR: quiesce: wrong adapters, nothing was run:\n  no_method (" in done.stderr
    assert "passed" not in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quiesce-budget", "huge"], "There is no budget 'huge'; there are quick, ci, deep."),
        (["--quiesce-cell", "a/b"], "--quiesce-cell: 'a/b' is no cell; a cell is PATTERN/"),
        (["--quiesce-clause", "SF-99"], "There is no clause 'SF-99'."),
        (["--quiesce-json", "no/folder.json"], "--json no/folder.json: the folder"),
    ],
)
def test_wrong_options_are_usage_errors(
    adopter: Path, run_pytest: Pytest, options: list[str], message: str
) -> None:
    done = run_pytest(*options)
    assert done.returncode == 4
    assert f"ERROR: quiesce: {message}" in done.stderr


def test_a_dead_worker_leaves_a_result_and_the_other_cells(fakes: Path, run_pytest: Pytest) -> None:
    targets = (
        "--quiesce-adapter=quiesce_fakes.hostile:Dies",
        "--quiesce-adapter=quiesce_fakes.calm",
    )
    done = run_pytest("-n", "1", *targets, "--quiesce-json", "all.json")
    assert done.returncode == 1
    errors = {
        f"{cell['adapter']}/{cell['world']}": cell["error"]
        for cell in json.loads(Path("all.json").read_text())["cells"]
    }
    assert errors.pop("hostile.dies/asyncio").startswith("The process that checked this cell died")
    assert len(errors) == 9
    assert set(errors.values()) == {None}


def test_a_cell_that_claims_nothing_is_skipped(fakes: Path, run_pytest: Pytest) -> None:
    done = run_pytest("-rs", "--quiesce-adapter", "quiesce_fakes.calm:ClaimsNothing")
    assert "1 skipped" in done.stdout
    assert "the adapter claims nothing of what was to be checked" in done.stdout


def test_who_merely_has_it_installed_sees_and_imports_nothing(
    fakes: Path, run_pytest: Pytest
) -> None:
    (fakes / "test_mine.py").write_text(
        "import sys\n"
        "def test_mine():\n"
        "    heavy = {'quiesce.items', 'quiesce.selection', 'quiesce.reports.run', 'cattrs',\n"
        "             'greenlet', 'quiesce.patterns', 'click', 'rich'}\n"
        "    assert not heavy & sys.modules.keys()\n"
    )
    done = run_pytest()
    assert done.returncode == 0
    assert "quiesce" not in done.stdout


def test_no_hypothesis_profile_is_loaded(fakes: Path, run_pytest: Pytest) -> None:
    (fakes / "test_profile.py").write_text(
        "import hypothesis\n"
        "from quiesce.tests_api import tests\n"
        "from quiesce_fakes import calm\n"
        "test_fine = tests(calm.Fine)\n"
        "def test_profile():\n"
        "    profile = hypothesis.settings.get_current_profile_name()\n"
        "    assert profile in {'default', 'ci'}\n"
    )
    assert run_pytest().returncode == 0


def test_options_are_explained_under_one_heading(run_pytest: Pytest) -> None:
    text = run_pytest("--help").stdout
    options = text.partition("quiesce: conformance of concurrency libraries:\n")[2]
    assert options.startswith("  --quiesce-adapter=MODULE:ATTR\n")
    assert "quiesce_adapters (linelist):" in text


def test_the_marker_is_known(run_pytest: Pytest) -> None:
    assert "@pytest.mark.quiesce_cell(pattern, world, adapter): " in run_pytest("--markers").stdout
