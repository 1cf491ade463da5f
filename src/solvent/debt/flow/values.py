"""What can be believed of a value while a program is followed. All are immutable; a change makes another value."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import msgspec

from solvent.debt.flow.parts import FULL, Cut, Part

Site = tuple[
    tuple[int, int, int, int], ...
]  # the calls that led here, then the place itself: first and last line, columns


class Origin(msgspec.Struct, frozen=True):
    """Where rows come from: a read, a parameter, anything that is not followed. field: which part of it."""

    site: Site
    field: str = ""
    name: str = ""


class Fit(msgspec.Struct, frozen=True):
    """Numbers that were learnt from rows.

    kind: `statistics` without the target, `target` with it, `group` (means by group of `column`), `resample` (rows
    copied or invented); name: what learnt them.
    """

    site: Site
    kind: str
    name: str
    origin: Origin
    part: Part
    column: str = ""


class Columns(msgspec.Struct, frozen=True):
    """only: the columns, where they are listed; without: those surely removed; born: those assigned, with the place;
    brought: what an assigned column had learnt, which goes where it is dropped.
    """

    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    born: tuple[tuple[str, Site], ...] = ()
    brought: tuple[tuple[str, frozenset[Fit]], ...] = ()


class Rows(msgspec.Struct, frozen=True):
    """A table, array, column, or anything else that may be one.

    fits: what fixed its numbers; columns: None where unknown; column: name of the one column that it is; timed:
    where it got a time index or features that look back, and which; plain: its values are as they were read; table:
    surely a frame, so that a key names a column and not another table; drawn: the columns that it was computed from,
    None for any.
    """

    origin: Origin
    part: Part = FULL
    fits: frozenset[Fit] = frozenset()
    columns: Columns | None = Columns()
    column: str = ""
    timed: tuple[Site, str] | None = None
    plain: bool = True
    table: bool = False
    drawn: frozenset[str] | None = None


class Statistic(msgspec.Struct, frozen=True):
    """A figure of rows, such as a mean, or what a fitted selector knows. name: which."""

    site: Site
    fits: frozenset[Fit]
    name: str = ""


class Grouped(msgspec.Struct, frozen=True):
    """rows.groupby(...), perhaps of one column."""

    rows: Rows
    column: str = ""


class Selector(msgspec.Struct, frozen=True):
    """A mask or positions that pick the rows of cuts."""

    cuts: tuple[Cut, ...]


class Fitting(msgspec.Struct, frozen=True):
    """A call of `fit`. watched: rows that early stopping or the choice of the best checkpoint looks at."""

    site: Site
    rows: Rows
    target: Rows | None
    watched: Rows | None = None


class Model(msgspec.Struct, frozen=True):
    """An estimator or transformer. name: dotted, empty where unknown; does: what `fit` learns (tables.effect);
    inner: steps of a pipeline, the estimator of a search; tuned_by: the search whose answer set it up; loop: the loop
    over settings whose variable set it up; stops: it stops early by keyword.
    """

    site: Site
    name: str
    does: str
    inner: tuple[Model, ...] = ()
    fitting: Fitting | None = None
    tuned_by: Model | None = None
    loop: Site | None = None
    stops: bool = False
    seeded: bool | None = None


class Predicted(msgspec.Struct, frozen=True):
    """What a model answered for rows; compared: with the truth, by arithmetic or a comparison."""

    model: Model
    rows: Rows
    compared: bool = False


class Divider(msgspec.Struct, frozen=True):
    """An object that makes folds, such as `KFold(5)`."""

    name: str
    shuffles: bool
    seeded: bool | None


class Folds(msgspec.Struct, frozen=True):
    """Pairs of train and test positions, one a turn of a loop."""

    division: Site


class Record(msgspec.Struct, frozen=True):
    """A tuple, list, dict or object with known fields, by position or name. of: class defined in this file."""

    fields: Mapping[str, Value]
    of: str = ""


class Many(msgspec.Struct, frozen=True):
    """A collection of unknown length whose elements are alike."""

    element: Value


class Setting(msgspec.Struct, frozen=True):
    """What a loop over settings tries, or what is computed from it; or the answer of a search."""

    loop: Site | None = None
    search: Model | None = None


class Constant(msgspec.Struct, frozen=True):
    value: object


class Named(msgspec.Struct, frozen=True):
    """Something imported, by its dotted name."""

    name: str


class Function(msgspec.Struct, frozen=True):
    """A function or class of this file; owner: the object that it is a method of, with the variable that holds it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    owner: Record | None = None


class Unknown(msgspec.Struct, frozen=True):
    """Nothing is known, for instance because branches disagree."""


UNKNOWN = Unknown()
Value = (
    Rows
    | Statistic
    | Grouped
    | Selector
    | Model
    | Predicted
    | Divider
    | Folds
    | Record
    | Many
    | Setting
    | Constant
    | Named
    | Function
    | Unknown
)


def same(one: Value, other: Value) -> bool:
    return one is other or one == other


def joined(one: Value, other: Value, site: Site, name: str = "") -> Value:
    """What holds whichever of two ways was taken.

    Two tables that differ become a table of its own, known to be one thing from here on; of the same rows only what
    both ways learnt is kept.
    """
    if same(one, other):
        return one
    if isinstance(one, Rows) and isinstance(other, Rows):
        table = one.table and other.table
        if (one.origin, one.part) != (other.origin, other.part):
            return Rows(Origin(site, name, name), columns=None, table=table)
        columns = one.columns if one.columns == other.columns else None
        return msgspec.structs.replace(
            one, fits=one.fits & other.fits, columns=columns, timed=None, plain=False, table=table
        )
    if isinstance(one, Record) and isinstance(other, Record) and one.fields.keys() == other.fields.keys():
        fields = {key: joined(value, other.fields[key], site, f"{name}.{key}") for key, value in one.fields.items()}
        return Record(fields, one.of if one.of == other.of else "")
    if isinstance(one, Model) and isinstance(other, Model):
        fitting = one.fitting if one.fitting == other.fitting else None
        if one.site == other.site:
            return msgspec.structs.replace(one, fitting=fitting)
        return Model(site, "", one.does if one.does == other.does else "", fitting=fitting)
    return UNKNOWN
