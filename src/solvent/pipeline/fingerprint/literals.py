"""Strings of the code that may name a file of the project."""

from __future__ import annotations

import ast
import re

_FILE_NAME = re.compile(r"^[^\n\r\0]{0,240}[./][^\n\r\0]{0,240}$")
_DATA = re.compile(
    r"\.(json|jsonl|csv|tsv|parquet|pq|feather|arrow|txt|ya?ml|toml|ini|cfg|pkl|npy|npz|sql|xml|xlsx?|html)$"
)
_FOLDERS = re.compile(r"(^|_)(path|dir|folder|root|here|base|data)(_|$)", re.IGNORECASE)
_JOINING = frozenset({"join", "joinpath", "Path", "PurePath", "with_name"})
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}$")


def looks_like_path(text: str) -> bool:
    """Could it be a path? A dot or a slash, one line, not long."""
    return ("." in text or "/" in text) and len(text) <= 480 and _FILE_NAME.match(text) is not None


def may_appear(text: str) -> bool:
    """Would a file of this name be looked for, so that its appearance changes something?"""
    return _SUFFIX.search(text) is not None and " " not in text


def joined_path(node: ast.expr) -> str:
    """The literal end of `a / "b" / "c.json"`, `Path("b", "c.json")`, `join(HERE, "b", "c.json")`; '' for none."""
    parts: list[str] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        if not (isinstance(node.right, ast.Constant) and isinstance(node.right.value, str)):
            return ""
        parts.insert(0, node.right.value)
        node = node.left
    if isinstance(node, ast.Call):
        last = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if last in _JOINING:
            parts = [*_last_literals(node.args), *parts]
    return "/".join(parts).removeprefix("./")


def computed_name(node: ast.expr) -> bool:
    """Is this a file's name that is put together from parts of which one is not known?

    A folder that is a parameter came from somewhere that was seen; a literal or a constant one did not.
    """
    if isinstance(node, ast.JoinedStr):
        return _ends_like_data(node.values[-1]) if node.values else False
    if not isinstance(node, ast.BinOp) or joined_path(node):
        return False
    if isinstance(node.op, ast.Add):
        return _ends_like_data(node.right)
    if isinstance(node.op, ast.Mod):
        return _ends_like_data(node.left)
    first = node.left
    while isinstance(first, ast.BinOp):
        first = first.left
    if isinstance(first, ast.Call):
        name = first.func.attr if isinstance(first.func, ast.Attribute) else getattr(first.func, "id", "")
        return isinstance(node.op, ast.Div) and name in _JOINING and bool(_last_literals(first.args))
    return isinstance(node.op, ast.Div) and isinstance(first, ast.Name) and bool(_FOLDERS.search(first.id))


def _ends_like_data(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _DATA.search(node.value) is not None


def _last_literals(arguments: list[ast.expr]) -> list[str]:
    texts: list[str] = []
    for argument in reversed(arguments):
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            break
        texts.insert(0, argument.value)
    return texts
