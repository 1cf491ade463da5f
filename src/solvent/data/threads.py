"""The same work on each of many large columns, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import polars as pl

LARGE = 100_000  # rows; for fewer a thread costs more than the work

Column = TypeVar("Column")
Answer = TypeVar("Answer")


def each_column(work: Callable[[Column], Answer], columns: Sequence[Column], *, rows: int) -> list[Answer]:
    """`work` done on each column, in order: side by side where they have many rows, since numpy and polars let go of
    the interpreter over them. As many threads as polars may use.

    >>> each_column(len, ["day", "count"], rows=3)
    [3, 5]
    """
    threads = min(pl.thread_pool_size(), len(columns))
    if rows < LARGE or threads < 2:
        return [work(column) for column in columns]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, columns))
