"""The commands of ``quiesce``: what each takes, and which part of the kit does it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from quiesce.console import printer
from quiesce.errors import ConfigurationError
from quiesce.exit_codes import FAIL_ON, Exit
from quiesce.reports.layout import Span
from quiesce.reports.run import SPEC, kit_version

__all__ = ["group"]

_CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


WORKERS = click.option(
    "-n",
    "workers",
    default="auto",
    show_default=True,
    metavar="WORKERS",
    help="Worker processes, or auto: as many as there are cores, at most one for each that is "
    "checked. 0: in this process, which ends with whatever kills it.",
)


@click.group(
    context_settings=_CONTEXT,
    epilog="""\b
Examples:
  quiesce run                          check everything that is installed
  quiesce run -a reference --budget quick
  quiesce run singleflight -a async-lru -w asyncio
  quiesce run singleflight/SF-16       one clause, every implementation
  quiesce run --adapter mylib.conformance:Flight
  quiesce explain SF-16                what a clause requires, and why
  quiesce list adapters                what there is to check
  quiesce twins                        what the kit catches of what it must

\b
Exit codes of run:
  0 nothing wrong   1 a violation   2 interrupted   3 an adapter or the kit failed
  4 wrong use       5 nothing was checked           7 see --fail-on
""",
)
@click.version_option(kit_version(), message=f"quiesce %(version)s, specification {SPEC}")
def group() -> None:
    """Check concurrency libraries against numbered clauses, in virtual time.

    A cell is a pattern, an implementation and a world (threads, asyncio, trio). Verdicts
    never depend on the speed of the machine, and the same seed gives the same result.
    """


@group.command(
    epilog="""\b
Examples:
  quiesce run once rate_limiter/RL-03 -a reference -a limits
  quiesce run -a limits --budget deep --seed 7 --json results.json
  quiesce run -n 0 once -a reference -w threads    in this process, for a debugger
