"""One loaded version as the endpoint uses it: requests checked against its contract, answered in batches."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl
from threadpoolctl import threadpool_limits

from solvent.data.contracts.rows import RowChecker, RowError
from solvent.foundation.clock import wall_clock
from solvent.foundation.ids import uuid7
from solvent.registry.column_types import parse_type
from solvent.registry.frames import MissingColumn, build_table
from solvent.registry.package import LoadedModel, Outputs, predict_table
from solvent.serving.errors import BadCell, BadRows
from solvent.serving.protocol import Columns
from solvent.serving.rows import EventClock, event_times, prediction_ids

SHOWN = 20  # errors of one request that are listed
WARM_ROWS = 200
INLINE_SECONDS = 0.01  # what may be done between two other requests' bytes


def one_thread() -> None:
    """Let the calling thread predict alone; the estimator's library must be loaded by then.

    For a few rows, waking OpenMP's team costs more than the work; on a busy machine, a hundred times more.
    """
    threadpool_limits(1)


@dataclass(frozen=True)
class Request:
    """Rows to answer, by column. arrived: what 'now' is for them."""

    columns: Columns
    rows: int
    arrived: datetime = field(default_factory=wall_clock)
    id: str = field(default_factory=uuid7)


@dataclass(frozen=True)
class Prepared:
    """A request that the contract lets through; lists run by row."""

    request: Request
    ids: list[str]
    times: list[datetime]
    flags: list[list[str]]


class ServedModel:
    """A loaded version with its contract made ready; immutable after construction.

    inline_rows: how many rows it answers within INLINE_SECONDS, as measured when it was loaded.
    """

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.signature = model.signature
        self.checker = RowChecker(model.contract) if model.contract else None
        self.features = list(model.schema)
        self._typed = {name for name, dtype in model.schema.items() if dtype.is_numeric()}
        types = {column.name: parse_type(column.type) for column in model.signature.hidden}
        self._hidden_numbers = {name: dtype for name, dtype in types.items() if dtype.is_numeric()}
        self.inline_rows = 0

    @property
    def name(self) -> str:
        return self.model.version.name

    def warm(self, row: Mapping[str, Any]) -> None:
        """Answer one row and many, so that the first caller does not pay for lazy imports, and learn the pace.

        row: values by feature. An estimator that refuses it is served from a thread until it is loaded anew.
        """
        try:
            alone, together = self._seconds(row, 1), self._seconds(row, WARM_ROWS)
        except (ValueError, TypeError):
            return
        each = max((together - alone) / (WARM_ROWS - 1), 1e-7)
        self.inline_rows = max(0, int((INLINE_SECONDS - alone) / each))

    def _seconds(self, row: Mapping[str, Any], rows: int) -> float:
        """Time that the estimator takes, the best of a few."""
        table = build_table({name: [row.get(name)] * rows for name in self.features}, self.model.schema)
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            predict_table(self.model.estimator, self.signature, table)
            seconds.append(time.perf_counter() - start)
        return min(seconds)

    def prepare(self, request: Request, clock: EventClock) -> Prepared:
        """Check one request. Raises: BadRows, with the cells that break the contract."""
        signature, columns = self.signature, request.columns
        flags = self._flags(request)
        ids = prediction_ids(signature.id, columns.get(signature.id or ""), request.id, request.rows)
        given = columns.get(signature.time or "")
        times, bounded = event_times(signature.time, given, request.arrived, request.rows, clock)
        for row in bounded:
            flags[row].append(f"clock:{signature.time}")
        return Prepared(request, ids, times, flags)

    def predict(self, batch: Sequence[Prepared]) -> tuple[Outputs, dict[str, list[Any]]]:
        """Answer a batch in one call of the estimator; also its features as the log keeps them.

        Numbers are logged as the model saw them; text as it was sent, so that a category
        which the model does not know is kept.
        Raises: MissingColumn, BadValue, and whatever the estimator raises.
        """
        requests = [prepared.request for prepared in batch]
        merged = {name: _joined(name, requests) for name in self.features}
        table = build_table(merged, self.model.schema)
        outputs = predict_table(self.model.estimator, self.signature, table)
        logged = {
            f"f_{name}": table[name].to_list() if name in self._typed else list(merged[name]) for name in self.features
        }
        return outputs, logged | self._extras(requests)

    def _flags(self, request: Request) -> list[list[str]]:
        if self.checker is None:
            return [[] for _ in range(request.rows)]
        extras = self.signature.extras
        columns = {name: values for name, values in request.columns.items() if name not in extras}
        check = self.checker.check(columns)
        if check.errors:
            raise _broken(check.errors)
        return check.flags

    def _extras(self, requests: Sequence[Request]) -> dict[str, list[Any]]:
        """Columns of the features table that the model does not use: logged where a caller sends them.

        Other models know those that are hidden from this one: of numbers, what is none is logged as missing.
        """
        present = [name for name in self.signature.extras if any(name in request.columns for request in requests)]
        given = {name: [v for r in requests for v in r.columns.get(name, [None] * r.rows)] for name in present}
        for name, dtype in self._hidden_numbers.items():
            if name in given:
                given[name] = pl.Series(given[name], dtype=dtype, strict=False).to_list()
        return {f"f_{name}": values for name, values in given.items()}


def _joined(name: str, requests: Sequence[Request]) -> Sequence[Any]:
    if len(requests) == 1:
        columns = requests[0].columns
        if name not in columns:
            raise MissingColumn(name, list(columns))
        return columns[name]
    return [value for request in requests for value in _joined(name, [request])]


def _broken(errors: Sequence[RowError]) -> BadRows:
    return BadRows([BadCell(e.code, e.column, e.row, e.what) for e in errors[:SHOWN]], count=len(errors))
