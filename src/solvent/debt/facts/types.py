"""Types of expressions from constructors, known returns and annotations; flow-insensitive, so all bindings agree."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solvent.debt.facts.file import FileFacts

FRAME, SERIES, GROUPED = "pandas.DataFrame", "pandas.Series", "pandas.DataFrameGroupBy"
POLARS, LAZY, POLARS_SERIES = "polars.DataFrame", "polars.LazyFrame", "polars.Series"
ARRAY = "numpy.ndarray"


def words(text: str) -> frozenset[str]:
    """A set of names, written as prose."""
    return frozenset(text.split())


_PANDAS_READERS = words("""
    read_csv read_table read_excel read_parquet read_feather read_json read_pickle read_sql read_sql_query
    read_sql_table read_fwf read_hdf read_orc read_stata read_sas read_spss read_clipboard read_gbq merge
    get_dummies json_normalize crosstab DataFrame.from_dict DataFrame.from_records
""")
_ARRAYS = words("""
    array zeros ones arange linspace asarray loadtxt genfromtxt concatenate vstack hstack column_stack stack empty
    full zeros_like ones_like
""")
RETURNS = {
    **{f"pandas.{name}": FRAME for name in _PANDAS_READERS},
    **{f"polars.{name}": POLARS for name in words("read_csv read_parquet read_json read_ipc read_excel from_pandas")},
    **{f"polars.{name}": LAZY for name in words("scan_csv scan_parquet scan_ipc scan_ndjson")},
    **{f"numpy.{name}": ARRAY for name in _ARRAYS},
}
_SAME_FRAME = words("""
    copy dropna fillna drop drop_duplicates rename reset_index set_index sort_values sort_index replace assign head
    tail sample query merge join astype filter reindex ffill bfill interpolate round clip select_dtypes describe
    pivot_table pivot melt transpose nlargest nsmallest where mask isna isnull notna notnull corr cov shift diff
    append rename_axis add_prefix add_suffix explode infer_objects convert_dtypes truncate tz_localize to_frame
""")
_SAME_SERIES = words("""
    copy dropna fillna drop drop_duplicates rename sort_values sort_index replace head tail sample astype round clip
    shift diff map isin isna isnull notna notnull between abs cumsum rank where mask ffill bfill interpolate
    value_counts
""")
_SAME_POLARS = words("""
    with_columns filter drop drop_nulls fill_null fill_nan rename sort head tail limit slice unique select join
    with_row_index reverse clone cast explode
