"""Rows added, removed and changed, by key or as a multiset, from hashes of their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from solvent.data.compare.model import ChangedRow, RowChanges
from solvent.foundation.errors import UsageError, nearest

EXAMPLES = 3  # rows shown of each kind
CELLS = 20_000_000  # values compared at once, column by column, where many rows changed
FEW = 60  # hashes to look for examples by
_HASH, _OTHER = "__row", "__row_right"
_SIDE = np.uint64(1)

Hashes = NDArray[np.uint64]


class UnknownKey(UsageError):
    code = "unknown-key"


class KeyRepeats(UsageError):
    code = "key-repeats"


def compare_rows(left: pl.LazyFrame, right: pl.LazyFrame, columns: Sequence[str], key: Sequence[str]) -> RowChanges:
    """Rows over `columns`, which both frames have in the same types.

    key: columns that name a row. Raises: UnknownKey; KeyRepeats where two rows of one side bear the same name.
    """
    for name in key:
        if name not in columns:
            raise UnknownKey(
                f"no column `{name}` on both sides",
                next=nearest(name, columns, f"both have: {', '.join(columns[:12])}"),
            )
    return _by_key(left, right, columns, list(key)) if key else _as_multiset(left, right, columns)


def _hash(columns: Sequence[str]) -> pl.Expr:
    return pl.struct(list(columns)).hash() if columns else pl.lit(0, dtype=pl.UInt64)


def _hashes(table: pl.LazyFrame, columns: Sequence[str]) -> Hashes:
    return table.select(_hash(columns).alias(_HASH)).collect(engine="streaming")[_HASH].to_numpy(writable=True)


def _as_multiset(left: pl.LazyFrame, right: pl.LazyFrame, columns: Sequence[str]) -> RowChanges:
    if not columns:
        counts = [table.select(pl.len()).collect(engine="streaming").item() for table in (left, right)]
        return _changes(counts[0], counts[1], [], added=counts[1], removed=counts[0])
    ours, theirs = _hashes(left, columns), _hashes(right, columns)
    rows = len(ours), len(theirs)
    if np.array_equal(ours, theirs):
        return _changes(*rows, [])
    removed, added = _surplus(ours, theirs)
    return _changes(
        *rows,
        [],
        added=added.rows,
        removed=removed.rows,
        reordered=not added.rows and not removed.rows,
        examples_added=_having(right, columns, added.hashes),
        examples_removed=_having(left, columns, removed.hashes),
    )


class _Surplus(NamedTuple):
    """Rows of one side without a partner on the other: how many, and the hashes of the first few."""

    rows: int
    hashes: Hashes


def _surplus(ours: Hashes, theirs: Hashes) -> tuple[_Surplus, _Surplus]:
    """What each side has more of, from one sort of both: the side stands in the lowest bit of a hash."""
    both = np.concatenate([ours & ~_SIDE, theirs | _SIDE])
    both.sort()
    values = both & ~_SIDE
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    of_theirs = np.add.reduceat(both & _SIDE, starts).astype(np.int64)
    more = np.diff(starts, append=len(both)) - 2 * of_theirs  # ours less theirs
    first = [values[starts[np.flatnonzero(sign * more > 0)[:FEW]]] for sign in (1, -1)]
    return _Surplus(int(more[more > 0].sum()), first[0]), _Surplus(int(-more[more < 0].sum()), first[1])


def _having(table: pl.LazyFrame, columns: Sequence[str], hashes: Hashes) -> list[dict[str, Any]]:
    """A few rows with one of the hashes."""
    if not len(hashes):
        return []
    wanted = (_hash(columns) & pl.lit(~_SIDE)).is_in(pl.Series(hashes).implode())
    found = table.select(columns).filter(wanted).head(EXAMPLES)
    return found.collect(engine="streaming").to_dicts()


def _by_key(left: pl.LazyFrame, right: pl.LazyFrame, columns: Sequence[str], key: list[str]) -> RowChanges:
    rest = [name for name in columns if name not in key]
    for side, table in (("left", left), ("right", right)):
        _refuse_repeats(table, key, side)
    ours, theirs = (table.select(*key, _hash(rest).alias(_HASH)) for table in (left, right))
    joined = ours.join(theirs, on=key, how="full", suffix="_right", nulls_equal=True, coalesce=True)
    differing = joined.filter(pl.col(_HASH).ne_missing(pl.col(_OTHER))).collect(engine="streaming")
    added = differing.filter(pl.col(_HASH).is_null()).select(key)
    removed = differing.filter(pl.col(_OTHER).is_null()).select(key)
    changed = differing.drop_nulls([_HASH, _OTHER]).select(key)
    counts = [table.select(pl.len()).collect(engine="streaming").item() for table in (left, right)]
    by_column, examples = _changed_cells(left, right, changed, key, rest)
    return _changes(
        counts[0],
        counts[1],
        key,
        added=added.height,
        removed=removed.height,
        changed=changed.height,
        columns=by_column,
        examples_added=_rows_of(right, added, key, columns),
        examples_removed=_rows_of(left, removed, key, columns),
        examples_changed=examples,
    )


def _refuse_repeats(table: pl.LazyFrame, key: list[str], side: str) -> None:
    hashes = _hashes(table, key)
    hashes.sort()
    twice = hashes[1:][hashes[1:] == hashes[:-1]]
    if not len(twice):
        return
    suspects = table.select(key).filter(_hash(key).is_in(pl.Series(np.unique(twice)).implode()))
    repeated = suspects.group_by(key).len().filter(pl.col("len") > 1).collect(engine="streaming")
    if repeated.height:
        example = ", ".join(f"{name}={repeated[name][0]}" for name in key)
        raise KeyRepeats(
            f"{', '.join(key)} names {repeated['len'].sum():,} rows of the {side} side more than once, e.g. {example}",
            next="give the columns that name one row each: --key A --key B",
        )


def _changed_cells(
    left: pl.LazyFrame, right: pl.LazyFrame, changed: pl.DataFrame, key: list[str], rest: list[str]
) -> tuple[dict[str, int], list[ChangedRow]]:
    """How many rows changed in each column, and the first few of them. Both sides stand in the order of the key."""
    if not changed.height:
        return {}, []
    width = max(1, CELLS // changed.height)
    counts: dict[str, int] = {}
    for start in range(0, len(rest), width):
        names = rest[start : start + width]
        ours, theirs = (_those(table, changed, key, names) for table in (left, right))
        counts |= {name: int(ours[name].ne_missing(theirs[name]).sum()) for name in names}
    some = changed.sort(key, nulls_last=True).head(EXAMPLES)
    ours, theirs = (_those(table, some, key, rest) for table in (left, right))
    examples = [
        ChangedRow(
            key={name: a[name] for name in key},
            values={name: (a[name], b[name]) for name in rest if _differ(a[name], b[name])},
        )
        for a, b in zip(ours.to_dicts(), theirs.to_dicts(), strict=True)
    ]
    return {name: count for name, count in sorted(counts.items(), key=lambda item: -item[1]) if count}, examples


def _those(table: pl.LazyFrame, wanted: pl.DataFrame, key: list[str], columns: list[str]) -> pl.DataFrame:
    """The rows that have one of the keys, in the order of the key."""
    found = table.select(*key, *columns).join(wanted.lazy(), on=key, how="semi", nulls_equal=True)
    return found.collect(engine="streaming").sort(key, nulls_last=True)


def _rows_of(table: pl.LazyFrame, wanted: pl.DataFrame, key: list[str], columns: Sequence[str]) -> list[dict[str, Any]]:
    some = wanted.sort(key, nulls_last=True).head(EXAMPLES)
    return (
        _those(table, some, key, [c for c in columns if c not in key]).select(columns).to_dicts() if len(some) else []
    )


def _differ(a: Any, b: Any) -> bool:
    return bool(a != b) and not (a != a and b != b)  # NaN is the same value as NaN


def _changes(left: int, right: int, key: list[str], **found: Any) -> RowChanges:
    counts = {"added": 0, "removed": 0, "changed": 0, **found}
    lists = {"columns": {}, "examples_added": [], "examples_removed": [], "examples_changed": [], "reordered": False}
    same = left - counts["removed"] - counts["changed"]
    return RowChanges(left=left, right=right, key=key, same=same, **{**lists, **counts})
