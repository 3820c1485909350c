"""A check that does what the adapter's name says."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import attrs

from quiesce.schedulers.scheduler import Schedule
from quiesce.verdicts import CellResult, ClauseResult, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from quiesce.adapters import Adapter

CLAUSES = ("SF-01", "SF-02", "SF-16")


def check_cell(
    adapter: Adapter,
    *,
    budget: str,
    seed: int,
    clauses: frozenset[str] | None = None,
    points: str = "gil",
    progress: Callable[[str], None] | None = None,
) -> CellResult:
    began = time.perf_counter()
    what = adapter.name.rpartition(".")[2]
    if what == "dies":
        os._exit(9)
    if what == "exits":
        raise SystemExit(4)
    if what == "interrupts":
        raise KeyboardInterrupt
    if what == "raises":
        raise RuntimeError("out of cheese")
    verdict = {
        "advisory": Verdict.ADVISORY,
        "unsure": Verdict.INCONCLUSIVE,
        "idle": Verdict.UNEXERCISED,
        "claims_nothing": Verdict.UNSUPPORTED,
    }.get(what, Verdict.CONFORMS)
    findings: tuple[Finding, ...] = ()
    if what in {"violates", "advisory"}:
        advisory = "shows on a build without the GIL only" if what == "advisory" else None
        findings = (finding(adapter, points, advisory),)
    if what == "violates":
        verdict = Verdict.VIOLATES
    chosen = [clause for clause in CLAUSES if clauses is None or clause in clauses]
    result = CellResult(
        pattern=adapter.pattern,
        adapter=adapter.name,
        world=adapter.world,
        distribution=adapter.distribution,
        version=adapter.version,
        python="3.x",
        budget=budget,
        seed=seed,
        points=points if adapter.world == "threads" else None,
        order="scheduler" if adapter.world == "threads" else "fifo",
        examples=120,
        schedules=3400 if adapter.world == "threads" else 120,
        certificate="120 scenarios; nothing beyond these was looked at",
        clauses=tuple(
            ClauseResult(
                clause, verdict if clause in {"SF-16"} or what in ALL_ALIKE else Verdict.CONFORMS, 7
            )
            for clause in chosen
        ),
        findings=findings,
        notes=("could be claimed: forget",) if what == "fine" else (),
        error="configuration: __init__ raised TypeError" if what == "misfit" else None,
    )
    return attrs.evolve(result, seconds=time.perf_counter() - began)


ALL_ALIKE = frozenset({"idle", "claims_nothing"})


def finding(adapter: Adapter, points: str, advisory: str | None) -> Finding:
    threads = adapter.world == "threads"
    extra = ("settle",) if threads else ()
    return Finding(
        id="ab12cd34",
        signature="SF-16 the leader's cancellation spreads",
        clause="SF-16",
        expected="caller 1 goes on waiting",
        observed="caller 1 got CancelledError",
        steps=("do(k) as caller 0", "do(k) as caller 1", *extra, "cancel caller 0"),
        history=(
            "    0 ns  caller 0: do(k)",
            "    0 ns  caller 1: do(k)",
            "    1 ns  caller 1: raised CancelledError",
        ),
        schedule=Schedule(tasks=((3, 1),)) if threads else Schedule(),
        points=points if threads else None,
        advisory=advisory,
    )
