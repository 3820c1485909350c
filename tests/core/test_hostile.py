"""Adapters that harm whoever runs them get a verdict that names them, and nobody else is harmed."""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from quiesce import check
from quiesce.check import check_cell
from quiesce.patterns.registry import PATTERNS
from quiesce.stimuli import Cancel
from quiesce.verdicts import Verdict

from .conftest import load, python, subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from quiesce.verdicts import CellResult

HOSTILE = subjects("hostile")
harmless: Any = load("harmless")

HANG = "HangError: call 1 (do(key='a')) holds the real thread at hostile.py:"
ERROR = "UN-05 an internal error comes out: "
LEAK = "UN-01 something is left running"
SPIN = "UN-03 spins at a frozen clock"
OUTCOME = "SF-03 a member gets another outcome, too early"
UNBUILT = "configuration: {name}: the adapter could not be constructed: "
REFUSED = "HarnessError: call 1 (do(key='a')) started the real thread 'stray'"

#: Misbehaviour -> how the cell's error begins.
ERRORS = {
    "hangs_on_a_real_lock": HANG,
    "loops_for_ever": HANG,
    "loops_in_its_constructor": "HangError: call 0 (host 0) holds the real thread at hostile.py:",
    "constructor_raises_base_exception": UNBUILT + "BaseException",
    "constructor_raises_keyboard_interrupt": UNBUILT + "KeyboardInterrupt",
    "constructor_raises_system_exit": UNBUILT + "SystemExit",
    "constructor_raises_odd": UNBUILT + "Odd, whose message raises Odd",
    "starts_a_real_thread": REFUSED,
    "swallows_the_refusal_of_a_thread": REFUSED,
    "has_a_real_thread_started": "HarnessError: the code under test started a real OS thread",
    "cancels_the_root": "HarnessError: trio's run has ended: ",
    "loops_and_swallows_everything/threads": HANG,
}

#: Misbehaviour -> a signature among the cell's findings.
FINDINGS = {
    "spins": SPIN,
    "recurses": ERROR + "builtins.RecursionError",
    "raises_base_exception": ERROR + "builtins.BaseException",
    "raises_keyboard_interrupt": ERROR + "builtins.KeyboardInterrupt",
    "raises_system_exit": ERROR + "builtins.SystemExit",
    "raises_odd": ERROR + "hostile.Odd",
    "raises_cancelled_error": "SF-16 the leader's cancellation reaches members that were not "
    "cancelled",
    "deletes_its_attributes": ERROR + "builtins.AttributeError",
    "leaks_a_thread": LEAK,
    "leaks_a_task": LEAK,
    "never_stops": LEAK,
    "fails_to_stop": ERROR + "builtins.LookupError",
    "swallows_cancellations/asyncio": "UN-04 a cancellation is swallowed",
    "swallows_cancellations/trio": SPIN,  # a scope cancels again and again
    "swallows_the_end": "SF-07 a key is blocked although nothing runs for it",
    "closes_the_loop": ERROR + "builtins.RuntimeError",
    "cancels_every_task": "SF-16 the leader's cancellation reaches members that were not cancelled",
    "returns_a_strange_object": OUTCOME,
    "returns_a_strange_int": OUTCOME,
    "returns_a_strange_tuple": OUTCOME,
    "returns_a_masked_object": OUTCOME,
    "returns_a_bottomless_list": OUTCOME,
}

#: What a cell does not mind, and what is said of it.
HARMLESS = {
    "good": "",
    "writes_garbage": "",
    "stops_the_loop": "",
    "changes_the_interpreter": "the switch interval",
    "takes_the_alarm": "",
}

#: Those that end, or may end, the process that runs them.
DEADLY = {
    "dies",
    "is_interrupted",
    "is_interrupted_and_swallows_it",
    "loops_and_swallows_everything/asyncio",
    "loops_and_swallows_everything/trio",
}


