"""Which files a script reads and writes, where their paths are constants or arguments of the script."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from solvent.debt.facts.summary import Access
from solvent.debt.facts.types import words

if TYPE_CHECKING:
    from solvent.debt.facts.file import FileFacts

# Position of the path among the arguments; names as imports give them.
READS = {
    **{
        f"pandas.read_{name}": 0
        for name in words("csv table excel parquet feather json pickle fwf hdf orc stata sas spss xml")
    },
    **{
        f"{module}.{name}": 0
        for module in ("polars",)
        for name in words(
            "read_csv read_parquet read_json read_ipc read_excel read_ndjson scan_csv scan_parquet scan_ipc scan_ndjson"
        )
    },
    **dict.fromkeys(words("numpy.load numpy.loadtxt numpy.genfromtxt numpy.fromfile joblib.load torch.load"), 0),
    **dict.fromkeys(words("cv2.imread PIL.Image.open imageio.imread skimage.io.imread matplotlib.pyplot.imread"), 0),
    **dict.fromkeys(words("geopandas.read_file xarray.open_dataset h5py.File scipy.io.loadmat librosa.load"), 0),
    **dict.fromkeys(
        words("keras.models.load_model tensorflow.keras.models.load_model torchvision.datasets.ImageFolder"), 0
    ),
    **dict.fromkeys(words("os.listdir os.walk os.scandir glob.glob"), 0),
}
WRITES = {
    **dict.fromkeys(words("numpy.save numpy.savez numpy.savez_compressed numpy.savetxt matplotlib.pyplot.savefig"), 0),
    **dict.fromkeys(words("cv2.imwrite imageio.imwrite"), 0),
    **dict.fromkeys(words("joblib.dump torch.save skops.io.dump mlflow.sklearn.save_model"), 1),
}
READ_METHODS = words("read_text read_bytes")
WRITE_METHODS = {
    **dict.fromkeys(words("to_csv to_parquet to_pickle to_json to_excel to_feather to_hdf to_stata to_orc"), 0),
    **dict.fromkeys(words("write_csv write_parquet write_ipc write_json write_ndjson sink_parquet sink_csv"), 0),
    **dict.fromkeys(words("savefig save_model save_weights save_pretrained booster_save export_saved_model"), 0),
}
SAVERS = words("""
    joblib.dump torch.save pickle.dump cloudpickle.dump dill.dump ?.save ?.save_model ?.save_weights ?.export
    ?.save_pretrained ?.write_bytes skops.io.dump onnx.save keras.models.save_model
    tensorflow.keras.models.save_model tensorflow.saved_model.save mlflow.sklearn.save_model ?.ModelCheckpoint
    ?.dump builtins.open
""")
_JOINS = frozenset({"os.path.join", "posixpath.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"})
_SAME = frozenset(
    {"os.path.abspath", "os.path.normpath", "os.path.realpath", "builtins.str", "os.fspath", "os.path.expanduser"}
)
_OPENS = frozenset({"builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open"})
_PATH_KEYWORDS = words("path filepath_or_buffer file filename io source fname f fp path_or_buf path_or_buffer")
_DEPTH = 6


def accesses(file: FileFacts) -> Iterator[Access]:
    """In the order of the text. An unknown path is told for writes only."""
    for call in file.nodes(ast.Call):
        found = _access(file, call)
        if found is not None:
            path, write, by = found
            text = constant_path(file, path) if path is not None else None
            if text or write:
                yield Access(text or "", write, call.lineno, by, file.scope(call).name)


def _access(file: FileFacts, call: ast.Call) -> tuple[ast.expr | None, bool, str] | None:
    """(expression of the path, whether it is written, name) of a call that opens a file."""
    name = file.resolve(call.func)
    if name in _OPENS:
        return argument(call, 0), _writes(call, 1), name
    if name in READS:
        return argument(call, READS[name]), False, name
    if name in WRITES or name in SAVERS:
        return argument(call, WRITES.get(name, 1)), True, name
    if name or not isinstance(call.func, ast.Attribute):
        return None
    method = call.func.attr
    if method in WRITE_METHODS:
        return argument(call, WRITE_METHODS[method]), True, f"?.{method}"
    if method in READ_METHODS:
        return call.func.value, False, f"?.{method}"
    if method in {"write_text", "write_bytes"}:
        return call.func.value, True, f"?.{method}"
    if method == "open" and (file.type_of(call.func.value) == "pathlib.Path" or _joined(file, call.func.value)):
        return call.func.value, _writes(call, 0), "?.open"
    if f"?.{method}" in SAVERS:
        return argument(call, 0), True, f"?.{method}"
    return None


def argument(call: ast.Call, position: int) -> ast.expr | None:
    """A positional argument, or the keyword that says a path."""
    if len(call.args) > position and not any(isinstance(each, ast.Starred) for each in call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg in _PATH_KEYWORDS), None)


def _writes(call: ast.Call, position: int) -> bool:
    mode = call.args[position] if len(call.args) > position else None
    mode = next((keyword.value for keyword in call.keywords if keyword.arg == "mode"), mode)
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and bool(set(mode.value) & set("wax+"))


def _joined(file: FileFacts, node: ast.expr) -> bool:
    """Whether an expression is built as a path."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return True
    return isinstance(node, ast.Call) and file.resolve(node.func) in _JOINS


def constant_path(file: FileFacts, node: ast.expr, depth: int = _DEPTH) -> str | None:
    """Text that a path's expression always has, with `{1}` for the script's first argument; None where it varies."""
    if depth == 0:
        return None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        found = file.binding(node)
        if found is None or len(found[1]) != 1 or found[1][0].kind != "assign" or found[1][0].value is None:
            return None
        return constant_path(file, found[1][0].value, depth - 1)
    if isinstance(node, ast.Subscript):
        return _script_argument(file, node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        left, right = constant_path(file, node.left, depth - 1), constant_path(file, node.right, depth - 1)
        if left is None or right is None:
            return None
        return str(PurePosixPath(left, right)) if isinstance(node.op, ast.Div) else left + right
    if isinstance(node, ast.JoinedStr):
        return _formatted(file, node, depth)
    if isinstance(node, ast.Call) and not node.keywords:
        return _built(file, node, depth)
    return None


def _formatted(file: FileFacts, node: ast.JoinedStr, depth: int) -> str | None:
    parts = []
    for value in node.values:
        plain = value.value if isinstance(value, ast.FormattedValue) and value.format_spec is None else value
        if not isinstance(plain, ast.expr) or isinstance(plain, ast.FormattedValue):
            return None
        text = constant_path(file, plain, depth - 1)
        if text is None:
            return None
        parts.append(text)
    return "".join(parts)


def _built(file: FileFacts, node: ast.Call, depth: int) -> str | None:
    name = file.resolve(node.func)
    if name in _SAME and len(node.args) == 1:
        return constant_path(file, node.args[0], depth - 1)
    if name not in _JOINS or not node.args:
        return None
    parts = [constant_path(file, each, depth - 1) for each in node.args]
    known = [each for each in parts if each is not None]
    return str(PurePosixPath(*known)) if len(known) == len(parts) else None


def _script_argument(file: FileFacts, node: ast.Subscript) -> str | None:
    index = node.slice
    if file.resolve(node.value) == "sys.argv" and isinstance(index, ast.Constant) and isinstance(index.value, int):
        return f"{{{index.value}}}" if index.value > 0 else None
    return None
