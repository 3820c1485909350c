"""What a member of a shared execution gets."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

__all__ = ["Result"]

T = TypeVar("T")


class Result(NamedTuple, Generic[T]):
    """The value of one execution, the same object for each of its members.

    Attributes:
      value: what the function returned. It is handed out by reference: keeping a mutable
        one from being changed under other members is the callers' business.
      shared: whether anybody joined before the end. So it is true for each joiner, and
        for the first caller exactly if there was a joiner.

    Clauses: SF-03, SF-04, SF-19.
    """

    value: T
    shared: bool
