"""A column of times, however they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from solvent.data.contracts.columns import as_instants
from solvent.foundation.errors import UsageError

_EPOCHS = (
    (1e8, 1, "seconds"),
    (1e11, 1_000, "milliseconds"),
    (1e14, 1_000_000, "microseconds"),
    (1e17, 1_000_000_000, "nanoseconds"),
)
_SPAN = 60.0  # the largest time over the least of a unit: 1e8 s is 1973, 6e9 s is 2160
_SHEET = (20_000, 80_000)  # days since the last of 1899 that spreadsheets write for 1954 to 2119
_SHEET_START = -25_569 * 86_400_000_000  # microseconds from 1970 to it
_DAYS = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d", "%Y%m%d"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d-%B-%Y", "%d-%B-%y", "%d %B %Y", "%d/%B/%Y", "%B %d, %Y", "%B %d %Y", "%Y %B %d", "%a, %d %B %Y"),
)  # %B takes short names, too
_MONTHS = ("%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%B %Y", "%B-%Y", "%B-%y", "%Y %B", "%Y-%B")
_CENTURY = re.compile(r"\D\d\d(?: |$)")  # a year of two digits
_CLOCKS = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%H.%M", "%H.%M.%S", "%I:%M %p", "%I:%M:%S %p", "%I.%M.%S %p")
_ZONES = ("", "%z", " %z")
_QUARTERS = {f"{mark}Q{quarter}": f"-{3 * quarter - 2:02}" for mark in ("-", " ", "") for quarter in (1, 2, 3, 4)}
_BEGIN = "00000101000000"  # what a number such as 201210 leaves out, by place
_PARTS = {4: "year", 6: "yearmonth", 8: "yearmonthday", 10: "yearmonthdayhour", 12: "yearmonthdayhourminute"}
_EARLIEST, _LATEST = 1900, 2100  # years of times written as bare digits, or they may be any number
_TRIED = 100  # cells that a format must fit before it is tried on all
_TIMELIKE = re.compile(r"^\s*[\w.,:/+\- ]{6,40}\s*$")
_WRITE = "write times as 2012-10-29 or 2012-10-29T06:00:00"


class BadTime(UsageError):
    code = "bad-time"


def instants_of(series: pl.Series) -> tuple[pl.Series, list[str]]:
    """Times in microseconds UTC, null where there is none, and what was assumed, in sentences.

    Times without a zone are taken as UTC. Raises: BadTime with the first cell that is no time.
    """
    if series.dtype.is_numeric():
        return _numbers(series)
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        text = text.set(text == "", None)
        found = _told(text)
        if found is not None:
            return found
        instants = as_instants(text)
    else:
        text, instants = series, as_instants(series)
    if text.null_count() == len(text):
        raise BadTime(f"`{series.name}` is empty in all {len(series):,} rows", next=_WRITE)
    if text.dtype == pl.String:
        tried = [one for one in (instants, *_nearly(text)) if one is not None]
        instants = min(tried, key=pl.Series.null_count, default=None)
    bad = text.is_not_null() if instants is None else instants.is_null() & text.is_not_null()
    if instants is None or bad.any():
        row = int(bad.arg_max() or 0)
        raise BadTime(f"`{str(series[row])[:40]}` in row {row + 1:,} of `{series.name}` is no time", next=_WRITE)
    return _in_utc(instants), []


def with_times(frame: pl.DataFrame, *, but: Sequence[str] = ()) -> pl.DataFrame:
    """The same table, its columns of text that hold nothing but times as times; those named in `but` as they are."""
    found = []
    for name, dtype in frame.schema.items():
        if dtype == pl.String and name not in but:
            told = _told(frame[name].str.strip_chars())
            found += [told[0].alias(name)] if told is not None else []
    return frame.with_columns(found)


def _numbers(series: pl.Series) -> tuple[pl.Series, list[str]]:
    """Dates written as digits, units since 1970 told by their size, or a spreadsheet's days."""
    floats = series.cast(pl.Float64)
    known = floats.drop_nulls().drop_nans().to_numpy()
    if len(known):
        low, high = float(known.min()), float(known.max())
        if (known == np.round(known)).all() and abs(high) < 1e15:
            found = _digits(floats.cast(pl.Int64, strict=False).cast(pl.String))
            if found is not None:
                return found
        for least, a_second, unit in _EPOCHS:
            if least <= low <= high < least * _SPAN:
                micros = (floats * (1_000_000 / a_second)).round().cast(pl.Int64, strict=False)
                return micros.cast(pl.Datetime("us")), [f"{series.name} counts {unit} since 1970"]
        if _SHEET[0] <= low <= high < _SHEET[1]:
            micros = (floats * 86_400_000_000).round().cast(pl.Int64, strict=False) + _SHEET_START
            return micros.cast(pl.Datetime("us")), [f"{series.name} counts days as spreadsheets do, 1 is 1900-01-01"]
    raise BadTime(f"`{series.name}` holds numbers such as {f'{known[0]:g}' if len(known) else '?'}", next=_WRITE)


