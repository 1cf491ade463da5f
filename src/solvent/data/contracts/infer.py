"""Infer a contract from a reference table."""

from __future__ import annotations

import math
from functools import reduce
from itertools import pairwise

import msgspec
import numpy as np
import polars as pl

from solvent.data.contracts.clock import clock_columns
from solvent.data.contracts.columns import (
    Floats,
    as_floats,
    as_instants,
    as_text,
    longest_run,
    missing_mask,
    type_of,
)
from solvent.data.contracts.model import ColumnContract, ColumnType, Contract, Lattice, Role

QUANTILES = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)
_BLOCKS = 8
_SLACK = 1.0  # seen ranges allowed beyond both ends: another season is no breach
_NEW = 0.1  # share of a window's rows that may be of unseen categories
_SHORT = ((21, 3.0), (100, 2.0))  # references of fewer days know fewer seasons and give so much more slack
_SHORT = ((21, 3.0), (100, 2.0))  # days of reference below which so much more slack is given: it knows fewer seasons


def infer_contract(
    table: pl.DataFrame,
    *,
    time: str | None = None,
    target: str | None = None,
    id: str | None = None,
    known_at: str | None = None,
) -> Contract:
    """The contract that the reference `table` keeps, generous enough for other seasons and growth, the
    more the shorter it is.

    time, target, id, known_at: names of columns with these roles; names that the table lacks are ignored.
    Blocks for window-to-window variation are eighths of the reference in order of time.
    """
    roles = {time: Role.TIME, target: Role.TARGET, id: Role.ID, known_at: Role.KNOWN_AT}
    ordered, instants = _in_order(table, time)
    clocks: set[str] = set()
    if instants is not None and time is not None:
        features = [name for name in table.columns if name not in roles]
        clocks = clock_columns(ordered.with_columns(instants.alias(time)), time, candidates=features)
    since, until, spacing = _span(instants)
    slack = _slack(instants)
    columns = [
        _column(ordered[name], roles.get(name, Role.CLOCK if name in clocks else Role.FEATURE), slack)
        for name in ordered.columns
    ]
    return Contract(
        columns=columns,
        rows=table.height,
        since=since,
        until=until,
        spacing=spacing,
        duplicates=round(float(1 - table.n_unique() / table.height), 4) if table.height else 0.0,
    )


def _in_order(table: pl.DataFrame, time: str | None) -> tuple[pl.DataFrame, pl.Series | None]:
    instants = as_instants(table[time]) if time is not None and time in table.columns else None
    if instants is None or time is None:
        return table, None
    known = instants.is_not_null()
    order = instants.filter(known).arg_sort()
    return table.filter(known)[order], instants.filter(known)[order]


def _slack(instants: pl.Series | None) -> float:
    """By how much more than the reference shows a window may differ: 1, and more for a short reference."""
    if instants is None or len(instants) == 0:
        return 1.0
    days = (instants[-1] - instants[0]).total_seconds() / 86_400
    return next((factor for limit, factor in _SHORT if days < limit), 1.0)


def _span(instants: pl.Series | None) -> tuple[str | None, str | None, tuple[float, float] | None]:
    if instants is None or len(instants) == 0:
        return None, None, None
    gaps = instants.unique().sort().diff().drop_nulls().dt.total_seconds(fractional=True).to_numpy()
    spacing = (float(np.median(gaps)), float(gaps.max())) if len(gaps) else None
    return f"{instants[0].isoformat()}Z", f"{instants[-1].isoformat()}Z", spacing


def _column(series: pl.Series, role: Role, slack: float) -> ColumnContract:
    """One column's entry; `series` is in order of time where there is one."""
    kind = type_of(series)
    missing = missing_mask(series)
    rate = float(missing.mean()) if len(missing) else 0.0
    blocks = [block for block in np.array_split(missing, _BLOCKS) if len(block)]
    worst = max((float(block.mean()) for block in blocks), default=0.0)
    run = longest_run(series)[0] if series.n_unique() > 1 else 0
    entry = ColumnContract(
        name=series.name,
        type=kind,
        role=role,
        missing=round(rate, 6),
        missing_allowed=round(min(1.0, 0.1 + 2 * worst), 4),
        longest_run=run if role in (Role.FEATURE, Role.CLOCK) else 0,
        unique=role is Role.ID and series.n_unique() == len(series) > 1,
    )
    if role not in (Role.FEATURE, Role.CLOCK, Role.TARGET):
        return entry
    if kind is ColumnType.NUMBER:
        return _numeric(entry, as_floats(series), slack)
    if kind is ColumnType.CATEGORY:
        known = sorted(as_text(series.drop_nulls()).unique().to_list())
        return msgspec.structs.replace(entry, categories=known, unseen_allowed=_novelty(series, slack))
    return entry


