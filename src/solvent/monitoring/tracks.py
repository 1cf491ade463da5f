"""Features as histograms per window, on bins fixed by the reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from solvent.data.contracts import ColumnType, Contract, Role
from solvent.monitoring.frames import TIME, floats_of, micros_of
from solvent.monitoring.state import Track
from solvent.statistics.arrays import Counts, Floats
from solvent.statistics.profiles import edges_of, histogram

OUTPUT = "output"
_NEARLY_ALWAYS = 0.9
_MOST_CATEGORIES = 60  # the rest of a long tail shares one bin


def watched(contract: Contract, frame: pl.DataFrame) -> list[str]:
    """Features whose drift means something: no functions of the clock, no free text, nothing absent."""
    kinds = (ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.CATEGORY)
    return [c.name for c in contract.columns if c.role is Role.FEATURE and c.type in kinds and c.name in frame.columns]


def window_index(frame: pl.DataFrame, width: int) -> Counts:
    """Number of each row's window counted back from the last row (0 is the latest), shape (n_rows,)."""
    micros = micros_of(frame[TIME])
    return np.asarray((micros.max() - micros) // width)


def begin_track(series: pl.Series, which: Counts, *, weight: float, since: int) -> Track | None:
    """A track from the reference's values, one histogram per window, the oldest first.

    series: the feature's values; which: their windows, from `window_index`; since: time of the first.
        Windows with fewer than half the median window's rows are left out. None where no value is known.
    """
    track = _empty_track(series, weight)
    if track is None:
        return None
    sizes = np.bincount(which)
    whole = [at for at in np.flatnonzero(sizes)[::-1] if sizes[at] >= np.median(sizes[sizes > 0]) / 2]
    track.since = since
    track.counts = [count_window(track, series.filter(pl.Series(which == at))) for at in whole]
    return track


def count_window(track: Track, series: pl.Series) -> list[int]:
    """Rows per bin of one window; missing values are in none."""
    if track.kind == "category":
        rows = series.drop_nulls().rename("value").value_counts(name="rows")
        places, rest = {category: at for at, category in enumerate(track.categories)}, len(track.categories)
        at = [places.get(value, rest) for value in rows["value"].cast(pl.String).to_list()]
        return [int(n) for n in np.bincount(at, rows["rows"].to_numpy(), minlength=rest + 1)]
    return [int(n) for n in histogram(floats_of(series), np.array(track.edges))]


def _empty_track(series: pl.Series, weight: float) -> Track | None:
    known = series.drop_nulls()
    if len(known) == 0:
        return None
    if not series.dtype.is_numeric():
        common = known.cast(pl.String).value_counts(sort=True).head(_MOST_CATEGORIES)
        return Track(kind="category", categories=common[series.name].to_list(), weight=weight)
    values = floats_of(known)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return None
    distinct, rows = np.unique(values, return_counts=True)
    if rows.max() >= _NEARLY_ALWAYS * len(values):
        value = float(distinct[int(np.argmax(rows))])
        reach = 1e-6 * max(abs(value), 1e-6)
        return Track(kind="constant", edges=[value - reach, value + reach], weight=weight)
    return Track(kind="number", edges=edges_of(values).tolist(), scale=float(values.std()), weight=weight)


def reliance(frame: pl.DataFrame, names: list[str], importance: Mapping[str, float] | None) -> dict[str, float]:
    """Each feature's weight in the drift alarm: half the same for all, half by how much the model relies on it.

    importance: >= 0 per feature, e.g. by permutation; without it, the share of the output's variance that the
        feature's tenths explain in `frame`, a proxy that is blind to interactions.
    """
    if not names:
        return {}
    given = importance or {name: _explained(frame[name], floats_of(frame[OUTPUT])) for name in names}
    total = sum(max(given.get(name, 0.0), 0.0) for name in names)
    share = {name: max(given.get(name, 0.0), 0.0) / total if total else 1 / len(names) for name in names}
    return {name: round(0.5 / len(names) + 0.5 * share[name], 6) for name in names}


def _explained(series: pl.Series, output: Floats) -> float:
    known = np.isfinite(output)
    if known.sum() < 20 or output[known].std() == 0:
        return 0.0
    if series.dtype.is_numeric():
        values = floats_of(series)
        known &= np.isfinite(values)
        marks = np.unique(np.quantile(values[known], np.linspace(0, 1, 11)[1:-1])) if known.any() else np.array([])
        groups = np.searchsorted(marks, values[known])
    else:
        groups = series.cast(pl.String).fill_null("").rank("dense").to_numpy()[known].astype(np.int64)
    held = output[known]
    if len(held) == 0 or held.std() == 0:
        return 0.0
    rows = np.bincount(groups)
    sums = np.bincount(groups, weights=held)
    means = sums[rows > 0] / rows[rows > 0]
    return float(np.sum(rows[rows > 0] * (means - held.mean()) ** 2) / np.sum((held - held.mean()) ** 2))
