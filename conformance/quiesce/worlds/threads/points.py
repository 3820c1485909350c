"""Where a thread may be preempted: the point sets, and what they mean in bytecode.

The operations on locks, threads and clocks are points of their own. What stands here
concerns the code of the packages under test only.
"""

from __future__ import annotations

import dis
from enum import Enum, unique
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNCHECKED", "Points", "Watcher", "codes_in", "heap_accesses", "is_ours"]


@unique
class Points(Enum):
    """A set of scheduling points, each including the ones before it.

    ``OPERATIONS``: before an acquire, after a release, every wait, clock reading, sleep and
    thread start.

    ``GIL``: also where a build with a global interpreter lock may switch: on entry of a
    Python function, at a backward jump, and after a call into C returns. What these points
    can't split can't be split on such a build.

    ``FREE_THREADED``: also before each access to the heap, by attribute or by item.
    """

    OPERATIONS = "operations"
    GIL = "gil"
    FREE_THREADED = "free-threaded"


#: Callables whose specialised call forms don't let another thread in. Measured on real
#: threads: none of millions of check-then-act pairs around len or list.append was split,
#: thousands around abs were.
UNCHECKED: Final[tuple[object, ...]] = (len, isinstance, type, list.append)

_HEAP: Final = frozenset(
    {
        "LOAD_ATTR",
        "STORE_ATTR",
        "DELETE_ATTR",
        "BINARY_SUBSCR",
        "STORE_SUBSCR",
        "DELETE_SUBSCR",
        "BINARY_SLICE",
        "STORE_SLICE",
    }
)

_OURS: Final = __name__.rpartition(".")[0]


class Watcher(Protocol):
    """Makes points of what code under test does. One per factory."""

    def instrument(self, code: CodeType) -> None:
        """Watch a module's code and everything defined in it, before it is executed."""

    def enter(self) -> None:
        """The world takes over."""

    def leave(self) -> None:
        """The hub takes over."""

    def shut(self) -> None:
        """Stop watching all code."""


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """A code object and all those nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def heap_accesses(code: CodeType) -> bytes:
    """For each offset, 1 if the instruction there reads or writes an attribute or an item.

    Looking up a method in order to call it doesn't count: it reads the class.
    """
    marks = bytearray(len(code.co_code) + 2)
    start = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "EXTENDED_ARG":
            start = instruction.offset if start is None else start
            continue
        if _is_heap_access(instruction):
            # Events of an instruction with an extended argument come at its beginning.
            marks[instruction.offset if start is None else start] = 1
        start = None
    return bytes(marks)


def _is_heap_access(instruction: dis.Instruction) -> bool:
    name = instruction.opname
    if name == "BINARY_OP":  # 3.14 has no BINARY_SUBSCR
        return instruction.argrepr == "[]"
    if name not in _HEAP:
        return False
    return not (name == "LOAD_ATTR" and is_method_lookup(instruction))


def is_method_lookup(instruction: dis.Instruction) -> bool:
    """Whether a LOAD_ATTR is one of ``x.method()``; 3.12 says so in its argument."""
    return "NULL|self" in instruction.argrepr or "NULL|" in instruction.argrepr


def is_ours(function: Any) -> bool:
    """Whether a function is one of the world's own, which has its points inside."""
    return str(getattr(function, "__module__", "")).startswith(_OURS)
