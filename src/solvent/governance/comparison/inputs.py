"""The tables that two sides began from, compared row by row and column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from solvent.data.compare.model import TableDiff
from solvent.governance.comparison.compare import Comparison, compare_sides, short
from solvent.governance.comparison.sides import Side, side_of
from solvent.lineage.entities import Artifact

if TYPE_CHECKING:
    from solvent.project import Project
    from solvent.store import Store

MOST_TABLES = 4  # compared in one answer


def compare_names(project: Project, names: list[str], *, tables: bool = True) -> Comparison:
    """Compare what the names stand for; with `tables`, also the input tables of two sides.

    Raises: what `side_of` raises.
    """
    sides = [side_of(project, name) for name in names]
    compared = compare_sides(sides)
    if len(sides) != 2 or not tables:
        return compared
    return msgspec.structs.replace(compared, tables=compare_inputs(project.store, *sides))


def compare_inputs(store: Store, left: Side, right: Side) -> dict[str, TableDiff]:
    """What differs between the sources' tables, by source; where the sides are single runs, between their inputs."""
    ours, theirs = _tables(store, left), _tables(store, right)
    differing = [n for n in ours if n in theirs and ours[n].content != theirs[n].content]
    found = {}
    for name in differing[:MOST_TABLES]:
        import polars as pl

        from solvent.data.compare import compare_tables

        frames = [pl.scan_parquet(store.objects.path(side[name].digest), glob=False) for side in (ours, theirs)]
        found[name] = compare_tables(*frames)
    return found


def _tables(store: Store, side: Side) -> dict[str, Artifact]:
    """Tables whose bytes are here: the sources', or else what the side's newest step took."""
    named = {short(s.step): a for s in side.steps.values() if s.source for a in s.artifacts.values()}
    if not named and side.steps:
        taken = list(side.steps.values())[-1].takes
        known = store.facts.artifacts(list(taken.values()))
        named = {name: known[digest] for name, digest in taken.items() if digest in known}
    return {n: a for n, a in named.items() if a.format == "parquet" and store.objects.exists(a.digest)}
