"""A table as people have it, of polars, pandas or Arrow: read by columns or a few rows at a time, never copied."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from solvent.foundation.errors import UsageError, nearest


class NotATable(UsageError):
    code = "not-a-table"


class NoColumn(UsageError):
    code = "no-column"


class Table(Protocol):
    """What a comparison needs of a table."""

    @property
    def names(self) -> list[str]: ...
    @property
    def rows(self) -> int: ...
    def column(self, name: str) -> pl.Series: ...
    def take(self, rows: NDArray[np.int64]) -> pl.DataFrame: ...


def as_table(value: Any, side: str) -> Table:
    """A polars, pandas or Arrow table, as it is. side: what to call it. Raises: NotATable."""
    pandas = sys.modules.get("pandas")  # who has a pandas table has imported it
    if isinstance(value, pl.LazyFrame):
        value = value.collect(engine="streaming")
    if isinstance(value, pl.DataFrame):
        return _Polars(value)
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return _Pandas(value, side)
    if hasattr(value, "__arrow_c_stream__"):
        try:
            return _Polars(pl.DataFrame(value))
        except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
            raise NotATable(f"the {side} table cannot be read: {str(error).splitlines()[0]}") from None
    raise NotATable(
        f"the {side} side is a {type(value).__name__}", next="give a polars, pandas or Arrow table, or a path to a file"
    )


def require(table: Table, name: str, side: str) -> None:
    """Raises: NoColumn, naming the nearest."""
    if name not in table.names:
        some = ", ".join(table.names[:12]) + (", …" if len(table.names) > 12 else "")
        raise NoColumn(f"no column `{name}` in the {side} table", next=nearest(name, table.names, f"it has: {some}"))


class _Polars:
    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self.names: list[str] = frame.columns
        self.rows: int = frame.height

    def column(self, name: str) -> pl.Series:
        return self._frame[name]

    def take(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        return self._frame[rows]


class _Pandas:
    """Each column is made a polars one when it is looked at; the index carries nothing."""

    def __init__(self, frame: Any, side: str) -> None:
        self._frame = frame
        self.names = [str(name) for name in frame.columns]
        self.rows = len(frame)
        twice = next((name for name in self.names if self.names.count(name) > 1), None)
        if twice is not None:
            raise NotATable(f"the {side} table has two columns `{twice}`", next="rename one of them")

    def column(self, name: str) -> pl.Series:
        return _of_pandas(name, self._frame.iloc[:, self.names.index(name)])

    def take(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        few = self._frame.iloc[rows]
        return pl.DataFrame([_of_pandas(name, few.iloc[:, at]) for at, name in enumerate(self.names)])


def _of_pandas(name: str, column: Any) -> pl.Series:
    """One column, NaN of text and categories as null; pyarrow is used where the column lies in it already."""
    kind = column.dtype
    if hasattr(kind, "categories"):
        text = [str(value) for value in kind.categories]
        codes = pl.Series(np.asarray(column.cat.codes), dtype=pl.Int64)
        known = codes.replace_strict(list(range(len(text))), text, default=None, return_dtype=pl.String)
        return known.alias(name)
    if getattr(kind, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        kind = column.dtype
    if isinstance(kind, np.dtype):
        return pl.Series(name, _plain(column.to_numpy(), column), strict=False)
    if "pyarrow" in sys.modules and hasattr(column.array, "__arrow_array__"):
        return pl.Series(name, pl.from_arrow(column.array.__arrow_array__()))
    return pl.Series(name, _objects(column), strict=False)


def _plain(values: NDArray[Any], column: Any) -> NDArray[Any] | Sequence[Any]:
    if values.dtype.kind in "Mm":
        return values.astype(f"{values.dtype.name.partition('[')[0]}[us]")
    return _objects(column) if values.dtype.kind == "O" else values


def _objects(column: Any) -> list[Any]:
    """Python values, None where one is missing; text where they are of several kinds."""
    values: list[Any] = column.astype(object).where(column.notna(), None).tolist()
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 and not kinds <= {int, float}:
        return [None if value is None else str(value) for value in values]
    return values
