"""How an execution ended, kept in order to be told to every caller.

An exception drags the frames along through which it came, and each frame keeps its
function, its arguments and its locals alive. An error that is kept for good must let go
of them, or "the function is released after its execution" would hold for successes only.
"""

from __future__ import annotations

from traceback import walk_tb
from typing import Generic, TypeVar, final

__all__ = ["Outcome"]

T = TypeVar("T")


@final
class Outcome(Generic[T]):
    """A value, or an error without its frames. Immutable.

    Clauses: ON-06, ON-10, UN-11.
    """

    __slots__ = ("_answer", "_is_error")

    _answer: T | Exception
    _is_error: bool

    @classmethod
    def returned(cls, value: T) -> Outcome[T]:
        """Keep a value."""
        outcome = cls()
        outcome._answer, outcome._is_error = value, False
        return outcome

    @classmethod
    def raised(cls, error: Exception, *, handling: BaseException | None) -> Outcome[T]:
        """Keep an error; a note on it says in words where it was raised.

        Args:
          error: the error. It loses its traceback, as do the errors that led to it.
          handling: what the caller was handling before the execution began
            (``sys.exception()``). It isn't ours, and stays as it is.
        """
        places = [
            f"  {frame.f_code.co_filename}:{line}, in {frame.f_code.co_qualname}"
            for frame, line in walk_tb(error.__traceback__)
        ]
        # The first place is our own call of the function.
        error.add_note("\n".join(["raised by the one execution, at", *places[1:]]))
        _drop_frames(error, handling)
        outcome = cls()
        outcome._answer, outcome._is_error = error, True
        return outcome

    def get(self) -> T:
        """Return the value, or raise the error: the same object for every caller.

        Each raise begins a fresh traceback: a chain that grew with each caller would keep
        all their frames alive.
        """
        if self._is_error:
            assert isinstance(self._answer, Exception)
            raise self._answer.with_traceback(None)
        return self._answer  # type: ignore[return-value]  # _is_error tells the two apart


def _drop_frames(error: BaseException, handling: BaseException | None) -> None:
    """Take the traceback off an error and off all that it was raised from."""
    open_ends: list[BaseException | None] = [error]
    seen = {id(handling)}  # ids of live objects: every one is held by the chain
    while open_ends:
        link = open_ends.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        link.__traceback__ = None
        open_ends += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            open_ends += link.exceptions
