"""Time: UTC, microseconds, always passed in from the edge.

Rooms below the command line never read the clock for a decision: they take
`now`. Only recording a fact (`recorded_at`) reads it, through `wall_clock`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from solvent.foundation.errors import UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w|mo)$")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "mo": timedelta(days=30.436875),
}


class BadInstant(UsageError):
    code = "bad-instant"


class BadSpan(UsageError):
    code = "bad-span"


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970 UTC. A naive instant is taken as UTC.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The inverse of `to_micros`, in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 date or time as UTC; without an offset it is UTC.

    Raises: BadInstant.

    >>> parse_instant("2012-10-29").isoformat()
    '2012-10-29T00:00:00+00:00'
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadInstant(
            f"`{text}` is no date or time", next="write it as 2012-10-29 or 2012-10-29T06:00:00Z"
        ) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def parse_span(text: str) -> timedelta:
    """A length of time: `36h`, `7d`, `1w`, `10w`, `1mo` (a mean Gregorian month).

    Raises: BadSpan.

    >>> parse_span("2w").days
    14
    """
    match = _SPAN.match(text.strip())
    if match is None:
        raise BadSpan(f"`{text}` is no length of time", next="write it as 36h, 7d, 10w or 1mo")
    return float(match[1]) * _UNITS[match[2]]


def iso(instant: datetime) -> str:
    """Compact ISO 8601 in UTC, for people and JSON: `2012-10-29T06:00:00Z`."""
    text = instant.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")
