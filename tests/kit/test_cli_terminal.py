"""What the command line prints on terminals of all kinds."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def on_a_terminal(*arguments: str) -> str:
    """What a process prints on a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "quiesce.cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},
    ):
        os.close(theirs)
        printed = b""
        while piece := _read(ours):
            printed += piece
    os.close(ours)
    return printed.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so when the other end has been closed
        return b""


def test_a_terminal_shows_colours_and_the_cells_that_are_running(fakes: Path) -> None:
    printed = on_a_terminal("run", "-a", "fake.violates", "-w", "asyncio", "-n", "1")
    assert "running: singleflight/fake.violates/asyncio" in printed
    assert "\x1b[1;31mviolates" in printed


def test_no_color_leaves_no_colour_codes(fakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    printed = on_a_terminal("run", "-a", "fake.violates", "-w", "asyncio", "-n", "1")
    assert "violates" in printed
    assert "m" not in {code[-1:] for code in _codes(printed)}


def test_what_is_no_terminal_gets_no_codes_at_all(command: Command) -> None:
    assert "\x1b" not in command("run", "-a", "fake.violates", "-w", "asyncio", "-n", "0").stdout


@pytest.mark.parametrize("columns", ["20", "40", "60"])
def test_a_narrow_terminal_gets_lines_that_fit(
    command: Command, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    done = command("run", "-a", "fake.violates", "-w", "asyncio", "-n", "0")
    story = done.stdout.partition("1 distinct violation")[2].partition("  next")[0]
    assert "caller 1 got CancelledError" in " ".join(story.split())
    # Words are not broken, so that ids and paths can be copied.
    assert max(map(len, story.splitlines()[2:])) <= max(40, int(columns))


def _codes(printed: str) -> list[str]:
    codes = []
    for piece in printed.split("\x1b[")[1:]:
        end = next(index for index, letter in enumerate(piece) if letter.isalpha())
        codes.append(piece[: end + 1])
    return codes
