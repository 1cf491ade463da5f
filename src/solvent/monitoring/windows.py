"""Windows that tumble by time: which are closed, and how they are called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from solvent.foundation.clock import BadSpan, parse_span

MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


class Window(msgspec.Struct, frozen=True):
    """Event times in [start, end), UTC."""

    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """Both ends as dates where they are midnights: `2012-10-22/2012-10-29`."""
        whole = all((t.hour, t.minute, t.second, t.microsecond) == (0, 0, 0, 0) for t in (self.start, self.end))
        form = "%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M"
        return f"{self.start.strftime(form)}/{self.end.strftime(form)}"


def windows_from(start: datetime, width: str | timedelta, anchor: datetime = MONDAY) -> Iterator[Window]:
    """Windows without end, the first one containing `start`.

    width: a timedelta or text such as `1d`, `1w`; `1mo` and its multiples are calendar months.
    anchor: some window begins here (UTC); months ignore it.
    Raises: BadSpan, no positive width.
    """
    months = _months(width)
    if months:
        at = _month_start(start, months)
        while True:
            following = _add_months(at, months)
            yield Window(at, following)
            at = following
    span = parse_span(width) if isinstance(width, str) else width
    if span <= timedelta(0):
        raise BadSpan(f"a window of {width} has no width", next="write it as 1d, 1w or 1mo")
    at = anchor + (start - anchor) // span * span
    while True:
        yield Window(at, at + span)
        at += span


def closed_windows(
    start: datetime,
    now: datetime,
    width: str | timedelta,
    *,
    anchor: datetime = MONDAY,
    lateness: timedelta = timedelta(0),
) -> list[Window]:
    """Windows that begin at or after `start` and whose end the watermark (`now` less `lateness`) has passed."""
    found: list[Window] = []
    for window in windows_from(start, width, anchor):
        if window.end > now - lateness:
            return found
        if window.start >= start:
            found.append(window)
    return found


def _months(width: str | timedelta) -> int:
    if isinstance(width, str) and width.strip().endswith("mo"):
        number = width.strip().removesuffix("mo").strip()
        return int(number) if number.isdigit() else 0
    return 0


def _month_start(at: datetime, months: int) -> datetime:
    index = (at.year * 12 + at.month - 1) // months * months
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def _add_months(at: datetime, months: int) -> datetime:
    index = at.year * 12 + at.month - 1 + months
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)
