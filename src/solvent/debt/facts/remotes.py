"""Data that is read from an address whose content may change under its name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from solvent.debt.facts.accesses import READS
from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.summary import Remote
from solvent.debt.facts.types import words

_MUTABLE = re.compile(
    r"^https?://(raw\.githubusercontent\.com/[^/]+/[^/]+/(refs/heads/)?(master|main|HEAD|dev|develop)/"
    r"|github\.com/[^/]+/[^/]+/(raw|blob)/(refs/heads/)?(master|main|HEAD|dev|develop)/"
    r"|huggingface\.co/.+/resolve/main/|gitlab\.com/.+/-/raw/(master|main)/|.*[/_.-]latest([/_.-]|$))",
    re.IGNORECASE,
)
_FETCHES = words("""
    urllib.request.urlretrieve urllib.request.urlopen urllib.urlretrieve wget.download requests.get httpx.get
    tensorflow.keras.utils.get_file keras.utils.get_file torch.hub.load_state_dict_from_url
    torch.hub.download_url_to_file torchvision.datasets.utils.download_url gdown.download
""") | {name for name in READS if name.startswith(("pandas.", "polars.", "geopandas."))}
_LIVE = re.compile(r"\.json$")  # lists and settings that a program wants as they are today
_CHECKED = re.compile(r"md5|sha1|sha256|sha512|hashlib|checksum|known_hash|file_hash|digest", re.IGNORECASE)
_ADDRESSES = words("url filepath_or_buffer origin io source")


def remotes(file: FileFacts) -> Iterator[Remote]:
    """Calls that fetch such an address and check nothing of what comes."""
    for call in file.nodes(ast.Call):
        if file.resolve(call.func) not in _FETCHES:
            continue
        addresses = [*call.args, *(one.value for one in call.keywords if one.arg in _ADDRESSES)]
        for node in addresses[:3]:
            origin = _address(file, node)
            if origin is not None and not _LIVE.search(str(origin.value)) and not _CHECKED.search(_around(file, call)):
                yield Remote(call.lineno, origin.lineno, str(origin.value), ast.unparse(call))
                break


def _address(file: FileFacts, node: ast.expr, depth: int = 4) -> ast.Constant | None:
    """The literal that makes an address a mutable one."""
    if depth == 0:
        return None
    if isinstance(node, ast.Constant):
        return node if isinstance(node.value, str) and _MUTABLE.match(node.value) else None
    if (
        isinstance(node, ast.Name)
        and (found := file.binding(node))
        and len(found[1]) == 1
        and found[1][0].kind == "assign"
    ):
        value = found[1][0].value
        return _address(file, value, depth - 1) if value is not None else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _address(file, node.left, depth - 1)
    if isinstance(node, ast.JoinedStr) and node.values:
        first = node.values[0]
        return _address(file, first.value if isinstance(first, ast.FormattedValue) else first, depth - 1)
    return None


def _around(file: FileFacts, call: ast.Call) -> str:
    """Text of the function around a call, or of its statement at the top level."""
    for above in file.parents(call):
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef):
            return ast.unparse(above)
    statement = file.statement(call)
    return ast.unparse(statement) if statement is not None else ""
