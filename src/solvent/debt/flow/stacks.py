"""Tables put beside or under each other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from solvent.debt.flow.parts import FULL, siblings
from solvent.debt.flow.values import Constant, Many, Origin, Predicted, Record, Rows, Site, Statistic, Value


def elements(value: Value) -> list[Value]:
    """What a list, tuple or dict holds."""
    if isinstance(value, Record):
        return list(value.fields.values())
    return [value.element] if isinstance(value, Many) else [value]


def side_by_side(values: Sequence[Value], site: Site) -> Value:
    """The same rows with more columns, where all are parts of the same rows or figures of them."""
    rows = [value for value in values if isinstance(value, Rows)]
    if not rows or any(isinstance(value, Predicted) for value in values):
        return Rows(Origin(site), columns=None)
    learnt = frozenset(fit for value in values if isinstance(value, Rows | Statistic) for fit in value.fits)
    first = rows[0]
    if any((each.origin, each.part) != (first.origin, first.part) for each in rows):
        return Rows(Origin(site), fits=learnt, columns=None)
    timed = next((each.timed for each in rows if each.timed), None)
    return Rows(first.origin, first.part, learnt, None, timed=timed, table=any(each.table for each in rows))


def stacked(values: Sequence[Value], site: Site) -> Value:
    """Rows of several tables. The two sides of one division are the whole again; else it is a table of its own.
    Copies of rows are anywhere in it, unless they were kept to one side of a split.
    """
    rows = [value for value in values if isinstance(value, Rows)]
    table = any(each.table for each in rows)
    divided = any(cut.kind in {"split", "slice"} for each in rows for cut in each.part[-1:])
    whole = siblings([each.part for each in rows]) if len(rows) == len(values) else None
    if whole is not None and len({each.origin for each in rows}) == 1:
        origin, part, columns = rows[0].origin, whole, rows[0].columns
        learnt = frozenset(fit for each in rows for fit in each.fits if divided or fit.kind != "resample")
    else:
        origin, part, columns, learnt = Origin(site), FULL, None, frozenset()
    copies = frozenset(
        msgspec.structs.replace(fit, origin=origin, part=part)
        for each in rows
        for fit in each.fits
        if fit.kind == "resample" and not divided
    )
    return Rows(origin, part, learnt | copies, columns, table=table)


def constant(value: Value, default: object = None) -> object:
    return value.value if isinstance(value, Constant) else default
