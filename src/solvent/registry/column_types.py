"""Column types as text: what a signature keeps, and the way back.

The text is polars' own (`Float64`, `Datetime(time_unit='us', time_zone='UTC')`,
`Enum(categories=['a', 'b'])`); it is parsed as a literal, never evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import polars as pl

from solvent.foundation.errors import UsageError

PLAIN: tuple[type[pl.DataType], ...] = (
    pl.Boolean,
    pl.Int8,
    pl.Int16,
    pl.Int32,
    pl.Int64,
    pl.UInt8,
    pl.UInt16,
    pl.UInt32,
    pl.UInt64,
    pl.Float32,
    pl.Float64,
    pl.String,
    pl.Categorical,
    pl.Date,
    pl.Time,
)
_PLAIN = {dtype.__name__: dtype for dtype in PLAIN}
_WITH_ARGUMENTS: dict[str, Callable[..., pl.DataType]] = {
    "Datetime": pl.Datetime,
    "Duration": pl.Duration,
    "Enum": pl.Enum,
}


class UnknownType(UsageError):
    code = "unknown-type"

    def __init__(self, text: str) -> None:
        super().__init__(f"`{text}` is no column type that a model can take", next="cast the column to a plain type")


def type_text(dtype: pl.DataType) -> str:
    """The text of a type; raises UnknownType for nested and opaque ones.

    >>> type_text(pl.Int64())
    'Int64'
    """
    text = str(dtype)
    parse_type(text)
    return text


def parse_type(text: str) -> pl.DataType:
    """The inverse of `type_text`. Raises: UnknownType.

    >>> parse_type("Enum(categories=['a'])")
    Enum(categories=['a'])
    """
    try:
        node = ast.parse(text, mode="eval").body
        if isinstance(node, ast.Name):
            return _PLAIN[node.id]()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
            arguments = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}
            return _WITH_ARGUMENTS[node.func.id](**arguments)
    except (SyntaxError, ValueError, KeyError, TypeError):
        raise UnknownType(text) from None
    raise UnknownType(text)
