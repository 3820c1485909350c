"""The reference implementations against what a program would use instead.

    python benchmarks/reference.py [--repeats N] [--only WORD] [--json FILE]

Each row is one use of one pattern: how long one operation takes with ours and with each peer,
in the same process, the two taken in turns so that a busy machine slows both. The ratio is the
peer's time over ours: above 1.0 ours is faster. A peer that is not installed is left out. What
a peer does not promise stands behind it.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import reference_aio  # neighbours: the script's folder is on the path
import reference_threads

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that one measurement should take, at least.
SPELL_S = 0.05
#: Operations of one measurement, at least: starting threads and loops should not count.
FEWEST = 2_000


@attrs.frozen
class Way:
    """One way to do it: ``run(n)`` does it n times; coroutine functions run under asyncio."""

    name: str
    run: Callable[[int], Any]
    lacks: str = ""  # what it does not promise
    needs: str | None = None  # the package that it needs


@attrs.frozen
class Row:
    """One use of a pattern."""

    name: str
    ours: Way
    peers: tuple[Way, ...]


def spell(way: Way, n: int) -> float:
    """Seconds that n operations take."""
    run = way.run
    if not asyncio.iscoroutinefunction(run):
        began = time.perf_counter()
        run(n)
        return time.perf_counter() - began

    async def timed() -> float:
        began = time.perf_counter()
        await run(n)
        return time.perf_counter() - began

    return asyncio.run(timed())


def enough(way: Way) -> int:
    """How many operations fill a spell."""
    n = FEWEST
    while spell(way, n) < SPELL_S and n < 10_000_000:
        n *= 3
    return n


def measure(row: Row, repeats: int) -> list[dict[str, Any]]:
    """A line for each peer: nanoseconds an operation, ours and theirs, and the ratio."""
    lines = []
    for peer in row.peers:
        if peer.needs is not None and importlib.util.find_spec(peer.needs) is None:
            continue
        counts = {way: enough(way) for way in (row.ours, peer)}
        times: dict[Way, list[float]] = {way: [] for way in counts}
        for _ in range(repeats):
            for way, count in counts.items():
                times[way].append(spell(way, count) / count)
        ours, theirs = (statistics.median(times[way]) * 1e9 for way in (row.ours, peer))
        ratios = [theirs / ours for ours, theirs in zip(*times.values(), strict=True)]
        lines.append(
            {
                "row": row.name,
                "peer": peer.name,
                "lacks": peer.lacks,
                "ours_ns": round(ours),
                "peer_ns": round(theirs),
                "ratio": round(statistics.median(ratios), 2),
            }
        )
    return lines


def rows() -> list[Row]:
    """All rows, those of threads first."""
    return [
        Row(f"{world}: {name}", Way("ours", ours), tuple(Way(*peer) for peer in peers))
        for world, module in (("threads", reference_threads), ("asyncio", reference_aio))
        for name, ours, *peers in module.ROWS
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=9, help="spells of each way (default 9)")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    chosen = [row for row in rows() if options.only in row.name]
    if not chosen:
        known = ", ".join(row.name for row in rows())
        parser.error(f"no row has {options.only!r} in its name: {known}")
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}\n")
    print("| use | ours, ns | peer | peer, ns | ratio | the peer lacks |")
    print("|---|---:|---|---:|---:|---|")
    found = []
    for row in chosen:
        for line in measure(row, options.repeats):
            found.append(line)
            print(
                f"| {line['row']} | {line['ours_ns']:,} | {line['peer']} | {line['peer_ns']:,} "
                f"| {line['ratio']:.2f} | {line['lacks']} |",
                flush=True,
            )
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