def cases(table: dict[str, str]) -> list[Any]:
    """Each misbehaviour of a table in each world that it is declared for."""
    return [
        pytest.param(key, table.get(key) or table[key.partition("/")[0]], id=key)
        for key in HOSTILE
        if key in table or key.partition("/")[0] in table
    ]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few scenarios, and worlds that lose patience early, after a few hundred steps."""
    pattern = PATTERNS["singleflight"]
    cancelling = [
        scenario
        for scenario in pattern.scenarios
        if any(isinstance(step.stimulus, Cancel) for step in scenario.steps)
    ]
    few = (*pattern.scenarios[::6], *cancelling)
    monkeypatch.setitem(PATTERNS, "singleflight", attrs.evolve(pattern, scenarios=few))
    monkeypatch.setattr(check, "HANG_AFTER_S", 0.25)
    for world, name, option in (
        ("threads", "ThreadWorldFactory", "step_limit"),
        ("asyncio", "AsyncioWorldFactory", "spin_limit"),
        ("trio", "TrioWorldFactory", "spin_limit"),
    ):
        module = importlib.import_module(f"quiesce.worlds.{world}")
        factory = functools.partial(getattr(module, name), **{option: 500})
        monkeypatch.setattr(module, name, factory)


def state() -> dict[str, Any]:
    """What a cell must leave as it was."""
    return {
        "threads": set(threading.enumerate()),
        "trace": (sys.gettrace(), sys.getprofile(), threading.gettrace()),
        "hooks": (sys.excepthook, sys.unraisablehook, threading.excepthook, sys.stdout, sys.stderr),
        "handlers": {number: signal.getsignal(number) for number in signal.Signals},
        "limits": (sys.getswitchinterval(), sys.getrecursionlimit(), gc.isenabled()),
        "clocks": (time.time, time.monotonic, time.sleep, time.perf_counter),
        "start": threading.Thread.start,
        "loop": asyncio._get_running_loop(),
        "import": list(sys.meta_path),
        "environment": {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"},
        "folder": os.getcwd(),
        "generators": sys.get_asyncgen_hooks(),
    }


def modules() -> dict[str, object]:
    return dict(sys.modules)


@pytest.fixture
def checked(tiny: str) -> Iterator[Callable[[str], CellResult]]:
    """Check a cell; afterwards the process is as it was."""
    before, known = state(), modules()
    yield lambda key: check_cell(HOSTILE[key], budget=tiny)
    harmless.RELEASE.set()
    for thread in threading.enumerate():
        if thread not in before["threads"]:
            thread.join()
    harmless.RELEASE.clear()
    assert state() == before
    after = modules()
    assert {name: after.get(name) for name in known} == known


@pytest.fixture
def unharmed(
    checked: Callable[[str], CellResult], tiny: str
) -> Iterator[Callable[[str], CellResult]]:
    """The same, and afterwards good cells of its world do well in the same process."""
    worlds: list[str] = []

    def checks(key: str) -> CellResult:
        worlds.append(HOSTILE[key].world)
        return checked(key)

    yield checks
    harmless.RELEASE.set()
    for world in worlds:
        result = check_cell(HOSTILE[f"good/{world}"], budget=tiny)
        assert (result.error, result.findings) == (None, ())
        assert result.verdict in (Verdict.CONFORMS, Verdict.UNEXERCISED)


@pytest.mark.parametrize(("key", "error"), cases(ERRORS))
def test_what_makes_a_run_worthless_ends_its_cell_with_an_error(
    unharmed: Callable[[str], CellResult], key: str, error: str
) -> None:
    result = unharmed(key)

    assert result.error is not None
    assert result.error.startswith(error.format(name=result.adapter))
    assert result.verdict is Verdict.HARNESS_ERROR


@pytest.mark.parametrize(("key", "signature"), cases(FINDINGS))
def test_what_a_caller_can_see_is_a_finding(
    checked: Callable[[str], CellResult], key: str, signature: str
) -> None:
    result = checked(key)

    assert signature in [finding.signature for finding in result.findings]
    if key != "recurses/threads":  # it may overflow in the midst of the world's own work
        assert result.error is None
        assert result.verdict is Verdict.VIOLATES


@pytest.mark.parametrize(("key", "note"), cases(HARMLESS))
def test_what_breaks_no_clause_is_put_back_and_at_most_noted(
    unharmed: Callable[[str], CellResult],
    capfd: pytest.CaptureFixture[str],
    key: str,
    note: str,
) -> None:
    result = unharmed(key)

    assert (result.error, result.findings) == (None, ())
    assert {clause.verdict for clause in result.clauses} >= {Verdict.CONFORMS}
    assert note in "; ".join(result.notes)


@pytest.mark.parametrize("world", ["threads", "asyncio", "trio"])
def test_after_all_that_good_cells_still_conform(tiny: str, world: str) -> None:
    result = check_cell(HOSTILE[f"good/{world}"], budget=tiny)

    assert (result.error, result.findings) == (None, ())


def test_every_hostile_adapter_is_tested() -> None:
    tested = {param.values[0] for table in (ERRORS, FINDINGS, HARMLESS) for param in cases(table)}
    deadly = {key for key in HOSTILE if key in DEADLY or key.partition("/")[0] in DEADLY}

    assert tested | deadly == set(HOSTILE)
    assert not tested & deadly


# The user's own Ctrl-C.


@pytest.mark.parametrize("world", ["threads", "asyncio", "trio"])
@pytest.mark.parametrize("name", ["is_interrupted", "is_interrupted_and_swallows_it"])
def test_an_interrupt_of_the_users_is_no_verdict(
    unharmed: Callable[[str], CellResult], name: str, world: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        unharmed(f"{name}/{world}")


@pytest.mark.parametrize("world", ["threads", "asyncio", "trio"])
def test_a_run_that_is_interrupted_ends_with_2(world: str) -> None:
    done = python(
        *("-m", "quiesce.cli", "run", "--adapter", "hostile:IsInterrupted_" + world, "-n", "0"),
        *("--budget", "quick"),
    )

    assert done.returncode == 2, done.stdout + done.stderr
    assert "violat" not in done.stdout


# Processes that end.


def test_the_death_of_a_process_is_a_verdict_and_the_other_cells_go_on() -> None:
    done = python(
        *(
            "-m",
            "quiesce.cli",
            "run",
            "--adapter",
            "hostile:Dies_asyncio",
            "--adapter",
            "hostile:Good_asyncio",
        ),
        *("-n", "1", "--budget", "quick"),
    )

    assert done.returncode == 3, done.stdout + done.stderr
    assert "The process that checked this cell died" in done.stdout
    assert "[2/2]" in done.stdout
    assert "1 conforms" in done.stdout


@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_a_loop_that_swallows_every_error_ends_its_process_with_a_message(world: str) -> None:
    program = (
        "from quiesce import check\n"
        "from quiesce.adapters import discover\n"
        "check.HANG_AFTER_S = 0.1\n"
        f"[adapter] = discover(['hostile:LoopsAndSwallowsEverything_{world}']).adapters\n"
        "check.check_cell(adapter, budget='quick')\n"
    )
    done = python("-c", program)

    assert done.returncode == 70
    assert done.stderr.startswith("quiesce: call 1 (do(key='a')) holds the real thread at hostile")
    assert done.stderr.endswith("It swallows this error, so the process ends.\n")
