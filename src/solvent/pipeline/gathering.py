"""Many values for one parameter: all elements of a mapped step, or all partitions of a source.

Between processes each is an input of its own, named `fits[learning_rate=0.1]`; the
annotation says what the function gets: a list, a dict by name, or one table of all rows.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from solvent.pipeline.serialisers.base import outer
from solvent.pipeline.serialisers.tables import TABLES

LISTS = {"list", "typing.List", "collections.abc.Sequence", "typing.Sequence", "collections.abc.Iterable", "typing.Any"}
DICTS = {"dict", "typing.Dict", "collections.abc.Mapping", "typing.Mapping"}


def member_annotation(whole: str) -> str:
    """How one element is read for a parameter that takes all of them."""
    name, _, inside = whole.partition("[")
    inside = inside.removesuffix("]")
    if name in DICTS:
        return inside.partition(", ")[2]
    if name in LISTS:
        return inside
    return "polars.LazyFrame" if TABLES.get(name) == "polars" else whole


def takes_many(whole: str) -> bool:
    """Whether an annotation has room for any number of elements."""
    return not whole or outer(whole) in LISTS | DICTS or outer(whole) in TABLES


def member_name(parameter: str, key: str) -> str:
    """The input that carries one element."""
    return f"{parameter}[{key}]"


def gather(inputs: dict[str, Any], wholes: Mapping[str, str]) -> dict[str, Any]:
    """The inputs with the elements of each gathered parameter put together. wholes: parameter → annotation."""
    result = dict(inputs)
    for parameter, whole in wholes.items():
        names = [name for name in inputs if name.startswith(f"{parameter}[")]
        members = {name[len(parameter) + 1 : -1]: result.pop(name) for name in names}
        result[parameter] = _together(members, whole)
    return result


def _together(members: dict[str, Any], whole: str) -> Any:
    name, values = outer(whole), list(members.values())
    if name in DICTS:
        return members
    library = TABLES.get(name)
    if library == "polars":
        import polars as pl

        table = pl.concat(values, how="vertical_relaxed")
        return table if name.endswith("LazyFrame") else table.collect()
    if library == "pandas":
        return sys.modules["pandas"].concat(values, ignore_index=True)
    if library == "pyarrow":
        return sys.modules["pyarrow"].concat_tables(values, promote_options="permissive")
    return values
