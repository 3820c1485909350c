"""Configuration: whether an adapter says something runnable, found before any test."""

from __future__ import annotations

import difflib
import importlib
import inspect
from typing import TYPE_CHECKING, Final

from quiesce.patterns.registry import PATTERNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quiesce.adapters import Adapter
    from quiesce.patterns.pattern import Method

__all__ = ["WORLDS", "configuration_errors"]

WORLDS: Final = ("threads", "asyncio", "trio")


def configuration_errors(adapter: Adapter) -> tuple[str, ...]:
    """What is wrong with an adapter's declaration and class, each in a sentence or two."""
    return tuple(_problems(adapter))


def _problems(adapter: Adapter) -> Iterable[str]:
    who = f"{adapter.name} ({adapter.module}:{adapter.qualname})"
    if adapter.pattern not in PATTERNS:
        yield f"{who}: there is no pattern {adapter.pattern!r}{_near(adapter.pattern, PATTERNS)}."
        return
    if adapter.world not in WORLDS:
        yield f"{who}: there is no world {adapter.world!r}{_near(adapter.world, WORLDS)}."
        return
    pattern = PATTERNS[adapter.pattern]
    for name in sorted(adapter.lacks - set(pattern.capabilities)):
        yield (
            f"{who}: lacks={{{name!r}}} is no capability of {pattern.name}"
            f"{_near(name, pattern.capabilities)}."
        )
    for flag, value in adapter.dialect.items():
        if flag not in pattern.dialects:
            yield f"{who}: {pattern.name} has no dialect {flag!r}{_near(flag, pattern.dialects)}."
        elif value not in pattern.dialects[flag]:
            values = " | ".join(pattern.dialects[flag])
            yield f"{who}: dialect {flag} is {value!r}; it can be {values}."
    try:
        cls: object = importlib.import_module(adapter.module)
        for part in adapter.qualname.split("."):
            cls = getattr(cls, part)
    except (ImportError, AttributeError) as error:
        yield (
            f"{who}: the class can't be found again ({error}). Define it at the top level of "
            "an importable module."
        )
        return
    for method in pattern.port:
        yield from _method_problems(who, cls, method, adapter)


def _method_problems(who: str, cls: object, method: Method, adapter: Adapter) -> Iterable[str]:
    function = getattr(cls, method.name, None)
    shape = f"{method.name}({', '.join(('self', *method.parameters))})"
    if method.receiver is not None:
        return
    if function is None:
        if method.capability is None:
            yield f"{who}: has no method {shape}. {method.summary}"
        elif method.capability not in adapter.lacks:
            yield (
                f"{who}: has no method {shape} and does not lack {method.capability!r}. Add the "
                f"method, or lacks={{{method.capability!r}}}."
            )
        return
    try:
        inspect.signature(function).bind("self", *method.parameters)
    except TypeError as error:
        yield f"{who}: {method.name} can't be called as {shape}: {error}."
    is_async = inspect.iscoroutinefunction(function)
    if adapter.world == "threads" and is_async:
        yield f"{who}: {method.name} is async, but in the world threads methods are plain."
    if adapter.world != "threads" and method.is_async and not is_async:
        yield (
            f"{who}: {method.name} is a plain method, but in the world {adapter.world} it must "
            "be `async def`."
        )


def _near(word: str, known: Iterable[str]) -> str:
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(known)}" if known else ""
