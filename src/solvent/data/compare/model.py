"""What a comparison of data says, as plain values."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["number", "category", "text", "time", "other"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values here."""


class FilesDiff(Value, frozen=True, kw_only=True):
    """Files by relative path. renamed: old → new path of the same bytes. bytes_new: that the right adds."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    renamed: dict[str, str]
    same: int
    bytes_new: int

    @property
    def equal(self) -> bool:
        return not (self.added or self.removed or self.changed or self.renamed)


class SchemaChange(Value, frozen=True, kw_only=True):
    """Columns by name with types. retyped: name → (left, right). moved: the shared ones stand in another order."""

    added: dict[str, str]
    removed: dict[str, str]
    retyped: dict[str, tuple[str, str]]
    moved: bool

    @property
    def equal(self) -> bool:
        return not (self.added or self.removed or self.retyped or self.moved)


class ChangedRow(Value, frozen=True, kw_only=True):
    """One row under the same key. values: column → (left, right), those that differ."""

    key: dict[str, Any]
    values: dict[str, tuple[Any, Any]]


class RowChanges(Value, frozen=True, kw_only=True):
    """Rows compared over the shared columns.

    key: columns that name a row; without them rows are a multiset, where a changed row is
    one removed and one added. columns: rows changed per column, by key only. examples_…:
    the first few. key_hint: a column that names every row of both, where no key was given.
    """

    left: int
    right: int
    key: list[str]
    added: int
    removed: int
    changed: int
    same: int
    reordered: bool
    columns: dict[str, int]
    examples_added: list[dict[str, Any]]
    examples_removed: list[dict[str, Any]]
    examples_changed: list[ChangedRow]
    key_hint: str | None = None

    @property
    def equal(self) -> bool:
        return not (self.added or self.removed or self.changed or self.reordered)


class Summary(Value, frozen=True, kw_only=True):
    """One side of one column. missing: share of rows, exact. mean, low, high: of numbers; first, last: of times."""

    missing: float
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    first: str | None = None
    last: str | None = None


class Picture(Value, frozen=True, kw_only=True):
    """Two distributions over the same bins. labels: categories, or empty; edges: of a number's bins, one more
    than shares, from the half to the 99.5th percent of either side; what lies beyond is in the outer bins."""

    left: list[float]
    right: list[float]
    labels: list[str] = []
    edges: list[float] = []


class ColumnShift(Value, frozen=True, kw_only=True):
    """How far one column's values moved as a whole.

    effect: Wasserstein distance in standard deviations of the left (`sd`) for numbers,
    Jensen–Shannon distance (`0–1`) for categories; None where the column has no such distance. ks: the
    Kolmogorov–Smirnov distance of numbers, beside it.
    usual: smallest and largest of the same distance where nothing has happened: what the left varies by itself.
    limit: the largest effect that natural variation would allow, and never a trifle; None with too few rows to say.
    beyond: the effect is larger. missing_limit, missing_beyond: the same of the change of the missing share.
    new, gone: categories that only one side has, the most frequent first. picture: of what moved.
    """

    column: str
    kind: Kind
    left: Summary
    right: Summary
    effect: float | None = None
    unit: str = ""
    ks: float | None = None
    usual: tuple[float, float] | None = None
    limit: float | None = None
    beyond: bool = False
    missing_limit: float | None = None
    missing_beyond: bool = False
    new: list[str] = []
    gone: list[str] = []
    picture: Picture | None = None

    @property
    def moved(self) -> bool:
        """Whether its values, or its missing ones, moved by more than natural variation would allow."""
        return self.beyond or self.missing_beyond

    @property
    def moved_missing(self) -> bool:
        """Whether the missing share differs at all that people would see."""
        return round(self.left.missing, 3) != round(self.right.missing, 3)


class TableDiff(Value, frozen=True, kw_only=True):
    """Two tables. shifts: of the shared columns, what moved most first. sampled: rows looked at for them."""

    schema: SchemaChange
    rows: RowChanges
    shifts: list[ColumnShift]
    sampled: tuple[int, int]

    @property
    def equal(self) -> bool:
        return self.schema.equal and self.rows.equal

    @property
    def moved(self) -> list[ColumnShift]:
        """The columns that moved by more than the left varies by itself."""
        return [shift for shift in self.shifts if shift.moved]
