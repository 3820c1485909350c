"""Steps and observations in words, for stories."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from quiesce.stimuli import NOTHING, SETTLE, Advance, Arguments, Cancel, Inside, Open, Start, Step
from quiesce.worlds.world import START

if TYPE_CHECKING:
    from quiesce.model import View

__all__ = ["error_in_words", "step_in_words", "view_in_words"]

#: Where objects stand in memory differs from run to run.
ADDRESS: Final = re.compile("0x[0-9a-fA-F]{6,}")


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


def view_in_words(view: View) -> str:
    """A view in words."""
    calls = ", ".join(f"c{number} {outcome_in_words(outcome)}" for number, outcome in view.calls)
    functions = ", ".join(
        f"{execution_in_words(index, leader)} {phase}{_whose(leader)}"
        for index, leader, phase in view.executions
    )
    return "; ".join(part for part in (calls, functions) if part) or "nothing"


def execution_in_words(index: int, leader: object) -> str:
    """What an execution is called: by its number, and by its function and argument if it has."""
    match leader:
        case (str(function), None, _):
            return f"{function} {index}"
        case (str(function), argument, _):
            return f"{function} {index} of {frozen_in_words(argument)}"
    return f"function {index}"


def _whose(leader: object) -> str:
    match leader:
        case int(number) | (_, _, int(number)):
            return f" for c{number}"
    return ""


def outcome_in_words(outcome: tuple[Any, ...]) -> str:
    """An outcome in words."""
    match outcome:
        case ("returned", value, *at):
            text = f"returned {frozen_in_words(value)}"
        case ("raised", error, *at):
            text = _error_in_words(error)
        case (kind, *at):
            return str(kind)
    return text + (f" at {at[0] - START} ns" if at else "")


def _error_in_words(error: tuple[Any, ...]) -> str:
    match error:
        case ("alien-cancel",):
            return "saw a cancellation that was not its own"
        case ("refused",):
            return "was refused"
        case ("alien", kind):
            return f"raised {kind}"
        case ("group", tuple(errors)):
            return f"raised a group of: {', '.join(_error_in_words(error) for error in errors)}"
        case (kind, int(index)):
            return f"raised the {kind} of function {index}"
    return f"raised {error[0]}"


def frozen_in_words(value: object) -> str:
    """A frozen value in words."""
    match value:
        case ("value", int(index)):
            return f"the value of function {index}"
        case tuple():
            return "(" + ", ".join(frozen_in_words(item) for item in value) + ")"
    return repr(value)


def error_in_words(error: BaseException) -> str:
    """An error's type and message. It may be the subject's, and its own words may fail."""
    kind = type(error).__name__
    if kind in ("Cancelled", "CancelledError"):
        return kind  # the rest says who cancelled, with addresses that differ from run to run
    try:
        message = ADDRESS.sub("0x...", str(error))
    except BaseException as another:
        return f"{kind}, whose message raises {type(another).__name__}"
    return f"{kind}: {message}" if message else kind
