"""What differs between two versions of data: files, columns, rows, the shape of each column.

Values in, values out: tables come as lazy frames, folders as listings of digests.
Rows are compared by 64-bit hashes of their values, 16 bytes a row in memory; a
column's shift is held against what the first table varies by itself, over blocks
of its rows in time or in order, or by chance.
"""

from solvent.data.compare.files import compare_files
from solvent.data.compare.model import ColumnShift, FilesDiff, RowChanges, SchemaChange, TableDiff
from solvent.data.compare.rows import KeyRepeats, UnknownKey
from solvent.data.compare.tables import compare_tables

__all__ = [
    "ColumnShift",
    "FilesDiff",
    "KeyRepeats",
    "RowChanges",
    "SchemaChange",
    "TableDiff",
    "UnknownKey",
    "compare_files",
    "compare_tables",
]
