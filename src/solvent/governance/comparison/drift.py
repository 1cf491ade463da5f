"""Two tables held against each other: what drifted beyond natural variation, and what is broken."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import polars.selectors as cs

from solvent.data.compare.columns import compare_schemas
from solvent.data.compare.model import ColumnShift, SchemaChange
from solvent.data.compare.shift import LEVEL, MISSING_TRIFLE, TRIFLE, Rule, shifts
from solvent.data.compare.variation import CHANCE, Natural, Variation, in_time
from solvent.data.contracts import Contract, Role, Violation, check_contract, infer_contract
from solvent.data.contracts.columns import as_floats
from solvent.data.tables import Table, require
from solvent.data.times import BadTime, instants_of
from solvent.foundation.errors import UsageError
from solvent.statistics.arrays import Counts, Floats

CONTRACT_ROWS, STRETCHES = 100_000, 8  # of either side, that a contract is read from and held to
NAMED = 5  # columns named by the classifier
_MOST = 3e38  # that trees take, which keep values in 32 bits


class NothingToCompare(UsageError):
    code = "nothing-to-compare"


class Joint(msgspec.Struct, frozen=True, kw_only=True):
    """How well a classifier tells rows of the two tables apart. auc: 0.5 not at all, 1 always; rows: of each side
    that it saw; columns: those it went by, with their share."""

    auc: float
    rows: tuple[int, int]
    columns: list[tuple[str, float]]


class Floors(msgspec.Struct, frozen=True, kw_only=True):
    """Effects below these are trifles: standard deviations, Jensen–Shannon distance, share of rows missing."""

    number: float = TRIFLE["number"]
    category: float = TRIFLE["category"]
    missing: float = MISSING_TRIFLE


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What `solvent.compare` found. Shown by a notebook as a page, printed as text.

    columns: what moved most first; those of the time column and functions of it are left out (`clocks`). natural: what
    they are held against; level: probability that any of them is said to have drifted though nothing has.
    broken: breaches of the contract that the reference keeps; contract_rows: rows of each side looked at for it.
    seconds: for drift, contract and classifier.
    """

    reference: str
    current: str
    rows: tuple[int, int]
    natural: Natural
    level: float
    floors: Floors
    columns: list[ColumnShift]
    clocks: list[str]
    schema: SchemaChange
    broken: list[Violation]
    contract_rows: tuple[int, int]
    joint: Joint | None
    seconds: dict[str, float]

    @property
    def drifted(self) -> list[ColumnShift]:
        """The columns that moved beyond natural variation."""
        return [column for column in self.columns if column.moved]

    @property
    def fine(self) -> bool:
        """Whether nothing drifted and nothing is broken."""
        return not self.drifted and not self.broken

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, as `solvent compare --json` prints it."""
        plain: dict[str, Any] = msgspec.to_builtins(self, enc_hook=str)
        return {"fine": self.fine, "drifted": [column.column for column in self.drifted], **plain}

    def save(self, path: str | Path) -> Path:
        """Write one self-contained HTML page. Returns: where it is. Raises: OSError."""
        from solvent.governance.comparison.driftpage import drift_page

        Path(path).write_text(drift_page(self), "utf-8")
        return Path(path)

    def _repr_html_(self) -> str:
        from solvent.governance.comparison.driftpage import notebook_page

        return notebook_page(self)

    def __repr__(self) -> str:
        from solvent.governance.comparison.drifttext import render

        return "\n".join(render(self))


def compare_drift(
    reference: Table,
    current: Table,
    *,
    names: tuple[str, str] = ("reference", "current"),
    time: str | None = None,
    drop: Sequence[str] = (),
    level: float = LEVEL,
    floors: Floors | None = None,
    joint: bool = True,
    seed: int = 0,
) -> Comparison:
    """Compare two tables column by column, by contract, and jointly.

    time: the column with each row's time, by which natural variation is read from blocks of the reference; without it
        rows are taken as exchangeable, and only chance varies. drop: columns left out. joint: ask the classifier, too.
    Raises: NothingToCompare, NoColumn, BadTime.
    """
    _check(reference, current, time, drop, level)
    floors = floors or Floors()
    began = clock.perf_counter()
    variation = _variation(reference, current.rows, time)
    contract, samples, broken = _contract(reference, current, variation, time, drop)
    checked = clock.perf_counter()
    clocks = [column.name for column in contract.columns if column.role is Role.CLOCK]
    shared = [n for n in reference.names if n in current.names and n not in {time, *drop, *clocks}]
    rule = Rule(variation, level, floors.number, floors.category, floors.missing, seed)
    found = shifts(reference.column, current.column, shared, rule)
    moved = clock.perf_counter()
    apart = _joint(reference, current, found, seed) if joint else None
    return Comparison(
        reference=names[0],
        current=names[1],
        rows=(reference.rows, current.rows),
        natural=variation.natural,
        level=level,
        floors=floors,
        columns=found,
        clocks=clocks,
        schema=compare_schemas(*(sample.schema for sample in samples)),
        broken=broken,
        contract_rows=(samples[0].height, samples[1].height),
        joint=apart,
        seconds={
            "drift": round(moved - checked, 3),
            "contract": round(checked - began, 3),
            "joint": round(clock.perf_counter() - moved, 3),
        },
    )


def _check(reference: Table, current: Table, time: str | None, drop: Sequence[str], level: float) -> None:
    for side, table in (("reference", reference), ("current", current)):
        if not table.rows:
            raise NothingToCompare(f"the {side} table has no rows")
    for name in drop:
        if name not in current.names:
            require(reference, name, "reference")
    if time is not None:
        require(reference, time, "reference")
    if not 0 < level <= 0.5:
        raise NothingToCompare(f"level {level:g} is no probability of a false alarm", next="between 0 and 0.5")
    if not set(reference.names) & set(current.names) - {time, *drop}:
        raise NothingToCompare(
            "the two tables share no column", next=f"the current has: {', '.join(current.names[:9])}"
        )


def _variation(reference: Table, other: int, time: str | None) -> Variation:
    if time is None:
        return CHANCE
    column = reference.column(time)
    instants, _ = instants_of(column)
    unknown = instants.null_count()
    if unknown:
        raise BadTime(f"`{time}` is missing in {unknown:,} rows of the reference", next="leave those rows out")
    micros = instants.dt.epoch("us").to_numpy()
    if micros.min() == micros.max():
        raise BadTime(f"`{time}` has one value in all rows of the reference", next="compare without a time column")
    return in_time(micros, other)


def _contract(
    reference: Table, current: Table, variation: Variation, time: str | None, drop: Sequence[str]
) -> tuple[Contract, list[pl.DataFrame], list[Violation]]:
    """The contract that the reference keeps, the rows looked at, and what the current breaks of it."""
    place = _stretches(reference.rows)
    samples = [
        reference.take(place if variation.order is None else variation.order[place]),
        current.take(_stretches(current.rows)),
    ]
    samples = [sample.drop(drop, strict=False) for sample in samples]
    held = [flat(sample) for sample in samples]
    contract = infer_contract(held[0], time=time)
    return contract, samples, check_contract(contract, held[1], role="source")


def flat(table: pl.DataFrame) -> pl.DataFrame:
    """The columns that a contract can speak of: no lists, structs, bytes or Python objects."""
    return table.select(~(cs.nested() | cs.binary() | cs.object()))


def _stretches(rows: int) -> Counts:
    """Row numbers of a few long stretches: neighbours stay neighbours, so that a stuck value shows."""
    if rows <= CONTRACT_ROWS:
        return np.arange(rows)
    size = CONTRACT_ROWS // STRETCHES
    starts = np.linspace(0, rows - size, STRETCHES).astype(np.int64)
    return np.concatenate([np.arange(start, start + size) for start in starts])


def _joint(reference: Table, current: Table, columns: list[ColumnShift], seed: int) -> Joint | None:
    from solvent.statistics.domain import MOST_ROWS, joint_drift  # scikit-learn is loaded where it is asked

    known = [column.column for column in columns if column.kind in ("number", "category")]
    few = [t.take(np.unique(np.linspace(0, t.rows - 1, MOST_ROWS).astype(np.int64))) for t in (reference, current)]
    sides = _floats(few[0].select(known), few[1].select(known))
    found = joint_drift(*sides, seed=seed)
    if found is None:
        return None
    ranked = sorted(zip(known, found.importance, strict=True), key=lambda pair: -pair[1])[:NAMED]
    rows = few[0].height, few[1].height
    return Joint(auc=found.auc, rows=rows, columns=[(name, round(share, 4)) for name, share in ranked if share > 0])


def _floats(left: pl.DataFrame, right: pl.DataFrame) -> tuple[Floats, Floats]:
    """Both sides as numbers for trees: categories by how frequent they are on both."""
    both = []
    for name in left.columns:
        sides = [left[name], right[name]]
        if not all(side.dtype.is_numeric() for side in sides):
            text = [side.cast(pl.String) for side in sides]
            ranked = pl.concat(text).drop_nulls().value_counts(sort=True)[name].to_list()
            sides = [side.replace_strict(ranked, range(len(ranked)), return_dtype=pl.Float64) for side in text]
        both.append(np.concatenate([as_floats(side) for side in sides]))
    rows = np.column_stack(both) if both else np.empty((left.height + right.height, 0))
    rows = np.clip(rows, -_MOST, _MOST)
    return rows[: left.height], rows[left.height :]