def _novelty(series: pl.Series, slack: float) -> float:
    """Share of a window's rows that may be of unseen categories: a tenth, or three times what the reference showed.

    The reference's second half is looked at with the eyes of its first.
    """
    half = len(series) // 2
    if half == 0:
        return _NEW
    first, second = as_text(series[:half]), as_text(series[half:])
    unseen = (~second.is_in(first.unique().to_list())).fill_null(False).to_numpy()
    return round(min(1.0, max(_NEW * slack, 3 * float(unseen.mean()))), 4)


def _numeric(entry: ColumnContract, values: Floats, more: float) -> ColumnContract:
    """The entry with what the values show; only features have a range, and a column that never varied has none."""
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return entry
    low, high = float(finite.min()), float(finite.max())
    blocks = [np.quantile(part, [0.05, 0.95]) for part in np.array_split(finite, _BLOCKS) if len(part)]
    widths = [float(b[1] - b[0]) for b in blocks]
    allowed = None
    if entry.role is Role.FEATURE and high > low:
        slack = more * _SLACK * (high - low)
        floor = 0.0 if low == 0 and more == 1.0 else low - slack  # what a long reference saw start at zero
        allowed = (floor, high + slack)
    return msgspec.structs.replace(
        entry,
        seen=(low, high),
        allowed=allowed,
        quantiles=[round(float(q), 9) for q in np.quantile(finite, QUANTILES)],
        spread=(min(widths), max(widths)),
        lattice=find_lattice(finite),
    )


def find_lattice(values: Floats, *, most: int = 2000) -> Lattice | None:
    """The arithmetic grid that all values lie on, e.g. whole numbers, or 0.94 °C apart; None where there is none.

    values: shape (n,), finite. A grid is claimed only where at least five distinct values
    fill 2% of it or more, and each recurs three times on average: random floats do not.
    """
    distinct = np.unique(values)
    if not 5 <= len(distinct) <= most or len(values) < 3 * len(distinct):
        return None
    scale = float(np.max(np.abs(distinct)))
    noise = max(1e-5 * scale, 0.01 * float(np.median(np.diff(distinct))))  # values restored or stored as float32
    gaps = [gap for gap in (float(b - a) for a, b in pairwise(distinct)) if gap > noise]
    if not gaps:
        return None
    step = reduce(lambda a, b: _common_step(a, b, noise), gaps[1:], gaps[0])
    if step <= noise or (distinct[-1] - distinct[0]) / step > 50 * len(distinct):
        return None
    origin = 0.0 if abs(_off(np.array([distinct[0]]), 0.0, step)[0]) < 0.02 else float(distinct[0])
    ticks = np.round((distinct - origin) / step)
    if np.ptp(ticks) == 0:
        return None
    centre = ticks - ticks.mean()
    step = float(centre @ (distinct - distinct.mean()) / (centre @ centre))
    if origin:
        origin = float(np.mean(distinct - step * ticks))
    worst = float(np.max(np.abs(_off(distinct, origin, step))))
    if worst > 0.05:
        return None
    return Lattice(origin=origin, step=step, tolerance=max(3 * worst, 0.01) * step)


def _off(values: Floats, origin: float, step: float) -> Floats:
    """Distance from the grid in steps, in [-0.5, 0.5]."""
    ticks = (values - origin) / step
    return np.asarray(ticks - np.round(ticks))


def _common_step(a: float, b: float, noise: float) -> float:
    """Euclid's greatest common divisor of two lengths, up to `noise`."""
    a, b = max(a, b), min(a, b)
    while b > 3 * noise:
        a, b = b, abs(a - b * round(a / b))
        if b > a:
            a, b = b, a
    return a if math.isfinite(a) else 0.0
