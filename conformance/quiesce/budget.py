"""Budgets: how much is tried before a cell's verdict. Counts, never seconds.

A search that looked at the clock would not be a pure function of its seed.
"""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["BUDGETS", "Budget"]


@attrs.frozen
class Budget:
    """How many scenarios, and in the thread world how many interleavings of each."""

    name: str
    generated: int  # scenarios from the plain generator
    machine: int  # scenarios from the Hypothesis machine
    schedules: int  # thread world: interleavings of each fixed scenario
    inner_schedules: int  # thread world: interleavings of each drawn scenario
    thread_share: float = 0.25  # thread world: share of the drawn scenarios that is run


BUDGETS: Final = {
    budget.name: budget
    for budget in (
        Budget("quick", generated=40, machine=15, schedules=30, inner_schedules=8),
        Budget("ci", generated=150, machine=40, schedules=120, inner_schedules=20),
        Budget("deep", generated=6_000, machine=1_500, schedules=4_000, inner_schedules=250),
    )
}
