"""Tables handled wrongly: what pandas accepts and does not do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.types import FRAME, SERIES, words
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
            sides = [_is_nan(file, side) for side in pair]
            if isinstance(operator, ast.Eq | ast.NotEq) and any(sides) and not all(sides):
                yield Found.at(compare)


def _is_nan(file: FileFacts, node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and file.resolve(node.func) == "builtins.float" and len(node.args) == 1:
        text = node.args[0]
        return isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value.lower() == "nan"
    return file.resolve(node) in NAN


@rule("PIP006", "chained-assign", severity="E", principal="a", driver="C", source="Zhang 2022, smell 3")
def chained_assign(file: FileFacts) -> Iterator[Found]:
    """A table is assigned to through two brackets, `df[a][b] = v`: since pandas 3 nothing is written.

    Why it costs: the first bracket may give a copy, and from pandas 3 on always does: the value goes into the copy,
        the table stays as it was, and nothing fails.
    Fix: one bracket: `df.loc[b, a] = v`.
    """
    for subscript in file.nodes(ast.Subscript):
        if not isinstance(subscript.ctx, ast.Store):
            continue
        inner = _without_locator(subscript.value)
        if isinstance(inner, ast.Subscript) and file.type_of(_without_locator(inner.value)) == FRAME:
            yield Found.at(subscript)


def _without_locator(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) and node.attr in {"loc", "iloc"} else node


LOST = words("""
    dropna fillna drop drop_duplicates replace sort_values sort_index rename reset_index set_index astype ffill
    bfill interpolate assign round clip
""")


@rule("PIP007", "lost-result", severity="E", principal="a", driver="C", source="Zhang 2022, smell 7")
def lost_result(file: FileFacts) -> Iterator[Found]:
    """A table's method is called as a statement and its result thrown away: the table is unchanged.

    Why it costs: the rows or values that were to go stay in, and no run ever fails over it.
    Fix: assign the result, `df = df.dropna()`.
    """
    if "ast_node_interactivity" in file.document.text or _EXPORTED.search(file.document.text):
        return  # every line of a cell is shown, or a script was a notebook whose last lines were
    last = _shown(file)
    for statement in file.nodes(ast.Expr):
        call = statement.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or statement in last:
            continue
        pure = call.func.attr in LOST or (call.func.attr == "apply" and _is_pure(call))
        keywords = {keyword.arg for keyword in call.keywords}
        if not pure or keywords & {"inplace", None} or _expects_error(file, statement):
            continue
        if file.type_of(call.func.value) in {FRAME, SERIES} and _is_used_after(file, statement, call.func.value):
            yield Found.at(call)


_EXPORTED = re.compile(r"^# (In\[|%%|<codecell>)", re.MULTILINE)


def _shown(file: FileFacts) -> set[ast.stmt]:
    """Last statements of cells: what they give is displayed."""
    last: dict[int, ast.stmt] = {}
    for statement in file.tree.body if file.document.notebook else []:
        cell = file.document.cell(statement.lineno)
        last[cell.number if cell else 0] = statement
    return set(last.values())


def _is_used_after(file: FileFacts, statement: ast.stmt, table: ast.expr) -> bool:
    """Whether the table is read on in the same block or cell: then an effect was meant.

    A row of such statements one under the other, and one at the end, only show what the methods give.
    """
    block = _block(file, statement)
    place = block.index(statement)
    root = next((node.id for node in ast.walk(table) if isinstance(node, ast.Name)), "")
    beside = [*block[max(place - 1, 0) : place], *block[place + 1 : place + 2]]
    if any(isinstance(each, ast.Expr) and _starts_with(each.value, root) for each in beside):
        return False
    return any(_reads(each, root) for each in block[place + 1 :])


def _block(file: FileFacts, statement: ast.stmt) -> list[ast.stmt]:
    """The statements that one stands among; at the top level of a notebook, those of its cell."""
    above = next(iter(file.parents(statement)))
    for name in ("body", "orelse", "finalbody"):
        among = getattr(above, name, [])
        if isinstance(among, list) and statement in among:
            cell = file.document.cell(statement.lineno) if above is file.tree else None
            return [each for each in among if cell is None or file.document.cell(each.lineno) is cell]
    return [statement]


def _starts_with(node: ast.expr, name: str) -> bool:
    """Whether an expression is a name, or methods, columns and rows of it."""
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id == name


def _reads(statement: ast.stmt, name: str) -> bool:
    loads = (node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return any(node.id == name for node in loads)


def _is_pure(call: ast.Call) -> bool:
    """Whether what `apply` is given is a lambda that calls nothing."""
    function = call.args[0] if call.args else None
    return isinstance(function, ast.Lambda) and not any(isinstance(node, ast.Call) for node in ast.walk(function))


def _expects_error(file: FileFacts, statement: ast.stmt) -> bool:
    """Whether it stands in `try` or `with`: then perhaps it is called to see it fail."""
    return any(isinstance(above, ast.Try | ast.With) for above in file.parents(statement))


@rule("DAT006", "merge-on-anything", severity="I", principal="a", driver="C", source="Zhang 2022, smell 6")
def merge_on_anything(file: FileFacts) -> Iterator[Found]:
    """Two tables are merged on whatever columns they happen to share.

    Why it costs: a column that either side gains changes the join, and with it the rows; nothing fails.
    Fix: name the keys with `on=`, and their kind with `validate=`.
    """
    for call in file.nodes(ast.Call):
        function = file.resolve(call.func) == "pandas.merge"
        method = isinstance(call.func, ast.Attribute) and call.func.attr == "merge" and not file.resolve(call.func)
        if not function and not (
            method and isinstance(call.func, ast.Attribute) and file.type_of(call.func.value) == FRAME
        ):
            continue
        keywords = {keyword.arg for keyword in call.keywords}
        named = keywords & {"on", "left_on", "right_on", "left_index", "right_index", None}
        positions = len(call.args) - (2 if function else 1)  # after the tables come how, on
        starred = any(isinstance(each, ast.Starred) for each in call.args)
        shown = isinstance(next(iter(file.parents(call)), None), ast.Expr)  # looked at, not used
        if not (named or starred or shown) and positions < 2 and not _crossed(call):
            yield Found.at(call)


def _crossed(call: ast.Call) -> bool:
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(value, ast.Constant) and value.value == "cross" for value in values)
