"""A column of times, however they are written."""

from __future__ import annotations

import polars as pl
from polars.exceptions import PolarsError

from solvent.data.contracts.columns import as_instants
from solvent.foundation.errors import UsageError

_EPOCHS = ((1e8, 1, "seconds"), (1e11, 1_000, "milliseconds"), (1e14, 1_000_000, "microseconds"))
_SPAN = 60.0  # the largest time over the least of a unit: 1e8 s is 1973, 6e9 s is 2160
_FORMATS = (
    ("%d.%m.%Y", "day.month.year"),
    ("%d/%m/%Y", "day/month/year"),
    ("%m/%d/%Y", "month/day/year"),
    ("%Y/%m/%d", "year/month/day"),
    ("%d-%m-%Y", "day-month-year"),
    ("%Y%m%d", "yearmonthday"),
)
_DAYS = (19_000_101, 21_001_231)
_TRIED = 100  # cells that a format must fit before it is tried on all
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f")
_WRITE = "write times as 2012-10-29 or 2012-10-29T06:00:00"


class BadTime(UsageError):
    code = "bad-time"


def instants_of(series: pl.Series) -> tuple[pl.Series, list[str]]:
    """Times in microseconds UTC, null where there is none, and what was assumed, in sentences.

    Times without a zone are taken as UTC. Raises: BadTime with the first cell that is no time.
    """
    if series.dtype.is_numeric():
        return _epochs(series)
    text = series.str.strip_chars() if series.dtype == pl.String else series
    if text.dtype == pl.String:
        found = _by_format(text)
        if found is not None:
            return found
    instants = as_instants(text)
    bad = series.is_not_null() if instants is None else instants.is_null() & series.is_not_null()
    if instants is None or bad.any():
        row = int(bad.arg_max() or 0)
        value = str(series[row])[:40] if len(series) else ""
        raise BadTime(f"`{value}` in row {row + 1:,} of `{series.name}` is no time", next=_WRITE)
    if isinstance(instants.dtype, pl.Datetime) and instants.dtype.time_zone is not None:
        instants = instants.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return instants, []


def _epochs(series: pl.Series) -> tuple[pl.Series, list[str]]:
    """Seconds, milliseconds or microseconds since 1970, told by their size; or days written as 20121029."""
    known = series.drop_nulls().cast(pl.Float64).to_numpy()
    if len(known):
        low, high = float(known.min()), float(known.max())
        if series.dtype.is_integer() and _DAYS[0] <= low <= high <= _DAYS[1]:
            found = _by_format(series.cast(pl.String))
            if found is not None:
                return found
        for least, a_second, unit in _EPOCHS:
            if least <= low <= high < least * _SPAN:
                micros = (series.cast(pl.Float64) * (1_000_000 / a_second)).round().cast(pl.Int64)
                return micros.cast(pl.Datetime("us")), [f"{series.name} counts {unit} since 1970"]
    raise BadTime(f"`{series.name}` holds numbers such as {f'{known[0]:g}' if len(known) else '?'}", next=_WRITE)


def _by_format(text: pl.Series) -> tuple[pl.Series, list[str]] | None:
    """The formats that no standard knows: taken where every cell fits; two that fit are told apart by no one."""
    known = text.drop_nulls()
    if len(known) == 0 or (known[0][:5].count("-") == 1 and known[0][:4].isdigit()):
        return None
    fitting = []
    for day, name in _FORMATS:
        for clock in _CLOCKS:
            if _parsed(known.head(_TRIED), day + clock) is None:
                continue
            instants = _parsed(text, day + clock)
            if instants is not None:
                fitting.append((instants, name))
                break
    if not fitting:
        return None
    instants, name = fitting[0]
    others = [other for _, other in fitting[1:]]
    doubt = f", though {others[0]} would fit too" if others else ""
    return instants, [f"{text.name} is written {name}{doubt}"]


def _parsed(text: pl.Series, form: str) -> pl.Series | None:
    try:
        return (
            text.str.to_datetime(form, time_unit="us")
            if "%H" in form
            else text.str.to_date(form).cast(pl.Datetime("us"))
        )
    except PolarsError:
        return None
