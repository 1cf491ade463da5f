"""Name the unit that a numeric column seems to have come in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from solvent.data.contracts.columns import Floats
from solvent.data.contracts.model import ColumnContract, Lattice


@dataclass(frozen=True)
class Conversion:
    """How a value in the wrong unit leads back to the reference's: reference = scale·value + shift."""

    sentence: str  # follows "temp looks"
    scale: float
    shift: float = 0.0
    common: bool = False  # close to 1: claimed only where the grid of values proves it

    def back(self, values: Floats) -> Floats:
        return self.scale * values + self.shift


_TEMPERATURES = [
    Conversion("like °F (reference in °C)", 1 / 1.8, -32 / 1.8),
    Conversion("like °C (reference in °F)", 1.8, 32.0),
    Conversion("like K (reference in °C)", 1.0, -273.15),
    Conversion("like °C (reference in K)", 1.0, 273.15),
    Conversion("like K (reference in °F)", 1.8, -459.67),
    Conversion("like °F (reference in K)", 1 / 1.8, 255.372222),
]
_FACTORS = {
    10.0: "", 100.0: "", 1000.0: "", 10_000.0: "", 1e6: "",
    1.609344: "miles and kilometres", 0.3048: "feet and metres", 2.54: "inches and centimetres",
    25.4: "inches and millimetres", 0.45359237: "pounds and kilograms", 3.6: "m/s and km/h",
    0.514444: "knots and m/s", 1.852: "knots and km/h", 2.236936: "m/s and mph", 33.863886: "inHg and hPa",
    1.333224: "mmHg and hPa", 3.785412: "gallons and litres", 4.184: "calories and joules",
    24.0: "hours and days", 60.0: "minutes and hours", 3600.0: "seconds and hours", 86_400.0: "seconds and days",
    7.0: "days and weeks",
}  # fmt: skip


def _factor_conversions() -> list[Conversion]:
    found = []
    for factor, units in _FACTORS.items():
        note = f" ({units}?)" if units else ""
        common = 0.2 < factor < 5
        found.append(Conversion(f"multiplied by {factor:g}{note}", 1 / factor, common=common))
        found.append(Conversion(f"divided by {factor:g}{note}", factor, common=common))
    return found


CONVERSIONS = _TEMPERATURES + _factor_conversions()
_ROWS = 12  # fewer rows show no unit
_ENOUGH = 50_000  # rows that show a range and a spread


@dataclass(frozen=True)
class UnitFinding:
    conversion: Conversion
    rows: np.ndarray  # positions of the rows that seem converted
    share: float


def find_unit(column: ColumnContract, values: Floats) -> UnitFinding | None:
    """The conversion that explains the values, or None where they look right as they are.

    values: shape (n,), NaN where missing. Two kinds of evidence: values off the
    reference's grid that fall on it once converted back (any unit, even for a part
    of the rows); or most values outside the reference's range, or spread as in none of
    its blocks, that look like the reference once converted back (large factors and
    temperatures only, for smaller ones look like growth).
    """
    if column.seen is None or column.quantiles is None or column.seen[0] == column.seen[1]:
        return None
    known = np.isfinite(values)
    finite = values if known.all() else values[known]
    if len(finite) < _ROWS:
        return None
    if column.lattice is not None:
        return _by_lattice(column, column.lattice, finite, np.flatnonzero(known), len(values))
    found = _by_distribution(column, finite, CONVERSIONS)
    return None if found is None else UnitFinding(found, np.flatnonzero(known), len(finite) / len(values))


def on_lattice(values: Floats, lattice: Lattice) -> np.ndarray:
    """Whether each value lies on the grid, shape as `values`."""
    ticks = (values - lattice.origin) / lattice.step
    return np.asarray(np.abs(ticks - np.round(ticks)) * lattice.step <= lattice.tolerance)


