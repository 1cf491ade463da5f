"""Which columns are functions of the time column: hour, weekday, month, a season, a trend.

Their values change because time passes, so that a new one is neither a breach
nor drift.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

_SLOW = 7 * 86_400  # seconds: a calendar column keeps each value for a week or more on average


def clock_columns(table: pl.DataFrame, time: str, *, candidates: Collection[str]) -> set[str]:
    """Names among `candidates` that follow from `time` alone.

    table: in order of time; `time` holds datetimes without nulls.
    A column counts where it equals a part of the date or time, keeps one value for
    each minute of the day or of the week over at least three of them, grows with
    time, or keeps every value for a week or longer and two times at least (a season, a year).
    """
    names = [name for name in candidates if name in table.columns]
    if table.height < 2 or not names:
        return set()
    found = _date_parts(table, time, names)
    found |= _periodic(table, time, [name for name in names if name not in found])
    return found | {name for name in names if name not in found and _calendar(table, time, name)}


def _date_parts(table: pl.DataFrame, time: str, names: list[str]) -> set[str]:
    at = pl.col(time).dt
    minute = at.hour().cast(pl.Int32) * 60 + at.minute()
    parts = [at.year(), at.quarter(), at.month(), at.week(), at.day(), at.weekday(), at.weekday() - 1, at.hour()]
    parts += [at.minute(), minute, minute // 30, at.ordinal_day(), at.weekday() >= 6]
    names = [name for name in names if table[name].n_unique() > 1]  # any constant equals the minute of hourly rows
    whole = [name for name in names if table[name].dtype.is_integer() or table[name].dtype.is_float()]
    flags = [name for name in names if table[name].dtype == pl.Boolean]
    tests = [
        (pl.col(name).cast(pl.Float64) == part.cast(pl.Float64)).all().alias(f"{name}/{i}")
        for name in whole + flags
        for i, part in enumerate(parts)
    ]
    if not tests:
        return set()
    return {key.rsplit("/", 1)[0] for key, same in table.select(tests).row(0, named=True).items() if same}


def _periodic(table: pl.DataFrame, time: str, names: list[str]) -> set[str]:
    if not names:
        return set()
    at = pl.col(time).dt
    found: set[str] = set()
    keys = ((at.hour().cast(pl.Int32) * 60 + at.minute(), at.date()), (_minute_of_week(time), at.truncate("1w")))
    for key, cycle in keys:
        groups = table.group_by(key.alias("__key")).agg(
            [pl.col(name).n_unique().alias(name) for name in names], __cycles=cycle.n_unique()
        )
        if groups.select((pl.col("__cycles") >= 3).mean()).item() < 0.5:
            continue
        found |= {name for name in names if groups[name].max() == 1 and table[name].n_unique() > 1}
    return found


def _minute_of_week(time: str) -> pl.Expr:
    at = pl.col(time).dt
    return (at.weekday().cast(pl.Int32) * 24 + at.hour()) * 60 + at.minute()


def _calendar(table: pl.DataFrame, time: str, name: str) -> bool:
    column = table[name]
    distinct = column.n_unique()
    if distinct < 2 or column.null_count():
        return False
    runs = len(column.rle())
    span = (table[time][-1] - table[time][0]).total_seconds()
    if runs != distinct and runs * _SLOW > span:
        return False
    if runs == distinct > 2 and column.dtype.is_numeric() and (column.is_sorted() or column.is_sorted(descending=True)):
        return True
    run = column.rle_id()
    times = (
        pl.DataFrame([run.alias("run"), table[time].alias("at")]).unique().group_by("run", maintain_order=True).len()
    )
    if runs > 2 and times["len"][1:-1].min() == 1:  # rows of weeks or months: any figure lasts as long
        return False
    starts = table[time].filter(run.is_first_distinct())
    ends = [*starts[1:].to_list(), table[time][-1]]
    lasted = [(end - start).total_seconds() for start, end in zip(starts.to_list(), ends, strict=True)]
    if runs == 2:  # the reference may have begun or ended shortly beside the change
        return bool(max(lasted) >= _SLOW or min(lasted) >= _SLOW / 7)
    return bool(min(lasted[1:-1]) >= _SLOW)
