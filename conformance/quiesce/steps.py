"""Steps in words, for stories."""

from __future__ import annotations

from quiesce.stimuli import NOTHING, SETTLE, Advance, Arguments, Cancel, Inside, Open, Start, Step

__all__ = ["step_in_words"]


def step_in_words(step: Step) -> str:
    """A step as a person says it."""
    match step.stimulus:
        case Start(operation, arguments, instance):
            text = f"start a caller: {operation}({_shown(arguments)})"
            text += f" on subject {instance}" if instance else ""
        case Open(which, outcome):
            text = f"let waiting function {which} end: {outcome}"
        case Cancel(which):
            text = f"cancel blocked caller {which}"
        case Inside(which, operation, arguments):
            text = f"from inside waiting function {which}: {operation}({_shown(arguments)})"
        case Advance("by", _, offset):
            text = f"move the clock by {offset} ns"
        case Advance(_, which, offset):
            text = f"move the clock to due instant {which}" + (f" {offset:+} ns" if offset else "")
    if step.follow == SETTLE:
        return text
    if step.follow == NOTHING:
        return text + ", and at once"
    return text + f", then {step.follow} step" + ("s" if step.follow > 1 else "")


def _shown(arguments: Arguments) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments)