def _digits(text: pl.Series) -> tuple[pl.Series, list[str]] | None:
    """2012, 201210, 20121029 and so on to the minute: all cells of one length, all of them dates."""
    lengths = text.str.len_chars().drop_nulls().unique()
    if len(lengths) != 1 or lengths.item() not in _PARTS:
        return None
    instants = _parsed(text + _BEGIN[lengths.item() :], "%Y%m%d%H%M%S")
    years = instants.dt.year().drop_nulls().to_numpy() if instants is not None else np.empty(0)
    if instants is None or not _EARLIEST <= years.min() <= years.max() <= _LATEST:
        return None
    return instants, [f"{text.name} is written {_PARTS[lengths.item()]}"]


def _told(text: pl.Series) -> tuple[pl.Series, list[str]] | None:
    """By the format that every cell fits; of two, the one by which times are spaced more evenly. None where none is."""
    head = text.drop_nulls().head(_TRIED)
    if len(head) == 0 or not all(map(_TIMELIKE.match, head)):
        return None
    if re.match(r"\d{4}-\d\d-\d\d", head[0]):  # the standard's, which polars knows best
        instants = as_instants(text)
        if instants is not None and instants.null_count() == text.null_count():
            return _in_utc(instants), []
    text = text.str.replace(r" ?(?:UTC|GMT|Z)$", "").str.replace(r"^(.*\d)[T:](\d\d:\d\d:\d\d)", "$1 $2")
    if text.str.contains(r"Q[1-4]$").head(_TRIED).all():
        text = text.str.replace_many(_QUARTERS)
    head = text.drop_nulls().head(_TRIED)
    fitting: dict[str, pl.Series] = {}
    for form, rest, day in _forms(head[0]):
        name = _name(form)
        if name in fitting or _parsed(head + rest, form + day) is None:
            continue
        instants = _parsed(text + rest, form + day)
        if instants is not None:
            fitting[name] = instants
    if not fitting:
        return None
    name = min(fitting, key=lambda one: _unevenness(fitting[one]))
    others = [other for other in fitting if other != name]
    doubt = f", though {others[0]} would fit too" if others else ""
    return fitting[name], [f"{text.name} is written {name}{doubt}"]


def _nearly(text: pl.Series) -> list[pl.Series | None]:
    """By each format, null where it does not fit, so that an error can name the first odd cell."""
    return [_parsed(text + rest, form + day, strict=False) for form, rest, day in _forms(text.drop_nulls()[0])]


def _forms(cell: str) -> list[tuple[str, str, str]]:
    """Formats that may fit a cell, what completes the cell to a day, and its format."""
    if re.match(r"\d{4}-?W\d\d$", cell):
        return [("%G-W%V" if "-" in cell else "%GW%V", "-1", "-%u")]
    known = [form for form in (*_DAYS, *_MONTHS) if "%y" not in form or _CENTURY.search(cell)]
    forms = [(form, " 1", " %d") for form in known if form in _MONTHS]
    zones = _ZONES if re.search(r"[+-]\d\d:?\d\d$", cell) else _ZONES[:1]
    clocks = _CLOCKS if re.search(r"\d[:.]\d\d\D|\d[:.]\d\d$", cell) else _CLOCKS[:1]
    for day in (form for form in known if form in _DAYS):
        forms += [(f"{day} {clock}{zone}".strip(), "", "") for clock in clocks for zone in zones]
    return forms


def _name(form: str) -> str:
    day = form.split(" %H")[0].split(" %I")[0]
    for code, name in (("%a, ", ""), ("%d", "day"), ("%m", "month"), ("%B", "month"), ("%y", "year"), ("%Y", "year")):
        day = day.replace(code, name)
    return day.replace("%G", "year").replace("%V", "week")


def _unevenness(instants: pl.Series) -> float:
    """Spread of the gaps between times over their mean: months read as days jump from December to January."""
    gaps = np.diff(instants.drop_nulls().unique().sort().to_physical().to_numpy().astype(float))
    return float(gaps.std() / gaps.mean()) if len(gaps) else 0.0


def _in_utc(instants: pl.Series) -> pl.Series:
    if isinstance(instants.dtype, pl.Datetime) and instants.dtype.time_zone is not None:
        instants = instants.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return instants


def _parsed(text: pl.Series, form: str, *, strict: bool = True) -> pl.Series | None:
    try:
        if "%H" in form or "%I" in form:
            instants = text.str.to_datetime(form, time_unit="us", strict=strict)
        else:
            instants = text.str.to_date(form, strict=strict).cast(pl.Datetime("us"))
    except PolarsError:
        return None
    instants = _in_utc(instants)
    years = instants.dt.year().drop_nulls().to_numpy()
    return instants if len(years) and years.min() >= 1000 else None  # '%Y' takes 20, too
