"""Interleavings of threads: schedules a second, and time to the first failure.

    python benchmarks/threads.py [--quick] [--json FILE] [--only GROUP]

Each group of contenders runs in a process of its own, one after another. Peers that are not
installed have a row that says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import attrs
from contenders import CONTENDERS, PROGRAMS, Contender, Found, Rate

if TYPE_CHECKING:
    from quiesce.explore import Program

SILENT = {
    "frontrun": "not installed: pip install quiesce[peers]",
    "interleave-test": "not installed (Python 3.12 or later): pip install quiesce[peers]",
}


@attrs.frozen
class Plan:
    """How long and how often to measure."""

    seconds: float  # of each rate
    rates: int
    seeds: int  # searches of each program
    peer_seeds: int


QUICK = Plan(seconds=0.2, rates=1, seeds=3, peer_seeds=1)
FULL = Plan(seconds=0.5, rates=6, seeds=20, peer_seeds=5)

#: Searches of one program that find nothing, after which the rest is not tried.
ENOUGH = 3


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--json", metavar="FILE", help="write everything measured here")
    parser.add_argument("--only", choices=CONTENDERS, help="measure one group")
    parser.add_argument("--child", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    if options.child:
        print(json.dumps(measure(options.child, plan)))
        return
    groups = [options.only] if options.only else list(CONTENDERS)
    rows: list[dict[str, Any]] = []
    load = [os.getloadavg()[0]]
    for group in groups:
        print(f"... {group}", file=sys.stderr, flush=True)
        rows += in_child(group, quick=options.quick)
        load.append(os.getloadavg()[0])
    about = (
        f"Python {platform.python_version()}, {os.cpu_count()} processors, "
        f"load {min(load):.1f} to {max(load):.1f}"
    )
    print(f"{about}\n")
    print_rates(rows)
    print_finds(rows)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"about": about, "rows": rows}, file, indent=1)


def made(group: str) -> list[Contender]:
    """The contenders of a group that can run here."""
    return CONTENDERS[group]()


def in_child(group: str, *, quick: bool) -> list[dict[str, Any]]:
    """Measure a group in a process of its own."""
    if not made(group):
        return [{"name": group, "silent": SILENT[group]}]
    command = [sys.executable, __file__, "--child", group, *(["--quick"] if quick else [])]
    if group == "frontrun":  # it wants to be started through its own command
        command = [sys.executable, "-m", "frontrun.cli", *command]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: list[dict[str, Any]] = json.loads(child.stdout.splitlines()[-1])
    return result


def measure(group: str, plan: Plan) -> list[dict[str, Any]]:
    """Everything about one group. The rates come in rounds: a busy minute hits them all."""
    contenders = made(group)
    rounds = [[each.rate(plan.seconds) for each in contenders] for _ in range(plan.rates)]
    seeds = plan.seeds if group in ("quiesce", "greenlets") else plan.peer_seeds
    return [
        {
            "name": contender.name,
            "rates": [attrs.asdict(rates[n]) for rates in rounds],
            "finds": {each.__name__: search(contender, each, seeds) for each in PROGRAMS},
        }
        for n, contender in enumerate(contenders)
    ]


def search(contender: Contender, program: type[Program], seeds: int) -> list[dict[str, Any]]:
    """One search for each seed."""
    searches: list[Found] = []
    for seed in range(seeds):
        searches.append(contender.find(program, seed))
        if seed + 1 == ENOUGH and not any(each.verdict == "found" for each in searches):
            break
    return [attrs.asdict(each) for each in searches]


def print_rates(rows: list[dict[str, Any]]) -> None:
    print(
        "Schedules a second of the correct locked counter, 3 tasks x 5: medians by the wall clock"
    )
    print(
        "and by processor time, which a loaded machine distorts less, and the best of the latter\n"
    )
    print(f"| {'who':44} | {'wall':>7} | {'cpu':>7} | {'best':>7} |")
    print(f"|{'-' * 46}|{'-' * 8}:|{'-' * 8}:|{'-' * 8}:|")
    for row in rows:
        if "silent" in row:
            print(f"| {row['name']}: {row['silent']} | | | |")
            continue
        rates = [Rate(**rate) for rate in row["rates"]]
        wall = statistics.median(rate.schedules / rate.wall_s for rate in rates)
        by_cpu = [rate.schedules / rate.cpu_s for rate in rates]
        cpu, best = statistics.median(by_cpu), max(by_cpu)
        print(f"| {row['name']:44} | {wall:7,.0f} | {cpu:7,.0f} | {best:7,.0f} |")


def print_finds(rows: list[dict[str, Any]]) -> None:
    names = [program.__name__ for program in PROGRAMS]
    print("\nTo the first failure: median wall ms / median schedules (max schedules). `complete`:")
    print(
        "the space ended without one. `none in n x m`: n searches of m schedules found nothing, and"
    )
    print("prove nothing. The portfolio's time includes making the schedule short.\n")
    print(f"| {'who':44} | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for row in rows:
        if "silent" in row:
            print(f"| {row['name']}: {row['silent']} |" + " |" * len(names))
            continue
        cells = [cell([Found(**found) for found in row["finds"][name]]) for name in names]
        print(f"| {row['name']:44} | " + " | ".join(cells) + " |")


def cell(searches: list[Found]) -> str:
    """One program's searches in a few characters."""
    found = [each for each in searches if each.verdict == "found"]
    if not found:
        ran = statistics.median(each.schedules for each in searches)
        done = all(each.verdict == "complete" for each in searches)
        return f"complete {ran:.0f}" if done else f"none in {len(searches)} x {ran:.0f}"
    ms = statistics.median(each.wall_s for each in found) * 1e3
    ran = statistics.median(each.schedules for each in found)
    text = f"{ms:.1f} / {ran:g} ({max(each.schedules for each in found)})"
    return text if len(found) == len(searches) else f"{text} in {len(found)} of {len(searches)}"


if __name__ == "__main__":
    main()
