"""Figures, dates and counts in words: two significant digits, units, intervals, months by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from solvent.pages.figures import Figure

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
MINUS = "−"


def number(value: float, digits: int = 2) -> str:
    """At least `digits` significant digits, whole numbers in full, thousands grouped.

    >>> number(43.7), number(5772.3), number(0.6071), number(-4.06), number(7)
    ('44', '5,772', '0.61', '−4.1', '7')
    """
    if value == 0 or isinstance(value, int):
        return f"{value:,.0f}".replace("-", MINUS)
    size = abs(value)
    scientific = f"{size:.{digits - 1}e}"
    exponent = int(scientific.partition("e")[2])
    text = f"{size:,.{max(digits - 1 - exponent, 0)}f}" if -5 < exponent < 9 else scientific
    return f"{MINUS}{text}" if value < 0 else text


def alike(values: Sequence[float], digits: int = 2) -> list[str]:
    """Several figures to be compared: as many digits as keep different ones different, four at most.

    >>> alike([0.6071, 0.5993]), alike([42.4, 74.1])
    (['0.61', '0.60'], ['42', '74'])
    """
    for wanted in range(digits, 5):
        texts = [number(value, wanted) for value in values]
        if len(set(texts)) == len(set(values)):
            return texts
    return [number(value, 4) for value in values]


def interval(figure: Figure) -> str:
    """The interval alone; empty where there is none.

    >>> interval(Figure(value=43.2, lower=38.4, upper=49.1)), interval(Figure(value=1.0, lower=-2.0, upper=4.2))
    ('38–49', '−2.0 to 4.2')
    """
    if figure.lower is None or figure.upper is None:
        return ""
    low, high = alike([figure.lower, figure.upper])
    return f"{low} to {high}" if figure.lower < 0 else f"{low}–{high}"


def with_interval(figure: Figure) -> str:
    """`43 (38–49)`."""
    spread = interval(figure)
    digits = max((len(part.partition(".")[2]) for part in spread.replace(" to ", "–").split("–")), default=0)
    value = number(figure.value)
    if spread and digits > len(value.partition(".")[2]):
        value = f"{figure.value:,.{digits}f}".replace("-", MINUS)
    return f"{value} ({spread})" if spread else value


def percent(share: float) -> str:
    """A share of something named beside it: `97%`, `0.4%`, never `100%` of less than all."""
    if 0.995 <= share < 1:
        return "over 99%"
    return f"{number(100 * share)}%"


def in_words(count: int) -> str:
    """Small counts as words, others in digits.

    >>> in_words(2), in_words(41)
    ('two', '41')
    """
    return NUMBERS[count] if 0 <= count < len(NUMBERS) else f"{count:,}"


def times(count: int) -> str:
    """`once`, `twice`, `9 times`.

    >>> times(1), times(2), times(14)
    ('once', 'twice', '14 times')
    """
    return {1: "once", 2: "twice"}.get(count) or f"{in_words(count)} times"


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 week`, `78 weeks`, `2,041 entries`.

    >>> plural(1, "week"), plural(2041, "entry", "entries")
    ('1 week', '2,041 entries')
    """
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def capital(sentence: str) -> str:
    """Its first letter as a capital, the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def day(instant: datetime, *, year: bool = True) -> str:
    """`29 Oct 2012`."""
    return f"{instant.day} {MONTHS[instant.month - 1]}" + (f" {instant.year}" if year else "")


def month(instant: datetime) -> str:
    """`Oct 2012`."""
    return f"{MONTHS[instant.month - 1]} {instant.year}"


def moment(instant: datetime) -> str:
    """`5 Jan 2013 06:00 UTC`; midnight without its hour."""
    if (instant.hour, instant.minute) == (0, 0):
        return day(instant)
    return f"{day(instant)} {instant:%H:%M} UTC"


def between(start: datetime, end: datetime) -> str:
    """The days of a window, its end not counted in: `22–28 Oct 2012`."""
    last = end - timedelta(microseconds=1)
    if start.date() == last.date():
        return day(start)
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day}–{day(last)}"
    return f"{day(start, year=start.year != last.year)} – {day(last)}"


def window_noun(width: timedelta) -> str:
    """What one window is called: hour, day, week, month, or its length.

    >>> window_noun(timedelta(weeks=1)), window_noun(timedelta(days=3))
    ('week', '3-day window')
    """
    days = width.total_seconds() / 86400
    named = {7.0: "week", 1.0: "day", 14.0: "fortnight"}
    if days in named:
        return named[days]
    if 28 <= days <= 31:
        return "month"
    if width == timedelta(hours=1):
        return "hour"
    return f"{days:g}-day window" if days >= 1 else f"{24 * days:g}-hour window"
