"""Where the command line prints: rich if it is there, plain text if not."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Protocol, Self, final

from quiesce.reports.layout import Line, plain
from quiesce.reports.run import Cell
from quiesce.reports.terminal import progress

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from quiesce.verdicts import CellResult

__all__ = ["Printer", "Progress", "printer"]

NO_RICH = "(plain text, because rich is not installed: pip install 'quiesce[cli]')"


class Printer(Protocol):
    """Prints laid-out lines on standard output."""

    width: int

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines, as many as there are."""

    def progress(self) -> Progress:
        """A listener that shows a run while it goes on."""


class Progress(Protocol):
    """Shows a run while it goes on; a context, so that the terminal is left tidy."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

    def started(self, cell: Cell) -> None:
        """A cell's check has begun."""

    def finished(self, result: CellResult, number: int, total: int) -> None:
        """A cell has ended."""


def printer() -> Printer:
    """The best printer that is installed."""
    try:
        import rich.console  # noqa: F401 - only whether it is there
    except ModuleNotFoundError:
        print(NO_RICH, file=sys.stderr)
        return PlainPrinter(_width())
    return RichPrinter(_width())


def _width() -> int:
    # Wider lines are hard to read; narrower ones than 40 can't hold a word and its name.
    return min(max(shutil.get_terminal_size((100, 24)).columns, 40), 120)


@final
class PlainPrinter:
    """Prints text without colours."""

    def __init__(self, width: int) -> None:
        self.width = width

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines."""
        print(plain(lines), flush=True)

    def progress(self) -> PlainProgress:
        """A line for each cell that ends."""
        return PlainProgress(self)


@final
class PlainProgress:
    """A line for each cell that ends."""

    def __init__(self, out: Printer) -> None:
        self._out = out

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to tidy."""

    def started(self, cell: Cell) -> None:
        """Nothing: only ends are worth a line in a log."""

    def finished(self, result: CellResult, number: int, total: int) -> None:
        """Print the cell's line."""
        self._out.show([progress(result, number, total)])


@final
class RichPrinter:
    """Prints colours where the terminal has them and ``NO_COLOR`` does not forbid them."""

    def __init__(self, width: int) -> None:
        from rich.console import Console

        self.width = width
        # A terminal that wants no colour gets no bold or dim either: no codes at all.
        bare = bool(os.environ.get("NO_COLOR"))
        self.console: Console = Console(
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
            color_system=None if bare else "auto",
        )

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines."""
        for line in lines:
            self.console.print(_text(line))
        # In a pipe, as in CI, what has been said should be seen at once.
        self.console.file.flush()

    def progress(self) -> PlainProgress | LiveProgress:
        """A line for each cell that ends; on a terminal also the cells that are running."""
        return LiveProgress(self) if self.console.is_terminal else PlainProgress(self)


@final
class LiveProgress:
    """The cells that are running, below a line for each that has ended."""

    def __init__(self, out: RichPrinter) -> None:
        from rich.live import Live

        self._out = out
        self._running: list[Cell] = []
        # Redrawn when something changes, not by a thread: in this very process there may
        # be worlds that own every thread.
        self._live: Live = Live(console=out.console, auto_refresh=False, transient=True)

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the line of running cells."""
        self._live.stop()

    def started(self, cell: Cell) -> None:
        """Show it among those running."""
        self._running.append(cell)
        self._draw()

    def finished(self, result: CellResult, number: int, total: int) -> None:
        """Print the cell's line above those running."""
        cell = Cell.of(result)
        self._running = [each for each in self._running if each != cell]
        self._out.show([progress(result, number, total)])
        self._draw()

    def _draw(self) -> None:
        from rich.text import Text

        names = ", ".join(map(str, self._running))
        text = Text(f"running: {names}" if names else "", style="dim", no_wrap=True)
        text.truncate(self._out.width, overflow="ellipsis")
        self._live.update(text, refresh=True)


def _text(line: Line) -> Text:
    from rich.text import Text

    text = Text.assemble(*((span.text, span.style) for span in line))
    text.rstrip()
    return text
