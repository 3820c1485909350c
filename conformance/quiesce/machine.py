"""Machines: what draws scenarios, from Hypothesis or from a plain seeded generator.

Both draw the stimuli that a pattern lists, and both only record steps on a trial, so what
one finds the other replays. The generator costs a third of Hypothesis per step and goes
first; Hypothesis, whose choices are not uniform, goes second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from quiesce.cell import Cell, Setup
from quiesce.stimuli import NOTHING, SETTLE, Cancel, Inside, Open, Start, Step, Weighted
from quiesce.trial import Recorded, Trial
from quiesce.verdicts import Violation

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

__all__ = ["STEPS", "draw_setup", "draw_steps", "run_machine", "setups"]

#: Steps of one drawn scenario, before the fixed probe.
STEPS: Final = 12

#: What follows a stimulus: 30 % settle, 20 % nothing, 50 % one to four steps.
FOLLOWS: Final = (SETTLE,) * 6 + (NOTHING,) * 4 + (1,) * 4 + (2,) * 3 + (3,) * 2 + (4,)


def allowed(cell: Cell) -> tuple[Weighted, ...]:
    """The pattern's stimuli that make sense for this cell."""
    return tuple(
        weighted
        for weighted in cell.pattern.stimuli
        if cell.allows(weighted.needs, weighted.worlds)
        and (weighted.kind is not Cancel or cell.can_cancel)
    )


def enabled(trial: Trial, weighted: Weighted) -> bool:
    """Whether the stimulus is possible now."""
    if weighted.kind is Open:
        return bool(trial.waiting())
    if weighted.kind is Inside:
        return bool(trial.waiting()) and not trial.nesting()
    if weighted.kind is Cancel:
        return bool(trial.cancellable())
    if weighted.kind is Start:
        operation = weighted.fixed["operation"].removesuffix("_unread")
        method = trial.cell.pattern.methods[operation]
        return not method.needs or bool(trial.handles(method))
    return True


def build(weighted: Weighted, drawn: Mapping[str, Any], follow: int) -> Step:
    """The step that was drawn."""
    fields = dict(weighted.fixed)
    fields.update((name, drawn[name]) for name in weighted.choices)
    if weighted.operands:
        fields["arguments"] = tuple(sorted((name, drawn[name]) for name in weighted.operands))
    return Step(weighted.kind(**fields), follow)


def setups(cell: Cell) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """The constructor's arguments and their values, as far as the adapter allows them."""
    return tuple(
        (
            name,
            tuple(value for value in values if cell.pattern.constructs(cell.adapter, name, value)),
        )
        for name, values in sorted(cell.pattern.constructor.items())
    )


def draw_setup(cell: Cell, source: random.Random) -> Setup:
    """A setup, uniformly; one in four has two instances."""
    chosen = tuple((name, source.choice(values)) for name, values in setups(cell))
    return Setup(chosen, source.choice((1, 1, 1, 2)))


def draw_steps(trial: Trial, source: random.Random) -> None:
    """Perform ``STEPS`` drawn steps on a trial."""
    stimuli = allowed(trial.cell)
    weights = [weighted.weight for weighted in stimuli]
    for _ in range(STEPS):
        weighted = source.choices(stimuli, weights)[0]
        if not enabled(trial, weighted):
            continue
        drawn = {
            name: source.choice(values)
            for name, values in (*weighted.choices.items(), *weighted.operands.items())
        }
        trial.perform(build(weighted, drawn, source.choice(FOLLOWS)))


def run_machine(
    cell: Cell,
    *,
    examples: int,
    random_seed: int,
    judge: Callable[[Trial], None],
    failed: Callable[[Trial, Violation], None],
) -> None:
    """Run the pattern's state machine under Hypothesis.

    Args:
      cell: what is under test.
      examples: how many scenarios are drawn.
      random_seed: the same seed draws the same scenarios.
      judge: called at the end of each scenario that broke nothing, with the trial still
        open: it finishes the trial and may try other interleavings of its steps.
      failed: told of the trial and the violation when a step broke a clause.

    Raises:
      Violation: of the first scenario that breaks a clause; the caller minimises it.
    """
    machine = seed(random_seed)(machine_of(cell, judge, failed))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            derandomize=False,
            phases=(Phase.generate,),
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=Verbosity.quiet,
            suppress_health_check=tuple(HealthCheck),
        ),
    )


def machine_of(
    cell: Cell,
    judge: Callable[[Trial], None],
    failed: Callable[[Trial, Violation], None],
) -> type[RuleBasedStateMachine]:
    """The state machine of a cell: one rule for each of the pattern's stimuli."""

    class Machine(RuleBasedStateMachine):
        trial: Trial | None = None
        over = False  # a step broke a clause, or ran into a recorded violation

        @initialize(
            arguments=st.fixed_dictionaries(
                {name: st.sampled_from(values) for name, values in setups(cell)}
            ).map(lambda drawn: tuple(drawn.items())),
            instances=st.sampled_from((1, 1, 1, 2)),
        )
        def construct(self, arguments: tuple[tuple[str, Any], ...], instances: int) -> None:
            """A fresh subject in a fresh world."""
            self.trial = Trial(cell, Setup(arguments, instances)).__enter__()

        def stimulate(self, weighted: Weighted, drawn: Mapping[str, Any], follow: int) -> None:
            assert self.trial is not None  # constructed first
            if self.over:
                return
            try:
                self.trial.perform(build(weighted, drawn, follow))
            except Recorded:
                self.over = True
            except Violation as violation:
                self.over = True
                failed(self.trial, violation)
                raise
            except BaseException:
                self.over = True
                raise

        def teardown(self) -> None:
            if self.trial is None:
                return
            try:
                if not self.over:
                    judge(self.trial)
            finally:
                self.trial.close()

    for weighted in allowed(cell):
        setattr(Machine, weighted.name, rule_of(weighted))
    Machine.__name__ = Machine.__qualname__ = f"{cell.adapter.cell.replace('/', '_')}_machine"
    return Machine


def rule_of(weighted: Weighted) -> Any:
    """The rule that draws one kind of stimulus."""
    strategies: dict[str, Any] = {
        name: st.sampled_from(values)
        for name, values in (*weighted.choices.items(), *weighted.operands.items())
    }

    def stimulate(self: Any, follow: int, **drawn: Any) -> None:
        self.stimulate(weighted, drawn, follow)

    stimulate.__name__ = weighted.name
    stimulate.__doc__ = weighted.name.replace("_", " ").capitalize() + "."

    def possible(self: Any) -> bool:
        return bool(self.over) or enabled(self.trial, weighted)

    drawn_rule: Any = rule(follow=st.sampled_from(FOLLOWS), **strategies)
    return precondition(possible)(drawn_rule(stimulate))
