"""All patterns by name."""

from __future__ import annotations

from typing import Final

from quiesce.patterns.pattern import Pattern
from quiesce.patterns.singleflight import SINGLEFLIGHT

__all__ = ["PATTERNS"]

PATTERNS: Final[dict[str, Pattern]] = {pattern.name: pattern for pattern in (SINGLEFLIGHT,)}
