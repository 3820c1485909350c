"""What a select did, for threads and for async tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

__all__ = ["Selected"]


@final
@dataclass(frozen=True, slots=True)
class Selected:
    """What a select did.

    Attributes:
      index: which of its cases.
      value: what was received; None for a send.
      is_closed: whether nothing was received since the channel is closed and drained.

    Clauses: CH-11.
    """

    index: int
    value: Any = None
    is_closed: bool = False