""",
)
@click.argument("what", nargs=-1, metavar="[PATTERN[/CLAUSE]]...")
@click.option(
    "-a",
    "names",
    multiple=True,
    metavar="ADAPTER",
    help="Only ADAPTER, and those named ADAPTER.something; repeatable.",
)
@click.option("-w", "worlds", multiple=True, metavar="WORLD", help="Only this world; repeatable.")
@click.option(
    "--adapter",
    "--quiesce-adapter",
    "targets",
    multiple=True,
    metavar="MODULE:ATTR",
    help="Check this adapter, or all of a MODULE, instead of the installed ones; repeatable. "
    "The current folder is importable.",
)
@click.option(
    "--budget",
    type=click.Choice(["quick", "ci", "deep"]),
    default="ci",
    show_default=True,
    help="How long to look.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of every choice.")
@WORKERS
@click.option(
    "--points",
    type=click.Choice(["operations", "gil", "free-threaded"]),
    default="gil",
    show_default=True,
    help="Where a thread may be switched: at synchronisation only, also where a build with "
    "the GIL may switch, or also at every read and write of the heap.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write all results to FILE, histories included.",
)
@click.option(
    "--fail-on",
    default="violates,harness-error",
    show_default=True,
    metavar="VERDICTS",
    help=f"Which verdicts make the exit code other than 0: any of {', '.join(FAIL_ON)}; or none.",
)
def run(
    what: tuple[str, ...],
    names: tuple[str, ...],
    worlds: tuple[str, ...],
    targets: tuple[str, ...],
    budget: str,
    seed: int,
    workers: str,
    points: str,
    json_file: Path | None,
    fail_on: str,
) -> int:
    """Check implementations: all that is installed, or those that you name."""
    from quiesce.exit_codes import outcome, parse_fail_on
    from quiesce.reports.json import check_writable, write_run
    from quiesce.reports.run import Run
    from quiesce.reports.terminal import report
    from quiesce.selection import Filter, parse_patterns, select

    counted = parse_fail_on(fail_on)
    if json_file is not None:
        check_writable(json_file)
    if targets:
        sys.path.insert(0, os.getcwd())
    wanted = Filter(patterns=parse_patterns(what), worlds=frozenset(worlds))
    selection = select(wanted, names=names, targets=targets)
    count = _workers(workers, len(selection.adapters))
    out = printer()
    if selection.adapters:
        # Imported only now: pytest and xdist remember sys.path when they are imported.
        from quiesce.items import require_sound
        from quiesce.run import Plan, run

        require_sound(selection.adapters)
        cells = f"{len(selection.adapters)} cell{'s'[: len(selection.adapters) != 1]}"
        place = f"{count} worker{'s'[: count != 1]}" if count else "in this process"
        said = f"{cells}, {place}, budget {budget}, seed {seed}, points {points}"
        out.show([(Span(f"quiesce {kit_version()}, specification {SPEC}: {said}"),)])
        plan = Plan(selection, targets, wanted.patterns, budget, seed, points, count)
        with out.progress() as progress:
            found = run(plan, progress)
    else:
        found = Run.new(
            (), budget=budget, seed=seed, points=points, not_installed=selection.not_installed
        )
    out.show(report(found, out.width))
    if json_file is not None:
        write_run(json_file, found)
    code = outcome(found, counted)
    if code is Exit.NOTHING_RAN:
        out.show([(Span(_nothing(found), "bold yellow"),)])
    return code


def _nothing(found: Any) -> str:
    if found.cells:
        return "Nothing was checked: no clause chosen here was both claimed and exercised."
    if found.not_installed:
        return "Nothing was checked: what you chose is not installed; see above."
    return "Nothing was checked: no adapter fits. `quiesce list adapters` shows all."


def _workers(text: str, most: int = sys.maxsize) -> int:
    if text == "auto":
        affinity = getattr(os, "sched_getaffinity", None)
        cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
        return min(cores, most)
    if not text.isdigit():
        message = f"-n {text}: give a number of worker processes, 0 for none, or auto."
        raise ConfigurationError(message)
    return min(int(text), most)


@group.command(name="list")
@click.argument("what", type=click.Choice(["patterns", "clauses", "worlds", "adapters"]))
def list_(what: str) -> None:
    """List what there is to check, and with what."""
    from quiesce.reports.lists import LISTS

    out = printer()
    out.show(LISTS[what](out.width))


@group.command()
@click.argument("clause", metavar="CLAUSE")
def explain(clause: str) -> None:
    """Show all of a clause: its text, its source, whom it binds, what it must catch."""
    from quiesce.catalogue import find_clause
    from quiesce.reports.explain import explain as explained

    out = printer()
    out.show(explained(*find_clause(clause), out.width))


@group.command()
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@click.option(
    "--twins",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where the twins are; by default tests/twins of the checkout that this is.",
)
@WORKERS
def twins(patterns: tuple[str, ...], folder: Path | None, workers: str) -> int:
    """Show which known-bad implementations the clauses catch, and which they miss.

    A twin is a small implementation with one planted defect; each clause has to catch those
    that are planted against it, and no other clause should.
    """
    from quiesce.catalogue import find_pattern

    for pattern in patterns:
        find_pattern(pattern)
    found = folder or Path(__file__).parents[2] / "tests" / "twins"
    if not found.is_dir():
        message = (
            f"There are no twins at {found}. They are no part of the installed kit: name the "
            "folder tests/twins of a checkout with --twins."
        )
        raise ConfigurationError(message)
    from quiesce.reports.kills import is_sound, row, totals
    from quiesce.twins import report

    out = printer()
    kills = report(found, patterns, lambda kill: out.show([row(kill)]), _workers(workers))
    out.show(totals(kills, out.width))
    return Exit.OK if all(map(is_sound, kills)) else Exit.VIOLATION