""")
_INDEXED = frozenset({"loc", "iloc"})
_MOST_STEPS = 20_000  # evaluations a file; beyond it types are unknown


class Types:
    """Of one file; each name is typed once, when it is first asked for."""

    def __init__(self, file: FileFacts) -> None:
        self._file = file
        self._names: dict[tuple[int, str], str] = {}
        self._open: set[tuple[int, str]] = set()
        self._assumed: set[tuple[int, str]] = set()  # open names that the answer under way rests on
        self._steps = 0

    def of(self, node: ast.expr) -> str:
        try:
            return self._of(node) or ""
        except RecursionError:
            return ""

    def _of(self, node: ast.expr) -> str | None:
        """None while the name that is asked for decides: `df = df.dropna()` is what `df` was."""
        if isinstance(node, ast.Name):
            return self._of_name(node)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        if isinstance(node, ast.Subscript):
            return self._of_subscript(node)
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left = self._of(node.left)
            return left if left in {FRAME, SERIES, ARRAY, POLARS_SERIES} else ""
        if isinstance(node, ast.UnaryOp):
            return self._of(node.operand)
        if isinstance(node, ast.BinOp):
            left, right = self._of(node.left), self._of(node.right)
            return left if left in {FRAME, SERIES, ARRAY} and right in {left, "", None} else ""
        if isinstance(node, ast.Constant):
            return "" if node.value is ... else "None" if node.value is None else type(node.value).__name__
        return _LITERALS.get(type(node), "")

    def _of_name(self, node: ast.Name) -> str | None:
        found = self._file.binding(node)
        if found is None:
            return ""
        scope, bindings = found
        key = (id(scope), node.id)
        if key in self._names:
            return self._names[key]
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return ""
        if key in self._open:
            self._assumed.add(key)
            return None
        self._open.add(key)
        types: set[str | None] = set()
        for binding in bindings:
            if binding.annotation is not None:
                types.add(self._of_annotation(binding.annotation))
            elif binding.kind == "assign" and binding.value is not None:
                types.add(self._of(binding.value))
            else:
                types.add("")
        self._open.discard(key)
        self._assumed.discard(key)
        types.discard(None)
        answer = (types.pop() or "") if len(types) == 1 else ""
        if not self._assumed:
            self._names[key] = answer
        return answer

    def _of_annotation(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except (SyntaxError, ValueError):
                return ""
            return self._in_module(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            sides = [side for side in (node.left, node.right) if not _is_none(side)]
            return self._of_annotation(sides[0]) if len(sides) == 1 else ""
        if isinstance(node, ast.Subscript):
            outer = self._file.resolve(node.value)
            if outer in {"typing.Optional", "typing.Annotated"}:
                inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
                return self._of_annotation(inner)
            return outer.removeprefix("builtins.")
        name = self._file.resolve(node)
        return ALIASES.get(name, name.removeprefix("builtins."))

    def _in_module(self, node: ast.expr) -> str:
        """A name within a string annotation, resolved among the module's imports."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        bindings = self._file.map.module.bindings.get(node.id, []) if isinstance(node, ast.Name) else []
        if len(bindings) != 1 or bindings[0].kind != "import":
            return ""
        name = ".".join([bindings[0].target, *reversed(attributes)])
        return ALIASES.get(name, name)

    def _of_call(self, node: ast.Call) -> str | None:
        name = self._file.resolve(node.func)
        if name:
            if name in RETURNS:
                return "" if _gives_several(name, node) else RETURNS[name]
            if name == "pandas.concat":
                return _of_concat(node, self._of)
            last = name.rpartition(".")[2]
            if name.startswith("builtins."):
                return last if last in {"list", "dict", "set", "tuple", "str", "int", "float", "bool"} else ""
            is_class = (last[:1].isupper() and not last.isupper()) or last in _SHOUTED
            return ALIASES.get(name, name) if is_class else ""
        if function := self._file.function(node.func):
            return self._of_annotation(function.returns) if function.returns else ""
        return self._of_method(node, node.func) if isinstance(node.func, ast.Attribute) else ""

    def _of_method(self, call: ast.Call, func: ast.Attribute) -> str | None:
        owner = self._of(func.value)
        if owner is None:
            return None if func.attr in _SAME_FRAME | _SAME_SERIES | _SAME_POLARS else ""
        if any(keyword.arg == "inplace" for keyword in call.keywords):
            return ""
        if owner == FRAME:
            return FRAME if func.attr in _SAME_FRAME else _FROM_FRAME.get(func.attr, "")
        if owner == SERIES:
            return FRAME if func.attr in {"to_frame", "reset_index"} else SERIES if func.attr in _SAME_SERIES else ""
        if owner in {POLARS, LAZY}:
            if func.attr in {"collect", "lazy"}:
                return POLARS if func.attr == "collect" else LAZY
            return owner if func.attr in _SAME_POLARS else ""
        fluent = func.attr in {"fit", "set_params", "partial_fit"}
        return owner if fluent and "." in owner and not owner.startswith("keras") else ""

    def _of_attribute(self, node: ast.Attribute) -> str | None:
        if self._file.resolve(node):
            return ""
        owner = self._of(node.value)
        if owner == FRAME:
            return {"values": ARRAY, "T": FRAME, "columns": "pandas.Index", "index": "pandas.Index"}.get(node.attr, "")
        return ARRAY if owner == SERIES and node.attr == "values" else ""

    def _of_subscript(self, node: ast.Subscript) -> str | None:
        value = node.value
        if isinstance(value, ast.Attribute) and value.attr in _INDEXED and self._of(value.value) == FRAME:
            return self._of_indexed(node.slice)
        owner = self._of(value)
        if owner == FRAME:
            return self._of_selected(node.slice)
        if owner == SERIES:
            return SERIES if self._of(node.slice) in {SERIES, ARRAY} or isinstance(node.slice, ast.Slice) else ""
        if owner == POLARS and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            return POLARS_SERIES
        return ""

    def _of_selected(self, key: ast.expr) -> str:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return SERIES
        if isinstance(key, ast.List | ast.Slice | ast.Compare) or self._of(key) in {"list", SERIES, "pandas.Index"}:
            return FRAME
        if isinstance(key, ast.UnaryOp | ast.BinOp):
            return FRAME if self._of(key) == SERIES else ""
        return ""

    def _of_indexed(self, key: ast.expr) -> str:
        rows = key.elts[0] if isinstance(key, ast.Tuple) and len(key.elts) == 2 else key
        columns = key.elts[1] if isinstance(key, ast.Tuple) and len(key.elts) == 2 else ast.Slice()
        many_rows = isinstance(rows, ast.Slice | ast.List | ast.Compare)
        if not many_rows:
            return ""
        if isinstance(columns, ast.Slice | ast.List):
            return FRAME
        return SERIES if isinstance(columns, ast.Constant) else ""


def _gives_several(name: str, node: ast.Call) -> bool:
    """Whether a reader is asked for an iterator of tables, or for a dictionary of a workbook's sheets."""
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if name != "pandas.read_excel":
        return bool(given.keys() & {"chunksize", "iterator", "squeeze", None})
    sheet = given.get("sheet_name", node.args[1] if len(node.args) > 1 else ast.Constant(0))
    return not isinstance(sheet, ast.JoinedStr) and not (isinstance(sheet, ast.Constant) and sheet.value is not None)


def _of_concat(node: ast.Call, of: Callable[[ast.expr], str | None]) -> str:
    """`concat` of frames, or side by side, is a frame."""
    axis = next((keyword.value for keyword in node.keywords if keyword.arg == "axis"), None)
    across = isinstance(axis, ast.Constant) and axis.value in {1, "columns"}
    first = node.args[0] if node.args else None
    parts = first.elts if isinstance(first, ast.List | ast.Tuple) else []
    return FRAME if across or any(of(part) == FRAME for part in parts) else ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


ALIASES = {
    "pandas.core.frame.DataFrame": FRAME,
    "pandas.core.series.Series": SERIES,
    "polars.dataframe.frame.DataFrame": POLARS,
    "numpy.typing.NDArray": ARRAY,
}
_SHOUTED = words("SVC SVR SGD NMF PCA SMOTE ADASYN RFE RFECV LSTM GRU TSNE")
_FROM_FRAME = {
    **dict.fromkeys(words("mean median std var min max sum count nunique any all quantile idxmax idxmin"), SERIES),
    "groupby": GROUPED,
    "to_numpy": ARRAY,
}
_LITERALS: dict[type[ast.expr], str] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Tuple: "tuple",
    ast.JoinedStr: "str",
}
