"""Text with styles: what reports lay out themselves, so that a plain terminal loses colour only."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import attrs

from quiesce.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "STYLES",
    "Line",
    "Span",
    "command",
    "field",
    "heading",
    "numbered",
    "plain",
    "prose",
    "table",
]


@attrs.frozen
class Span:
    """A piece of one line in one style."""

    text: str
    style: str = ""  # in the words of rich; empty for the terminal's own


Line = tuple[Span, ...]

#: How each verdict looks. Colour never says anything that the letter does not.
STYLES: Final = {
    Verdict.CONFORMS: "green",
    Verdict.VIOLATES: "bold red",
    Verdict.ADVISORY: "yellow",
    Verdict.UNSUPPORTED: "dim",
    Verdict.UNEXERCISED: "yellow",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.HARNESS_ERROR: "bold magenta",
}


def plain(lines: Iterable[Line]) -> str:
    """The lines as text without styles or trailing blanks."""
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines)


def heading(text: str) -> list[Line]:
    """The title of a part, after an empty line."""
    return [(), (Span(text, "bold"),)]


def prose(text: str, width: int, *, indent: int = 0, hang: int = 0, style: str = "") -> list[Line]:
    """Text broken into lines of at most ``width`` columns; its own line breaks stay."""
    return [
        (Span(piece, style),)
        for paragraph in text.splitlines() or [""]
        for piece in _fill(paragraph, width, " " * indent, " " * (indent + hang))
    ]


def field(name: str, text: str, width: int, *, indent: int = 2, column: int = 10) -> list[Line]:
    """A name, then text in a column beside it."""
    lead = indent + column
    pieces = [
        piece
        for paragraph in text.splitlines() or [""]
        for piece in _fill(paragraph, width - lead, "", "")
    ] or [""]
    first = (Span(" " * indent + name.ljust(column), "dim"), Span(pieces[0]))
    return [first, *((Span(" " * lead + piece),) for piece in pieces[1:])]


def command(name: str, text: str, *, indent: int = 2, column: int = 10) -> list[Line]:
    """A name, then a command beside it on one line, however long, so that it can be copied."""
    return [(Span(" " * indent + name.ljust(column), "dim"), Span(text))]


def numbered(items: Iterable[str], width: int, *, indent: int = 4) -> list[Line]:
    """Items with their numbers from 1, one or more lines each."""
    items = tuple(items)
    digits = len(str(len(items)))
    return [
        line
        for number, item in enumerate(items, 1)
        for line in prose(f"{number:>{digits}}. {item}", width, indent=indent, hang=digits + 2)
    ]


def table(rows: Iterable[tuple[str, ...]], *, indent: int = 2, gap: int = 2) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    rows = list(rows)
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        " " * indent
        + (" " * gap)
        .join(cell.ljust(size) for cell, size in zip(row, widths, strict=True))
        .rstrip()
        for row in rows
    ]


def _fill(text: str, width: int, first: str, rest: str) -> list[str]:
    # Words longer than a line (paths, reprs) stay whole: broken, they can't be copied.
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
