"""Strings of the code that may name a file of the project."""

from __future__ import annotations

import ast
import re

_FILE_NAME = re.compile(r"^[^\n\r\0]{0,240}[./][^\n\r\0]{0,240}$")
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


def _last_literals(arguments: list[ast.expr]) -> list[str]:
    texts: list[str] = []
    for argument in reversed(arguments):
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            break
        texts.insert(0, argument.value)
    return texts
