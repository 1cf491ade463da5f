"""Tables of polars, pandas and Arrow as Parquet with fixed writer options."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from solvent.lineage.entities import ArtifactType
from solvent.pipeline.errors import Unserialisable
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored, outer

IN_MEMORY = 64 << 20  # bytes of a table up to which its file is made in memory
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
        import polars as pl

        from solvent.data.tablefile import table_about, table_content, write_table

        ours = TABLES[f"{type(value).__module__}.{type(value).__qualname__}"] == "polars"
        arrow = None if ours else _as_arrow(value)
        table = pl.DataFrame(pl.from_arrow(arrow)) if arrow is not None else value.lazy().collect()
        try:
            content = table_content(table)
        except TypeError as error:
            raise Unserialisable(f"a table cannot be kept: {error}", next="give the column a plain type") from error
        small = table.estimated_size() <= IN_MEMORY
        target: Any = BytesIO() if small else scratch / f"{uuid4().hex}.parquet"
        if arrow is None:
            write_table(table, target)
        else:
            _write_arrow(arrow, target)
        return Saved(target.getvalue() if small else target, content, table_about(table))

    def load(self, stored: Stored, annotation: str) -> Any:
        place: Any = stored.path() if stored.data is None else BytesIO(stored.data)
        name = outer(annotation)
        library = TABLES.get(name, "polars")
        if library != "polars":
            import pyarrow.parquet as pq

            table = pq.read_table(place)
            return table.to_pandas() if library == "pandas" else table
        import polars as pl

        return pl.scan_parquet(place) if name.endswith("LazyFrame") else pl.read_parquet(place)


def _as_arrow(value: Any) -> Any:
    """A pandas or Arrow table as Arrow, pandas' index included."""
    import pyarrow as pa

    is_pandas = "pandas" in sys.modules and isinstance(value, sys.modules["pandas"].DataFrame)
    return pa.Table.from_pandas(value) if is_pandas else value


def _write_arrow(table: Any, target: Any) -> None:
    """Written by Arrow, which keeps what pandas notes about its index and types."""
    import pyarrow.parquet as pq

    from solvent.data.tablefile import ROW_GROUP

    pq.write_table(table, target, compression="zstd", row_group_size=ROW_GROUP)
