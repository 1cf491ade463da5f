"""Identity and time of served rows: which prediction is this, and when did it happen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from solvent.foundation.clock import BadInstant, iso, parse_instant
from solvent.serving.errors import BadCell, BadRows

MAX_ID = 200  # characters


class EventClock(msgspec.Struct, frozen=True, kw_only=True):
    """How far a caller's event time may be from now.

    A time beyond `slack` on either side is a skewed clock: the row is flagged and its
    event time is moved to the bound. replay: a past is being lived again; take any time.
    """

    slack: timedelta = timedelta(hours=36)
    replay: bool = False

    def bound(self, happened: datetime, now: datetime) -> datetime:
        if self.replay:
            return happened
        return min(max(happened, now - self.slack), now + self.slack)


def prediction_id(value: Any) -> str:
    """A caller's id as the log keeps it: text as it is, whole numbers without a point, times as ISO 8601.

    >>> prediction_id(17.0), prediction_id("a-1"), prediction_id(17)
    ('17', 'a-1', '17')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return iso(value.replace(tzinfo=value.tzinfo or UTC)) if isinstance(value, datetime) else str(value)


def prediction_ids(column: str | None, values: Sequence[Any] | None, request_id: str, rows: int) -> list[str]:
    """The rows' prediction ids: the caller's id column where there is one, else the request's id and the row.

    Raises: BadRows where an id is missing, too long, or given twice.
    """
    if column is None or values is None:
        return [f"{request_id}-{row}" for row in range(rows)]
    ids = [prediction_id(value) for value in values]
    for row, (value, text) in enumerate(zip(values, ids, strict=True)):
        if value is None or not text or len(text) > MAX_ID:
            problem = "is missing" if value is None or not text else f"is longer than {MAX_ID} characters"
            raise BadRows([BadCell("id", column, row, f"the id of row {row} {problem}")])
    if len(set(ids)) != len(ids):
        raise _given_twice(column, ids)
    return ids


def event_times(
    column: str | None, values: Sequence[Any] | None, now: datetime, rows: int, clock: EventClock
) -> tuple[list[datetime], list[int]]:
    """When each row happened, and the rows whose time had to be bounded. A missing time is now.

    Raises: BadRows where a value is no time.
    """
    if column is None or values is None:
        return [now] * rows, []
    given = [now if value is None else _instant(value, row, column) for row, value in enumerate(values)]
    times = [clock.bound(happened, now) for happened in given]
    return times, [row for row, (a, b) in enumerate(zip(given, times, strict=True)) if a != b]


def _instant(value: Any, row: int, column: str) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        return parse_instant(value) if isinstance(value, str) else _no_time(value, row, column)
    except BadInstant:
        return _no_time(value, row, column)


def _no_time(value: Any, row: int, column: str) -> datetime:
    cell = BadCell("time", column, row, f"{str(value)[:60]!r} is no time")
    raise BadRows([cell], next="write it as 2012-10-29T06:00:00Z")


def _given_twice(column: str, ids: list[str]) -> BadRows:
    first: dict[str, int] = {}
    cells = []
    for row, text in enumerate(ids):
        if first.setdefault(text, row) != row:
            cells.append(BadCell("id", column, row, f"rows {first[text]} and {row} have one id, `{text[:60]}`"))
    return BadRows(cells[:20], count=len(cells), next="an id names one case; send each case once")
