"""What a person hands over to be compared: tables at hand, paths of files, versions of datasets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from solvent.data.compare.shift import LEVEL, MISSING_TRIFLE, TRIFLE
from solvent.data.tables import Table, as_table
from solvent.data.textfile import TEXT, kind_of
from solvent.governance.comparison.data import NoData, open_table, read_side, text_table
from solvent.governance.comparison.drift import Comparison, Floors, compare_drift
from solvent.pipeline.sources import FORMATS
from solvent.project import NoProject, Project


def compare(
    reference: Any,
    current: Any,
    *,
    time: str | None = None,
    drop: Sequence[str] = (),
    level: float = LEVEL,
    floor_number: float = TRIFLE["number"],
    floor_category: float = TRIFLE["category"],
    floor_missing: float = MISSING_TRIFLE,
    joint: bool = True,
    seed: int = 0,
) -> Comparison:
    """Say what drifted from one table to another beyond natural variation, and what is broken.

    reference, current: polars, pandas or Arrow tables, paths of files or folders, or versions of datasets (`NAME@2`).
    time: the column with each row's time. With it, natural variation is read from blocks of the reference in time;
        without it rows are taken as exchangeable, and only chance varies.
    drop: columns to leave out, such as identifiers.
    level: probability that any column of two like tables is said to have drifted.
    floor_number, floor_category, floor_missing: smaller effects are never drift, whatever the evidence: standard
        deviations of the reference (Wasserstein), Jensen–Shannon distance (0 to 1), share of rows.
    joint: also ask a classifier how well it tells the two apart, on at most 1,000 rows of each.
    Returns: a notebook shows it as a page; `print` it, or use `to_dict()`, `save("page.html")`, `drifted`, `fine`.
    Raises: NotATable, NoData, NothingToCompare, NoColumn, BadTime.
    """
    floors = Floors(number=floor_number, category=floor_category, missing=floor_missing)
    ours, theirs = _table(reference, "reference"), _table(current, "current")
    names = _name(reference, "reference"), _name(current, "current")
    return compare_drift(
        ours, theirs, names=names, time=time, drop=drop, level=level, floors=floors, joint=joint, seed=seed
    )


def _name(value: Any, side: str) -> str:
    return str(value) if isinstance(value, str | Path) else side


def _table(value: Any, side: str) -> Table:
    if not isinstance(value, str | Path):
        return as_table(value, side)
    if Path(value).is_file() and kind_of(str(value)) in TEXT:
        return as_table(text_table(Path(value), str(value)), side)
    found = read_side(str(value), Path.cwd(), _project())
    if not found.tabular:
        raise NoData(f"`{value}` is no table", next=f"known tables: {', '.join(FORMATS)}")
    return as_table(open_table(found), side)


def whole_table(value: Any, side: str) -> pl.DataFrame:
    """All rows of what was handed over, as one polars table. Raises: NotATable, NoData."""
    table = _table(value, side)
    return table.take(np.arange(table.rows))


def _project() -> Project | None:
    """The project around here; files are compared without one, too."""
    try:
        return Project.find()
    except NoProject:
        return None
