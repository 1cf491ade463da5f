"""What a contract holds: one entry per column, readable and editable as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from solvent.lineage.digests import Digest, digest_value


class ColumnType(StrEnum):
    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    TEXT = "text"  # too many values to list
    TIME = "time"


class Role(StrEnum):
    """What a column is for."""

    FEATURE = "feature"
    CLOCK = "clock"  # a function of the time column, or a calendar (a season, a year): new values are no breach
    TARGET = "target"
    TIME = "time"
    KNOWN_AT = "known_at"
    ID = "id"


class Severity(StrEnum):
    BREAK = "break"
    NOTE = "note"


class Lattice(msgspec.Struct, frozen=True, kw_only=True):
    """All values of the reference are origin + k·step within tolerance (all three in the column's unit)."""

    origin: float
    step: float
    tolerance: float


class ColumnContract(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column.

    allowed: closed range that values may take; seen: the reference's range; both None for
        anything but a number. quantiles: 0.5, 5, 25, 50, 75, 95 and 99.5% of the reference.
    spread: smallest and largest 5-to-95% range over the reference's blocks in time.
    categories: the values known, as text. missing: share of rows in the reference;
        missing_allowed: the largest share that a window may have.
    longest_run: most rows in a row (by time) with one value; 0 where the reference never varied.
    unique: no value occurs twice.
    """

    name: str
    type: ColumnType
    role: Role = Role.FEATURE
    seen: tuple[float, float] | None = None
    allowed: tuple[float, float] | None = None
    quantiles: list[float] | None = None
    spread: tuple[float, float] | None = None
    lattice: Lattice | None = None
    categories: list[str] | None = None
    unseen_allowed: float = 0.1
    missing: float = 0.0
    missing_allowed: float = 1.0
    longest_run: int = 0
    unique: bool = False


class Contract(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a table is held to. Edit the file freely: the check does what it says.

    rows, since, until: the reference. spacing: seconds between successive distinct times
        (median, largest); duplicates: share of rows of the reference that repeat an earlier one.
    """

    columns: list[ColumnContract]
    rows: int
    since: str | None = None
    until: str | None = None
    spacing: tuple[float, float] | None = None
    duplicates: float = 0.0
    format: int = 1

    @property
    def digest(self) -> Digest:
        """Digest of the contract's canonical JSON."""
        return digest_value(self)

    def by_name(self) -> dict[str, ColumnContract]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    def named(self, role: Role) -> str | None:
        """Name of the first column with this role."""
        return next((column.name for column in self.columns if column.role is role), None)

    @property
    def served(self) -> list[ColumnContract]:
        """The columns that a request must carry: features and functions of the clock."""
        return [column for column in self.columns if column.role in (Role.FEATURE, Role.CLOCK)]


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One breach, with its cause in a sentence.

    kind: missing-column, extra-column, type, range, unseen-category, missing-rate, constant,
        unit, stale, duplicates or unseen-season. share: of the window's rows; rows: positions of
        the first few of them. observed, expected: figures or names, for programs.
    """

    column: str
    kind: str
    cause: str
    severity: Severity = Severity.BREAK
    share: float = 1.0
    rows: list[int] = msgspec.field(default_factory=list)
    observed: Any = None
    expected: Any = None
