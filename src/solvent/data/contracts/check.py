"""Hold a table to its contract: a window of served rows, a step's input, a file that arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl

from solvent.data.contracts.columns import (
    Floats,
    as_floats,
    as_instants,
    as_text,
    longest_run,
    may_hold_run,
    missing_mask,
    missing_share,
)
from solvent.data.contracts.model import ColumnContract, ColumnType, Contract, Role, Severity, Violation
from solvent.data.contracts.units import find_unit
from solvent.data.threads import each_column

_SAMPLE = 5  # rows named per violation
_RUN = 24  # rows of one value before a column can count as constant
_OUT_OF_RANGE = 0.1  # share of a window's rows: fewer may be a storm or a tail
_FAR = 10  # reference ranges beyond the allowed one: a fault, not a season
_STALE = 3  # longest gaps of the reference without a new row


def check_contract(
    contract: Contract,
    table: pl.DataFrame,
    *,
    role: Literal["features", "source"] = "features",
    now: datetime | None = None,
    notes: bool = False,
) -> list[Violation]:
    """Breaches of the contract, in the order of its columns; with `notes`, remarks that break nothing too.

    role: a `source` must carry every column; served `features` may lack target, time, id and known_at.
    now: with it, a source whose newest row is too old for it is `stale`.
    Several findings of one column are told by their cause: a unit explains a range.
    """
    table = _in_order(contract, table)
    found = list(_columns_present(contract, table, role))
    if table.height:
        there = [column for column in contract.columns if column.name in table.columns]
        for broken in each_column(lambda one: _check_column(one, table[one.name]), there, rows=table.height):
            found += broken
    found += _duplicates(contract, table)
    if now is not None:
        found += _stale(contract, table, now)
    return [violation for violation in found if notes or violation.severity is Severity.BREAK]


def _in_order(contract: Contract, table: pl.DataFrame) -> pl.DataFrame:
    time = contract.named(Role.TIME)
    if time is None or time not in table.columns or table[time].is_sorted():
        return table
    return table.sort(time)


def _columns_present(contract: Contract, table: pl.DataFrame, role: str) -> Iterator[Violation]:
    needed = contract.columns if role == "source" else contract.served
    for column in needed:
        if column.name not in table.columns:
            yield Violation(column=column.name, kind="missing-column", cause=f"{column.name} is missing")
    known = {column.name for column in contract.columns}
    for name in table.columns:
        if name not in known:
            cause = f"{name} is not in the contract"
            yield Violation(column=name, kind="extra-column", cause=cause, severity=Severity.NOTE)


def _check_column(column: ColumnContract, series: pl.Series) -> list[Violation]:
    wrong = _type(column, series)
    if wrong is not None:
        return [wrong]
    if column.role is Role.ID:
        return _repeated(column, series)
    if column.role in (Role.TARGET, Role.TIME, Role.KNOWN_AT):
        return []
    rules: list[Callable[[ColumnContract, pl.Series], Violation | None]] = [_missing]
    if series.null_count() < len(series):
        rules += [_unit, _constant, _range] if column.type is ColumnType.NUMBER else [_constant, _unseen]
    found: list[Violation] = []
    for rule in rules:
        violation = rule(column, series)
        if violation is not None:
            found.append(violation)
            if violation.kind in ("unit", "constant"):
                break  # it explains the rest
    return found


def _type(column: ColumnContract, series: pl.Series) -> Violation | None:
    if series.dtype == pl.Null or _fits(column, series):
        return None
    cause, share, rows = f"{column.name} holds {_word(series)}, expected {column.type}", 1.0, [0]
    if column.type is ColumnType.NUMBER and series.dtype == pl.String:
        bad = (series.is_not_null() & series.cast(pl.Float64, strict=False).is_null()).to_numpy()
        if bad.any():
            share, rows = float(bad.mean()), _sample(bad)
            cause = f"{column.name} is no number in {int(bad.sum())} of {len(series)} rows, e.g. `{series[rows[0]]}`"
    return Violation(
        column=column.name,
        kind="type",
        cause=cause,
        share=share,
        rows=rows,
        observed=str(series.dtype),
        expected=column.type.value,
    )


def _fits(column: ColumnContract, series: pl.Series) -> bool:
    match column.type:
        case ColumnType.NUMBER:
            return series.dtype.is_numeric()
        case ColumnType.BOOLEAN:
            flags = series.dtype.is_numeric() and bool(series.drop_nulls().is_in([0, 1]).all())
            return series.dtype == pl.Boolean or flags
        case ColumnType.TIME:
            return as_instants(series) is not None or series.dtype.is_temporal()
        case _:
            return series.dtype in (pl.String, pl.Categorical, pl.Enum)


def _word(series: pl.Series) -> str:
    if series.dtype == pl.String:
        return "text"
    return "numbers" if series.dtype.is_numeric() else str(series.dtype)


def _missing(column: ColumnContract, series: pl.Series) -> Violation | None:
    share = missing_share(series)
    noise = 3 * np.sqrt(column.missing_allowed * (1 - column.missing_allowed) / len(series))
    if share <= column.missing_allowed + noise:
        return None
    cause = f"{column.name} is missing in {_percent(share)} of rows (reference {_percent(column.missing)})"
    return Violation(
        column=column.name,
        kind="missing-rate",
        cause=cause,
        share=share,
        rows=_sample(missing_mask(series)),
        observed=share,
        expected=column.missing_allowed,
    )


def _unit(column: ColumnContract, series: pl.Series) -> Violation | None:
    if column.role is Role.CLOCK:
        return None
    finding = find_unit(column, as_floats(series))
    if finding is None:
        return None
    part = "" if finding.share > 0.9 else f" in {_percent(finding.share)} of rows"
    return Violation(
        column=column.name,
        kind="unit",
        cause=f"{column.name} looks {finding.conversion.sentence}{part}",
        share=finding.share,
        rows=finding.rows[:_SAMPLE].tolist(),
        observed=finding.conversion.sentence,
        expected=list(column.seen or ()),
    )


def constant_stretch(column: ColumnContract, series: pl.Series) -> tuple[int, int] | None:
    """Length and start of a stretch of one value that is no chance, or None.

    It is three times the reference's longest, or ten times where it fills less than half.
    """
    if column.longest_run == 0 or len(series) < _RUN:
        return None
    if series.dtype.is_numeric() and not may_hold_run(as_floats(series), _RUN):
        return None
    if series.dtype == pl.String and not may_hold_run(series.hash().to_numpy(), _RUN):  # equal texts, equal hashes
        return None
    run, start = longest_run(series)
    whole = run >= len(series) / 2
    least = max(_RUN, 3 * column.longest_run) if whole else max(2 * _RUN, 10 * column.longest_run)
    return (run, start) if run >= least else None


def _constant(column: ColumnContract, series: pl.Series) -> Violation | None:
    found = constant_stretch(column, series)
    if found is None:
        return None
    run, start = found
    value = series[start]
    shown = f"{value:g}" if isinstance(value, float) else value
    cause = f"{column.name} is constant: {shown} for {run} rows in a row (longest before: {column.longest_run})"
    rows = list(range(start, min(start + _SAMPLE, len(series))))
    return Violation(
        column=column.name,
        kind="constant",
        cause=cause,
        share=run / len(series),
        rows=rows,
        observed=value,
        expected=column.longest_run,
    )


def _range(column: ColumnContract, series: pl.Series) -> Violation | None:
    if column.allowed is None or column.seen is None:
        return None
    low, high = column.allowed
    values = as_floats(series)
    out = (values < low) | (values > high)
    if not out.any():
        return None
    share = float(out.mean())
    broken = share > _OUT_OF_RANGE or _grave(values[out], column.allowed, column.seen) > max(2, 0.005 * len(values))
    extreme = float(values[out][np.argmax(np.abs(values[out]))])
    cause = f"{column.name} is outside {low:g} to {high:g} in {_percent(share)} of rows, e.g. {extreme:g}"
    return Violation(
        column=column.name,
        kind="range",
        cause=cause,
        severity=Severity.BREAK if broken else Severity.NOTE,
        share=share,
        rows=_sample(out),
        observed=extreme,
        expected=[low, high],
    )


def _grave(out: Floats, allowed: tuple[float, float], seen: tuple[float, float]) -> int:
    """How many of the values outside `allowed` no season explains: absurdly far, or one placeholder again and again."""
    width = seen[1] - seen[0]
    far = (out < allowed[0] - _FAR * width) | (out > allowed[1] + _FAR * width)
    values, counts = np.unique(out, return_counts=True)
    top = int(np.argmax(counts))
    apart = not allowed[0] - width / 2 <= values[top] <= allowed[1] + width / 2
    placeholder = int(counts[top]) if apart and counts[top] >= 0.8 * len(out) else 0
    return max(int(far.sum()), placeholder)


def _unseen(column: ColumnContract, series: pl.Series) -> Violation | None:
    if column.categories is None:
        return None
    unknown = sorted(set(as_text(series.unique().drop_nulls())) - set(column.categories))
    if not unknown:
        return None
    new = as_text(series).is_in(unknown).fill_null(False).to_numpy()
    share, names = float(new.mean()), unknown[:3]
    season = column.role is Role.CLOCK or len(column.categories) < 2
    kind = "unseen-season" if season else "unseen-category"
    shown = ", ".join(f"`{name}`" for name in names)
    cause = f"{column.name} has values that the reference lacks in {_percent(share)} of rows: {shown}"
    return Violation(
        column=column.name,
        kind=kind,
        cause=cause,
        severity=Severity.NOTE if season or share <= column.unseen_allowed else Severity.BREAK,
        share=share,
        rows=_sample(new),
        observed=names,
        expected=column.unseen_allowed,
    )


def _repeated(column: ColumnContract, series: pl.Series) -> list[Violation]:
    if not column.unique:
        return []
    again = (~series.is_first_distinct()).to_numpy()
    if not again.any():
        return []
    cause = f"{column.name} repeats in {int(again.sum())} rows, e.g. `{series[int(np.argmax(again))]}`"
    return [
        Violation(column=column.name, kind="duplicates", cause=cause, share=float(again.mean()), rows=_sample(again))
    ]


def _duplicates(contract: Contract, table: pl.DataFrame) -> list[Violation]:
    names = [column.name for column in contract.columns]
    if table.height < _RUN or any(name not in table.columns for name in names):
        return []  # without its time or id a row may repeat
    share = 1 - table.n_unique(names) / table.height
    if share <= 0.05 + 2 * contract.duplicates:
        return []
    again = (~table.select(names).to_struct("row").is_first_distinct()).to_numpy()
    cause = f"{_percent(share)} of rows repeat an earlier row (reference {_percent(contract.duplicates)})"
    return [Violation(column="", kind="duplicates", cause=cause, share=share, rows=_sample(again))]


def _stale(contract: Contract, table: pl.DataFrame, now: datetime) -> list[Violation]:
    time = contract.named(Role.TIME)
    if time is None or contract.spacing is None or time not in table.columns:
        return []
    instants = as_instants(table[time])
    newest = instants.max() if instants is not None else None
    if not isinstance(newest, datetime):
        return []
    age = now - newest.replace(tzinfo=UTC)
    patience = timedelta(seconds=_STALE * contract.spacing[1] + 20 * contract.spacing[0])
    if age <= patience:
        return []
    cause = f"the newest row is {age.total_seconds() / 86_400:.1f} days old (expected at most {patience})"
    return [Violation(column=time, kind="stale", cause=cause, observed=f"{newest.isoformat()}Z")]


def _sample(mask: np.ndarray) -> list[int]:
    return [int(row) for row in np.flatnonzero(mask)[:_SAMPLE]]


def _percent(share: float) -> str:
    """Two significant digits.

    >>> _percent(0.1234), _percent(0.0012), _percent(1.0)
    ('12%', '0.12%', '100%')
    """
    return f"{float(f'{100 * share:.2g}'):g}%"
