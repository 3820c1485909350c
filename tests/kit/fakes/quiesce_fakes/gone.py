"""Adapters of a library that nobody has."""

import library_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401 - that is the point