def _by_lattice(
    column: ColumnContract, lattice: Lattice, finite: Floats, where: np.ndarray, total: int
) -> UnitFinding | None:
    """Values off the grid name any unit; values on it can only have been multiplied by whole numbers."""
    off = ~on_lattice(finite, lattice)
    if off.sum() < _ROWS or len(np.unique(finite[off])) < 5:
        whole = [c for c in CONVERSIONS if not c.shift and abs(1 / c.scale - round(1 / c.scale)) < 1e-9]
        found = _by_distribution(
            column, finite, (c for c in whole if on_lattice(c.back(finite), lattice).mean() >= 0.9)
        )
        return None if found is None else UnitFinding(found, where, len(where) / total)
    fits = [fit for conversion in CONVERSIONS if (fit := _fit(column, lattice, finite[off], conversion)) is not None]
    if not fits:
        return None
    found = CONVERSIONS[min(fits)[2]]
    everywhere = on_lattice(found.back(finite), lattice).mean() >= 0.9
    rows = where if everywhere else where[off]
    return UnitFinding(found, rows, len(rows) / total)


def _fit(
    column: ColumnContract, lattice: Lattice, off: Floats, conversion: Conversion
) -> tuple[float, float, int] | None:
    """How well a conversion leads back to the grid, smaller is better; None where it does not."""
    back = conversion.back(off)
    shifted = Lattice(
        origin=lattice.origin, step=lattice.step, tolerance=max(lattice.tolerance, 1e-5 * abs(conversion.shift))
    )
    ticks = len(np.unique(np.round((back - lattice.origin) / lattice.step)))
    if ticks < 0.5 * len(np.unique(off.astype(np.float32))):
        return None  # everything falls on one tick of a coarse grid, which proves nothing
    on = float(on_lattice(back, shifted).mean())
    plausible = conversion.shift != 0 or _nearer(column, off, back)
    if on < 0.9 or _inside(column, back) < 0.95 or not plausible:
        return None
    return -on, _distance(column, back), CONVERSIONS.index(conversion)


def _by_distribution(column: ColumnContract, values: Floats, candidates: Iterable[Conversion]) -> Conversion | None:
    """Reads ranges and spreads; the reference's quantiles hold the bar for the converted values.

    Of very many values every so manieth is looked at.
    """
    values = values[:: max(1, len(values) // _ENOUGH)]
    seen, quantiles, spread = column.seen, column.quantiles, column.spread
    if seen is None or quantiles is None or spread is None:
        return None
    margin = 0.1 * (seen[1] - seen[0])
    outside = float(((values < seen[0] - margin) | (values > seen[1] + margin)).mean())
    steady = spread[0] > spread[1] / 5  # else wet and dry weeks differ more than units do
    if outside < 0.5 and not steady:
        return None
    width = float(np.subtract(*np.quantile(values, [0.95, 0.05])))
    strange = steady and (width > 3 * spread[1] or 0 < width < spread[0] / 3)
    if outside < 0.5 and not strange:
        return None
    fits = []
    for conversion in candidates:
        if conversion.common or (conversion.shift and outside < 0.5):
            continue
        back = conversion.back(values)
        inside = float(((back >= seen[0] - margin) & (back <= seen[1] + margin)).mean())
        middle = float(np.median(back))
        fresh = width * conversion.scale
        like = spread[0] / 2 <= fresh <= 2 * spread[1]
        if inside >= 0.98 and quantiles[1] <= middle <= quantiles[5] and like:
            fits.append((_distance(column, back), conversion))
    return min(fits, key=lambda fit: fit[0])[1] if fits else None


def _inside(column: ColumnContract, values: Floats) -> float:
    """Share of values within the allowed range and one more reference range on each side."""
    low, high = column.allowed or (-np.inf, np.inf)
    if column.seen is not None:
        low, high = low - (column.seen[1] - column.seen[0]), high + (column.seen[1] - column.seen[0])
    return float(((values >= low) & (values <= high)).mean())


def _distance(column: ColumnContract, values: Floats) -> float:
    """Mean gap between the quartiles of two samples, in the reference's 5-to-95% range."""
    quantiles = column.quantiles or [0.0] * 7
    width = (quantiles[5] - quantiles[1]) or 1.0
    return float(np.mean(np.abs(np.quantile(values, [0.25, 0.5, 0.75]) - np.array(quantiles[2:5])))) / width


def _nearer(column: ColumnContract, values: Floats, back: Floats) -> bool:
    """Whether converted values are no stranger than raw ones, or a grid alone must decide (a cold week in °F)."""
    return _distance(column, back) <= max(1.0, _distance(column, values))
