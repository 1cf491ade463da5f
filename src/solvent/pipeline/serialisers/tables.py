"""Tables of polars, pandas and Arrow as Parquet with fixed writer options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from solvent.lineage.entities import ArtifactType
from solvent.pipeline.errors import Unserialisable
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored, outer

if TYPE_CHECKING:
    import polars as pl

TABLES = {
    "polars.DataFrame": "polars",
    "polars.LazyFrame": "polars",
    "polars.dataframe.frame.DataFrame": "polars",
    "polars.lazyframe.frame.LazyFrame": "polars",
    "pandas.DataFrame": "pandas",
    "pandas.core.frame.DataFrame": "pandas",
    "pyarrow.Table": "pyarrow",
    "pyarrow.lib.Table": "pyarrow",
}


class Tables(Serialiser):
    format = "parquet"
    type = ArtifactType.DATASET
    order = 10

    def accepts(self, annotation: str) -> bool:
        return outer(annotation) in TABLES

    def holds(self, value: Any) -> bool:
        return f"{type(value).__module__}.{type(value).__qualname__}" in TABLES

    def save(self, value: Any, scratch: Path) -> Saved:
        from solvent.data.tablefile import table_about, table_content, write_table

        target = scratch / f"{uuid4().hex}.parquet"
        library = TABLES[f"{type(value).__module__}.{type(value).__qualname__}"]
        if library == "polars":
            table: pl.DataFrame = value.collect() if hasattr(value, "collect") else value
            write_table(table, target)
        else:
            table = _write_arrow(value, target)
        try:
            content = table_content(table)
        except TypeError as error:
            raise Unserialisable(f"a table cannot be kept: {error}", next="give the column a plain type") from error
        return Saved(target, content, table_about(table))

    def load(self, stored: Stored, annotation: str) -> Any:
        path, name = stored.path(), outer(annotation)
        library = TABLES.get(name, "polars")
        if library != "polars":
            import pyarrow.parquet as pq

            table = pq.read_table(path)
            return table.to_pandas() if library == "pandas" else table
        import polars as pl

        return pl.scan_parquet(path) if name.endswith("LazyFrame") else pl.read_parquet(path)


def _write_arrow(value: Any, target: Path) -> pl.DataFrame:
    """Write a pandas or Arrow table, index and all, and return it as polars for its content."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    is_pandas = "pandas" in sys.modules and isinstance(value, sys.modules["pandas"].DataFrame)
    table = pa.Table.from_pandas(value) if is_pandas else value
    pq.write_table(table, target, compression="zstd", row_group_size=131_072)
    return pl.DataFrame(pl.from_arrow(table))
