"""Points in code under test through ``sys.settrace``, for Python 3.11.

Opcode events tell places, not callables, so two things are read off the bytecode: after
which calls a point may lie, by the name that was called, and whether a call went into
Python code, by the event of that code's frame in between.
"""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING, Any, Final, final

from quiesce.worlds.threads.points import Points, codes_in, heap_accesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from quiesce.worlds.threads.core import Core

__all__ = ["TracedCode"]

_POINT: Final = 1  # the instruction is a point itself
_CALL: Final = 2  # it calls something
_AFTER: Final = 4  # it follows a call: a point unless the call went into Python code

_KIT: Final = "code of the kit: not seen at all"
_FOREIGN: Final = "code that is not under test: entering it is no point"
_POINTLESS: Final = "code under test with no points but its entry"

_UNCHECKED: Final = frozenset({"len", "isinstance", "type", "append"})
_CALLS: Final = frozenset({"CALL", "CALL_FUNCTION_EX"})
_OURS: Final = __name__.rpartition(".")[0]


@final
class TracedCode:
    """The code under test of one factory."""

    def __init__(self, core: Core, points: Points) -> None:
        self._codes: list[CodeType] = []  # alive, so their identities stay theirs
        self._marks: dict[int, bytes] = {}
        self._heap = points is Points.FREE_THREADED
        self._forget: Callable[[], None]
        self._trace = self._make_trace(core)
        self._outer: Any = None

    def instrument(self, code: CodeType) -> None:
        """Watch everything defined in a module; its own body runs undisturbed."""
        for each in codes_in(code):
            if each is not code:
                self._codes.append(each)
                marks = _marks_of(each, heap=self._heap)
                self._marks[id(each)] = marks if any(marks) else b""

    def enter(self) -> None:
        """Trace, and remember who traced before: a debugger or coverage."""
        self._outer = sys.gettrace()
        sys.settrace(self._trace)

    def leave(self) -> None:
        """Give tracing back. It belongs to the OS thread, so tasks and hub share it."""
        sys.settrace(self._outer)
        self._outer = None

    def shut(self) -> None:
        """Forget all code."""
        self._codes.clear()
        self._marks.clear()
        self._forget()

    def _make_trace(self, core: Core) -> Any:
        ready = core.ready
        choices = core.choices
        decide = core.decide
        marks_of = self._marks.get
        kept = self._codes
        calling: set[FrameType] = set()  # frames in a call that hasn't entered Python code
        # By code: its trace function, or one of the two below. One look-up an event.
        traces: dict[int, Any] = {}
        trace_of = traces.get

        def point() -> None:
            if ready:
                step = choices.step
                choices.step = step + 1
                if step >= choices.stop:
                    decide(step, traced=True)

        def trace_with(marks: bytes) -> Any:
            def on_event(frame: FrameType, event: str, _argument: object) -> Any:
                if event == "opcode":
                    mark = marks[frame.f_lasti]
                    if mark:
                        if mark & _AFTER and frame in calling:
                            calling.discard(frame)
                            point()
                        elif mark & _POINT:
                            point()
                        if mark & _CALL:
                            calling.add(frame)
                elif event == "return":
                    calling.discard(frame)
                return on_event

            return on_event

        def learn(frame: FrameType, code: CodeType) -> Any:
            kept.append(code)  # alive, so its identity stays its own
            marks = marks_of(id(code))
            if marks is None:
                name = str(frame.f_globals.get("__name__", ""))
                trace: Any = _KIT if name.startswith(_OURS) else _FOREIGN
            else:
                trace = trace_with(marks) if marks else _POINTLESS
            traces[id(code)] = trace
            return trace

        def on_entry(frame: FrameType, _event: str, _argument: object) -> Any:
            code = frame.f_code
            trace = trace_of(id(code)) or learn(frame, code)
            if trace is _KIT:
                return None
            caller = frame.f_back
            if caller in calling:
                calling.discard(caller)
                point()
            elif trace is not _FOREIGN:
                point()
            if trace is _FOREIGN or trace is _POINTLESS:
                return None
            frame.f_trace_lines = False
            frame.f_trace_opcodes = True
            return trace

        self._forget = traces.clear
        return on_entry


def _marks_of(code: CodeType, *, heap: bool) -> bytes:
    marks = bytearray(heap_accesses(code) if heap else len(code.co_code) + 2)
    called: list[str | None] = []  # what is on the stack, by the name it was loaded from
    unchecked = False  # whether the call in preparation is of something that never checks
    after_call = False
    for instruction in dis.get_instructions(code):
        name, offset = instruction.opname, instruction.offset
        if after_call:
            marks[offset] |= _AFTER
            after_call = False
        if "BACKWARD" in name and "NO_INTERRUPT" not in name:
            marks[offset] |= _POINT
        if name == "PRECALL":
            first = len(called) - (instruction.arg or 0)
            unchecked = not _UNCHECKED.isdisjoint(called[max(first - 2, 0) : first])
        elif name in _CALLS and not (name == "CALL" and unchecked):
            marks[offset] |= _CALL
            after_call = True
        effect = dis.stack_effect(instruction.opcode, instruction.arg, jump=False)
        if effect > 0:
            loaded = instruction.argval if name in {"LOAD_GLOBAL", "LOAD_METHOD"} else None
            called.extend([loaded] * effect)
        else:
            del called[len(called) + effect :]
            if effect < 0 and called and name != "POP_TOP":
                called[-1] = None
    return bytes(marks)
