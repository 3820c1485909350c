"""An adapter of a library whose distribution has another name than what it brings."""

import renamed_library  # type: ignore[import-not-found]

import quiesce


@quiesce.adapter("once", world="threads", distribution="Renamed.py")
class Renamed:
    def __init__(self, work):
        self._once = renamed_library.Once(work)

    def call(self):
        return self._once()
