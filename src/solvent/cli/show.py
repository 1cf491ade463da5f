"""Printing: facts to stdout as text or one JSON document, the rest to stderr; colour never the only sign."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any, TextIO

import msgspec

from solvent.foundation.clock import iso

COLOURS = {"good": "32", "warn": "33", "bad": "31", "soft": "2", "strong": "1", "accent": "34"}
BLOCKS = "▁▂▃▄▅▆▇█"
MOST_LINES = 40  # of a table that may have thousands
WIDTH = 96  # columns


def paint(text: str, tone: str, *, stream: TextIO | None = None) -> str:
    """Colour where the stream is a terminal and NO_COLOR is unset; plain text elsewhere."""
    stream = stream or sys.stdout
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return f"\x1b[{COLOURS[tone]}m{text}\x1b[0m"


def write_json(document: Any) -> None:
    """One JSON document on stdout; instants as ISO 8601 UTC."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document, enc_hook=_plain), indent=2) + b"\n")
    sys.stdout.buffer.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return str(value)


def show(document: Any, lines: Iterable[str], *, json: bool) -> None:
    """Print a command's answer: the document as JSON, or its lines."""
    if json:
        write_json(document)
        return
    for line in lines:
        print(line)


def note(text: str) -> None:
    """A remark for the person at the terminal, on stderr."""
    print(text, file=sys.stderr)


def next_step(text: str) -> str:
    """The last line: the next thing to try."""
    return paint(f"Next: {text}", "soft")


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[int] = ()) -> list[str]:
    """Aligned columns without boxes, cut at the width of a page; columns in `right` are right-aligned."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *cells]) for i in range(len(header))]
    to_right = set(right)

    def line(row: Sequence[str]) -> str:
        parts = [c.rjust(w) if i in to_right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        text = ("  " + "  ".join(parts)).rstrip()
        return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"

    return [paint(line(header), "soft"), *(line(row) for row in cells)]


def folded(states: Sequence[str], order: Sequence[str]) -> tuple[list[int], list[tuple[str, int]]]:
    """Which of many lines to show, at most MOST_LINES, and how many of each state are left out.

    order: all states, those worth a line first.

    >>> shown, left = folded(["fresh"] * 50 + ["stale"], ["stale", "fresh"])
    >>> shown[-1], left
    (50, [('fresh', 11)])
    """
    shown = sorted(sorted(range(len(states)), key=lambda i: (order.index(states[i]), i))[:MOST_LINES])
    left = [states[i] for i in set(range(len(states))).difference(shown)]
    return shown, [(state, left.count(state)) for state in order if state in left]


def paragraph(text: str) -> list[str]:
    """A remark below a heading, indented, wrapped at the width of a page."""
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def spark(values: Sequence[float | None]) -> str:
    """A small chart of block characters; a gap for None.

    >>> spark([0, 1, None, 2])
    '▁▄ █'
    """
    known = [v for v in values if v is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if v is None else BLOCKS[int((v - low) * scale)] for v in values)


def day(instant: datetime | None) -> str:
    """A date as people write it: 29 Oct 2012.

    >>> day(datetime(2012, 10, 29))
    '29 Oct 2012'
    """
    return f"{instant.day} {instant:%b %Y}" if instant else "–"


def figure(value: float | None) -> str:
    """Two significant digits at least, thousands grouped.

    >>> [figure(v) for v in (0.0612, 3.14159, 45.31, 1234.5, None)]
    ['0.061', '3.1', '45', '1,234', '–']
    """
    if value is None:
        return "–"
    if abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def amount(count: int) -> str:
    """Bytes for people, in powers of ten.

    >>> [amount(n) for n in (0, 999, 1500, 12_400_000, 3_100_000_000)]
    ['0 B', '999 B', '1.5 kB', '12 MB', '3.1 GB']
    """
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"


def transfer_progress() -> Callable[[int, int], None] | None:
    """Tells how far a transfer is, on a terminal's stderr; None elsewhere."""
    if not sys.stderr.isatty():
        return None

    def tell(objects: int, count: int) -> None:
        if objects % 16 == 0:
            print(f"\r  … {objects:,} objects, {amount(count)} moved ", end="", file=sys.stderr)

    return tell
