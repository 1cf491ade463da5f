"""Batches of rows on their way into the log: checked, made plain, packed as MessagePack.

Servers append, so this imports no polars.
A batch is a map from column to one value a row (lists, arrays or series of one
length). Instants of the log's own become integer microseconds; a feature is nil, a
boolean, a number, text or an instant, so that whatever was accepted can be sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any

import msgspec

from solvent.foundation.clock import to_micros
from solvent.foundation.errors import nearest
from solvent.store.log.errors import BadBatch
from solvent.store.log.frames import MAX_PAYLOAD

PREDICTIONS, OUTCOMES = "predictions", "outcomes"
FEATURE = "f_"

Batch = Mapping[str, Any]  # column name → list, tuple, numpy array or polars series
_Reader = Callable[[str, list[Any]], list[Any]]

_PLAIN = {NoneType, bool, int, float, str}
_NUMBERS = {NoneType, float, int}
_encoder = msgspec.msgpack.Encoder()


def encode(kind: str, batch: Batch) -> tuple[int, bytes]:
    """A batch as a frame's payload.

    Returns: rows, payload; a column that the kind lacks here but knows is left out and reads as null.
    Raises: BadBatch, naming column and row.
    """
    readers = _COLUMNS[kind]
    lists = {name: _as_list(name, values) for name, values in batch.items()}
    _check_shape(kind, lists)
    columns = {name: readers.get(name, _features)(name, values) for name, values in lists.items()}
    try:
        payload = _encoder.encode(columns)
    except (OverflowError, UnicodeEncodeError) as error:
        raise BadBatch(
            f"a value cannot be kept: {error}", next="integers have at most 64 bits, text is Unicode"
        ) from error
    if len(payload) > MAX_PAYLOAD:
        raise BadBatch(f"a batch of {len(payload):,} bytes is too large to log", next="send fewer rows at once")
    return len(lists["prediction_id"]), payload


def decode(payload: bytes) -> dict[str, list[Any]]:
    """The inverse of `encode`, with instants as microseconds."""
    columns: dict[str, list[Any]] = msgspec.msgpack.decode(payload)
    return columns


def _check_shape(kind: str, lists: dict[str, list[Any]]) -> None:
    readers = _COLUMNS[kind]
    for name in _REQUIRED[kind]:
        if name not in lists:
            raise BadBatch(f"{kind} without the column `{name}`", next=f"columns given: {', '.join(lists) or 'none'}")
    rows = len(lists["prediction_id"])
    for name, values in lists.items():
        if name not in readers and not (kind == PREDICTIONS and name.startswith(FEATURE)):
            known = [*readers, FEATURE + name] if kind == PREDICTIONS else list(readers)
            raise BadBatch(f"{kind} have no column `{name}`", next=nearest(name, known, f"known: {', '.join(readers)}"))
        if len(values) != rows:
            raise BadBatch(
                f"column `{name}` has {len(values)} rows, `prediction_id` has {rows}", next="send one value a row"
            )


def _as_list(name: str, values: Any) -> list[Any]:
    if type(values) is list:
        return values
    for method in ("tolist", "to_list"):  # numpy, polars: their scalars come out as Python's
        if hasattr(values, method):
            return list(getattr(values, method)())
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise BadBatch(f"column `{name}` is a {type(values).__name__}", next="send a list with one value a row")
    return list(values)


def _texts(name: str, values: list[Any]) -> list[Any]:
    return _only(name, values, {str}, "text")


def _texts_or_null(name: str, values: list[Any]) -> list[Any]:
    return _only(name, values, {str, NoneType}, "text or null")


def _instants(name: str, values: list[Any]) -> list[Any]:
    try:
        return [to_micros(value) for value in values]
    except (AttributeError, TypeError):
        row = next(row for row, value in enumerate(values) if not isinstance(value, datetime))
        raise _refused(name, row, values[row], "an instant (datetime)") from None


def _versions(name: str, values: list[Any]) -> list[Any]:
    return _int32(name, _only(name, values, {int}, "a whole number"))


def _revisions(name: str, values: list[Any]) -> list[Any]:
    return _int32(name, _only(name, values, {int, NoneType}, "a whole number or null"))


def _int32(name: str, values: list[Any]) -> list[Any]:
    for row, value in enumerate(values):
        if value is not None and not 0 <= value < 1 << 31:
            raise _refused(name, row, value, "a whole number from 0 to 2,147,483,647")
    return values


def _numbers(name: str, values: list[Any]) -> list[Any]:
    if set(map(type, values)) <= _NUMBERS:
        return values
    plain = [float(value) if isinstance(value, bool) else value for value in map(_scalar, values)]
    return _only(name, plain, _NUMBERS, "a number or null")


def _lists_of(item: _Reader) -> _Reader:
    def read(name: str, values: list[Any]) -> list[Any]:
        return [None if value is None else item(name, _as_list(name, value)) for value in values]

    return read


def _features(name: str, values: list[Any]) -> list[Any]:
    if set(map(type, values)) <= _PLAIN:
        return values
    return [_plain(name, row, value) for row, value in enumerate(values)]


def _plain(name: str, row: int, value: Any) -> Any:
    """A feature's value as what MessagePack and Parquet both hold."""
    value = _scalar(value)
    if type(value) in _PLAIN:
        return value
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise _refused(name, row, value, "null, a boolean, a number, text or an instant")


def _scalar(value: Any) -> Any:
    """numpy's scalars and arrays as Python's values."""
    return value.tolist() if hasattr(value, "tolist") else value


def _only(name: str, values: list[Any], types: set[type], words: str) -> list[Any]:
    if set(map(type, values)) <= types:
        return values
    plain = [_scalar(value) for value in values]
    for row, value in enumerate(plain):
        if type(value) not in types:
            raise _refused(name, row, value, words)
    return plain


def _refused(name: str, row: int, value: Any, words: str) -> BadBatch:
    return BadBatch(
        f"column `{name}`, row {row}: a {type(value).__name__} is not {words}", next="mend the value and send again"
    )


_COLUMNS: dict[str, dict[str, _Reader]] = {
    PREDICTIONS: {
        "prediction_id": _texts,
        "request_id": _texts_or_null,
        "event_time": _instants,
        "answered_at": _instants,
        "version": _versions,
        "output": _numbers,
        "output_classes": _lists_of(_numbers),
        "flags": _lists_of(_texts),
    },
    OUTCOMES: {
        "prediction_id": _texts,
        "label": _numbers,
        "happened_at": _instants,
        "known_at": _instants,
        "recorded_at": _instants,
        "revision": _revisions,
    },
}
_REQUIRED = {
    PREDICTIONS: ("prediction_id", "event_time", "answered_at", "version", "output"),
    OUTCOMES: ("prediction_id", "label", "happened_at", "known_at", "recorded_at"),
}
