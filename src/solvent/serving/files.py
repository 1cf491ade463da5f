"""Score a file as the endpoint would: the same checks, the same log, and a table of the answers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from solvent.foundation.errors import SolventError, UsageError
from solvent.registry.references import resolve
from solvent.registry.signature import Signature
from solvent.serving.errors import BadRows
from solvent.serving.rows import EventClock
from solvent.serving.scorer import Answer, Scorer
from solvent.serving.served import Request, ServedModel
from solvent.serving.swap import load

if TYPE_CHECKING:
    from solvent.store import Store

CHUNK = 20_000  # rows


class BadFile(UsageError):
    code = "bad-file"


class ScoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was done. flags: contract code → rows."""

    model: str
    rows: int
    output: str
    flags: dict[str, int]


def score_file(
    store: Store, reference: str, path: Path, *, output: Path | None = None, clock: EventClock | None = None
) -> ScoreReport:
    """Answer the rows of a CSV or Parquet file, log them, and write them with their answers.

    output: default `NAME.scored.csv` (or `.parquet`) beside the file. Columns that are none of the
        model's pass through. All rows are checked before the first is logged.
    clock: bounds on event times; a file is the past, so by default any time is taken.
    Raises: BadFile, BadRows (naming file, row and column), and what `resolve` and `load_version` raise.
    """
    served = load(store, resolve(store, reference))
    scorer = Scorer(store.log, clock or EventClock(replay=True))
    table = read_table(path, served.signature)
    wanted = _wanted(served, table)
    _check_free(table, _answer_names(served.signature), path)
    _check_ids(served.signature.id, table, path)
    for start, request in _requests(table, wanted):
        _checked(scorer, served, request, path, start)
    answers = [_scored(scorer, served, request, path, start) for start, request in _requests(table, wanted)]
    target = output or path.with_name(f"{path.stem}.scored{path.suffix}")
    write_table(table.hstack(_answer_columns(answers, served.signature)), target)
    flags = Counter(code for answer in answers for codes in answer.flags for code in codes)
    return ScoreReport(model=served.name, rows=table.height, output=str(target), flags=dict(flags))


def read_table(path: Path, signature: Signature) -> pl.DataFrame:
    """A CSV or Parquet file; text columns of the model and its id stay text. Raises: BadFile."""
    types = signature.features | {column.name: column.type for column in signature.hidden}
    texts = [name for name, text in types.items() if text == "String" or text.startswith(("Enum", "Cat"))]
    known = [*texts, *([signature.id] if signature.id else [])]
    try:
        if path.suffix == ".parquet":
            table = pl.read_parquet(path)
        elif path.suffix in (".csv", ".txt"):
            table = pl.read_csv(path, infer_schema_length=None, schema_overrides=dict.fromkeys(known, pl.String))
        else:
            raise BadFile(f"`{path.name}` is neither CSV nor Parquet", next="write it as .csv or .parquet")
    except FileNotFoundError:
        raise BadFile(f"no file {path}") from None
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadFile(str(error).splitlines()[0], where=str(path)) from None
    if table.is_empty():
        raise BadFile("the file has no rows", where=str(path))
    return table.with_columns(_numbers(table[name], path) for name in _mixed(table, signature))


def _mixed(table: pl.DataFrame, signature: Signature) -> list[str]:
    """Columns that the model takes as numbers and the file gives as text."""
    numeric = [name for name, dtype in signature.schema().items() if dtype.is_numeric()]
    return [name for name in numeric if name in table.columns and table.schema[name] == pl.String]


def _numbers(series: pl.Series, path: Path) -> pl.Series:
    """Text as numbers, blanks as missing. Raises: BadFile for the first cell that is no number."""
    numbers = series.cast(pl.Float64, strict=False)
    wrong = numbers.is_null() & (series.str.strip_chars() != "")
    if wrong.any():
        row = wrong.arg_max() or 0
        raise BadFile(
            f"{series[row][:60]!r} is no number",
            where=f"{path.name}, row {row}, column `{series.name}`",
            next="mend the cell, or leave it blank where the value is missing",
        )
    return numbers


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a table as its suffix says, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix == ".parquet":
            table.write_parquet(partial)
        else:
            table.write_csv(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _wanted(served: ServedModel, table: pl.DataFrame) -> list[str]:
    signature = served.signature
    names = [signature.id, signature.time, *served.features, *signature.extras]
    return [name for name in dict.fromkeys(names) if name and name in table.columns]


def _requests(table: pl.DataFrame, wanted: list[str]) -> Iterator[tuple[int, Request]]:
    for start in range(0, table.height, CHUNK):
        part = table.slice(start, CHUNK)
        yield start, Request({name: part[name].to_list() for name in wanted}, part.height)


def _checked(scorer: Scorer, served: ServedModel, request: Request, path: Path, start: int) -> None:
    try:
        served.prepare(request, scorer.clock)
    except BadRows as error:
        raise _placed(error, path, start) from None


def _scored(scorer: Scorer, served: ServedModel, request: Request, path: Path, start: int) -> Answer:
    result = scorer.score(served, [request])[0]
    if isinstance(result, BadRows):
        raise _placed(result, path, start)
    if isinstance(result, SolventError):
        raise result
    return result


def _placed(error: BadRows, path: Path, start: int) -> BadRows:
    """The same error, placed in the file."""
    error.where = ", ".join(part for part in (path.name, error.cells[0].place(start)) if part)
    return error


def _check_ids(column: str | None, table: pl.DataFrame, path: Path) -> None:
    if column is None or column not in table.columns:
        return
    twice = table[column].is_duplicated()
    if twice.any():
        row = twice.arg_max() or 0
        raise BadFile(
            f"id `{table[column][row]}` stands on more than one row",
            where=f"{path.name}, row {row}, column `{column}`",
            next="an id names one case; keep one row of each",
        )


def _check_free(table: pl.DataFrame, names: list[str], path: Path) -> None:
    taken = [name for name in names if name in table.columns]
    if taken:
        raise BadFile(f"the file has a column `{taken[0]}` already", where=path.name, next="rename it")


def _answer_names(signature: Signature) -> list[str]:
    shown = [signature.classes[signature.positive]] if signature.positive is not None else signature.classes
    return ["prediction_id", "prediction", *(f"probability_{name}" for name in shown), "flags"]


def _answer_columns(answers: list[Answer], signature: Signature) -> list[pl.Series]:
    """The columns that `_answer_names` names; probabilities are null where a classifier only names a class."""
    shown = range(len(signature.classes)) if signature.positive is None else [signature.positive]
    columns: list[list[Any]] = [
        [text for answer in answers for text in answer.ids],
        [value for answer in answers for value in answer.outputs.predictions],
        *([share for answer in answers for share in _shares(answer, index)] for index in shown),
        [" ".join(codes) for answer in answers for codes in answer.flags],
    ]
    return [pl.Series(n, values, strict=False) for n, values in zip(_answer_names(signature), columns, strict=True)]


def _shares(answer: Answer, index: int) -> list[float | None]:
    shares = answer.outputs.probabilities
    return [None] * len(answer.ids) if shares is None else shares[:, index].tolist()
