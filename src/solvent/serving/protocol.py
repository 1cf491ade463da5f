"""Bodies of requests as columns: the input forms of MLflow's and SageMaker's scoring contracts.

One of: `{"dataframe_split": {"columns": […], "data": [[…], …]}}`,
`{"dataframe_records": [{…}, …]}`, `{"instances": [{…}, …]}` (the same),
`{"inputs": {"column": […], …}}`. Cells are numbers, text, booleans or null: the
decoder is typed, so nothing nested is ever built, however deep a body is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from solvent.serving.errors import BadRequest, TooLarge

Cell = bool | int | float | str | None
Columns = dict[str, Sequence[Cell]]

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
MAX_ROWS = 50_000
MAX_COLUMNS = 5_000


class Split(msgspec.Struct):
    """pandas' `to_dict(orient="split")`; its index carries nothing."""

    columns: list[str]
    data: list[list[Cell]]
    index: msgspec.Raw = msgspec.Raw(b"null")


class Body(msgspec.Struct, forbid_unknown_fields=True):
    dataframe_split: Split | None = None
    dataframe_records: list[dict[str, Cell]] | None = None
    instances: list[dict[str, Cell]] | None = None
    inputs: dict[str, list[Cell]] | None = None


class OutcomeRow(msgspec.Struct, forbid_unknown_fields=True):
    """One label that became known. Times are ISO 8601; without them, they are now."""

    prediction_id: str | int
    label: Cell
    happened_at: str | None = None
    known_at: str | None = None


class OutcomeBody(msgspec.Struct, forbid_unknown_fields=True):
    outcomes: list[OutcomeRow]


_body = msgspec.json.Decoder(Body)
_outcomes = msgspec.json.Decoder(OutcomeBody)
_outcome_list = msgspec.json.Decoder(list[OutcomeRow])


def decode_rows(body: bytes) -> tuple[Columns, int]:
    """Columns by name, and how many rows they have.

    Raises: BadRequest for what is no JSON, no known form, or ragged; TooLarge.
    """
    parsed = _decode(_body, body, f"send one of {', '.join(FORMS)}")
    given = [form for form in FORMS if getattr(parsed, form) is not None]
    if len(given) != 1:
        raise BadRequest(
            f"the body holds {'none' if not given else 'more than one'} of the input forms",
            next=f"send exactly one of {', '.join(FORMS)}",
        )
    value = getattr(parsed, given[0])
    if isinstance(value, Split):
        columns, rows = _from_split(value)
    elif isinstance(value, dict):
        columns, rows = _from_columns(value)
    else:
        columns, rows = _from_records(value, given[0])
    if rows == 0:
        raise BadRequest("the body holds no rows", where=given[0])
    if rows > MAX_ROWS or len(columns) > MAX_COLUMNS:
        raise TooLarge(
            f"{rows} rows of {len(columns)} columns are more than an endpoint takes at once",
            next=f"send at most {MAX_ROWS} rows, or use `solvent score`",
        )
    return columns, rows


def decode_outcomes(body: bytes) -> list[OutcomeRow]:
    """The outcomes of a body: a list, or `{"outcomes": [...]}`. Raises: BadRequest, TooLarge."""
    plain = body.lstrip()[:1] == b"["
    shape = 'send [{"prediction_id": …, "label": …}, …]'
    rows: list[OutcomeRow] = _decode(_outcome_list, body, shape) if plain else _decode(_outcomes, body, shape).outcomes
    if len(rows) > MAX_ROWS:
        raise TooLarge(f"{len(rows)} outcomes at once", next=f"send at most {MAX_ROWS}, or use `solvent log outcomes`")
    return rows


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes, hint: str) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        raise BadRequest(what, where=place.strip("`").removeprefix("$."), next=hint) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(str(error), next=hint) from None
    except RecursionError:
        raise BadRequest("the body is nested too deeply", next=hint) from None


def _from_split(split: Split) -> tuple[Columns, int]:
    names, data = split.columns, split.data
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRequest(f"column `{twice}` is given twice", where="dataframe_split.columns")
    for row, cells in enumerate(data):
        if len(cells) != len(names):
            raise BadRequest(
                f"row {row} has {len(cells)} values for {len(names)} columns", where=f"dataframe_split.data[{row}]"
            )
    columns = list(zip(*data, strict=True)) if data else [()] * len(names)
    return dict(zip(names, columns, strict=True)), len(data)


def _from_records(records: list[dict[str, Cell]], form: str) -> tuple[Columns, int]:
    names = list(dict.fromkeys(name for record in records for name in record))
    for row, record in enumerate(records):
        if len(record) != len(names):
            lacking = next(name for name in names if name not in record)
            raise BadRequest(
                f"row {row} lacks column `{lacking}`, which other rows have",
                where=f"{form}[{row}]",
                next="write null where a value is missing",
            )
    return {name: [record[name] for record in records] for name in names}, len(records)


def _from_columns(columns: dict[str, list[Cell]]) -> tuple[Columns, int]:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        longest = max(lengths, key=lambda name: lengths[name])
        shortest = min(lengths, key=lambda name: lengths[name])
        raise BadRequest(
            f"column `{longest}` has {lengths[longest]} values and `{shortest}` has {lengths[shortest]}", where="inputs"
        )
    return dict(columns), next(iter(lengths.values()), 0)
