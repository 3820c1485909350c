"""A round of a wait group: what waiters have in common who are released together."""

from __future__ import annotations

from typing import final

__all__ = ["Round"]


@final
class Round:
    """From the counter's rise above zero until it is zero again. Its user protects it.

    Attributes:
      ended: whether the counter has come back to zero.
      errors: what functions have raised, in this round or untold in earlier ones.
      waiters: callers that wait for the end now.
    """

    def __init__(self, *, ended: bool = False, errors: list[BaseException] | None = None) -> None:
        self.ended = ended
        self.errors = [] if errors is None else errors
        self.waiters = 0
        self._told = False  # somebody hears of the errors, or has heard

    def next(self) -> Round:
        """The round that follows; it takes over the errors of which nobody has heard."""
        return Round(errors=[] if self._told else self.errors)

    def end(self) -> None:
        """The counter is zero. Those who wait now will hear of the errors."""
        self.ended = True
        self._told = self.waiters > 0

    def raise_errors(self) -> None:
        """Tell a waiter what has failed, if anything has.

        Raises:
          BaseExceptionGroup: the errors; an ExceptionGroup if all of them are Exceptions.
        """
        self._told = True
        if self.errors:
            msg = "functions of a wait group failed"
            raise BaseExceptionGroup(msg, list(self.errors))
