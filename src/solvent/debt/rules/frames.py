"""Tables handled wrongly: what pandas accepts and does not do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from solvent.debt.facts.file import FileFacts
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule

NAN = frozenset({"numpy.nan", "numpy.NaN", "numpy.NAN", "math.nan", "pandas.NA", "pandas.NaT"})


@rule("PIP008", "nan-equality", severity="E", principal="a", driver="C", source="Zhang 2022, smell 2")
def nan_equality(file: FileFacts) -> Iterator[Found]:
    """Rows are compared with NaN: `==` keeps none, `!=` keeps all.

    Why it costs: the filter never works, and no run ever fails over it.
    Fix: `isna()` or `notna()` on a column, `math.isnan()` on a number.
    """
    for compare in file.nodes(ast.Compare):
        operands = pairwise([compare.left, *compare.comparators])
        for operator, pair in zip(compare.ops, operands, strict=True):
            if isinstance(operator, ast.Eq | ast.NotEq) and any(file.resolve(side) in NAN for side in pair):
                yield Found.at(compare)
