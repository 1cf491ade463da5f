"""From requests to logged answers: check, predict in one batch, log in one write, answer.

Plain and synchronous; the endpoint and `solvent score` both stand on it. Nothing
is returned before the log has acknowledged it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from polars.exceptions import PolarsError

from solvent.foundation.clock import wall_clock
from solvent.foundation.errors import SolventError
from solvent.registry.frames import BadValue, MissingColumn
from solvent.registry.package import Outputs
from solvent.registry.signature import Signature
from solvent.serving.errors import BadCell, BadRows, LogUnavailable
from solvent.serving.rows import EventClock
from solvent.serving.served import Prepared, Request, ServedModel


class PredictionSink(Protocol):
    """The part of the prediction log that scoring writes to; returns once the rows are kept."""

    def append_predictions(self, model: str, batch: dict[str, list[Any]]) -> int: ...


@dataclass(frozen=True)
class Answer:
    """What one request is told; lists run by row. version, signature: of the model version that answered."""

    request: Request
    version: str
    signature: Signature
    ids: list[str]
    outputs: Outputs
    flags: list[list[str]]


class Scorer:
    """Scores batches of requests and logs them.

    sink: the prediction log; clock: bounds on event times; now: read once a batch, for `answered_at`.
    """

    def __init__(self, sink: PredictionSink, clock: EventClock, now: Callable[[], datetime] = wall_clock) -> None:
        self.sink = sink
        self.clock = clock
        self.now = now

    def score(self, served: ServedModel, requests: Sequence[Request]) -> list[Answer | SolventError]:
        """One answer or error per request, in order; a bad request fails alone.

        Returned answers are in the log. Where the log cannot take them, each is LogUnavailable.
        """
        checked = [self._check(served, request) for request in requests]
        answers = iter(self._answer(served, [item for item in checked if isinstance(item, Prepared)]))
        return [next(answers) if isinstance(item, Prepared) else item for item in checked]

    def _check(self, served: ServedModel, request: Request) -> Prepared | SolventError:
        try:
            return served.prepare(request, self.clock)
        except SolventError as error:
            return error

    def _answer(self, served: ServedModel, batch: list[Prepared]) -> list[Answer | SolventError]:
        if not batch:
            return []
        try:
            outputs, features = served.predict(batch)
        except (MissingColumn, BadValue, ValueError, TypeError, PolarsError) as error:
            if len(batch) > 1:  # each alone, to find out whose fault it is
                return [answer for prepared in batch for answer in self._answer(served, [prepared])]
            return [_refused(error)]
        try:
            self.sink.append_predictions(served.model.version.model, self._log_rows(served, batch, outputs) | features)
        except (OSError, SolventError) as error:
            return [LogUnavailable(f"the prediction log takes no rows: {error}") for _ in batch]
        return _split(served, batch, outputs)

    def _log_rows(self, served: ServedModel, batch: list[Prepared], outputs: Outputs) -> dict[str, list[Any]]:
        rows = len(outputs.predictions)
        shares = outputs.probabilities if served.signature.task == "multiclass" else None
        return {
            "prediction_id": [text for prepared in batch for text in prepared.ids],
            "request_id": [prepared.request.id for prepared in batch for _ in prepared.ids],
            "event_time": [instant for prepared in batch for instant in prepared.times],
            "answered_at": [self.now()] * rows,
            "version": [served.model.version.number] * rows,
            "output": outputs.output.tolist(),
            "output_classes": [None] * rows if shares is None else shares.tolist(),
            "flags": [codes for prepared in batch for codes in prepared.flags],
        }


def _split(served: ServedModel, batch: list[Prepared], outputs: Outputs) -> list[Answer | SolventError]:
    answers: list[Answer | SolventError] = []
    start = 0
    for prepared in batch:
        end = start + prepared.request.rows
        part = outputs.slice(start, end)
        answers.append(Answer(prepared.request, served.name, served.signature, prepared.ids, part, prepared.flags))
        start = end
    return answers


def _refused(error: Exception) -> BadRows:
    """The fault of one request alone, as something that its caller can act on."""
    if isinstance(error, BadValue):
        return BadRows([BadCell(error.code, error.column, error.row, error.what)])
    if isinstance(error, MissingColumn):
        return BadRows([BadCell(error.code, error.column, None, error.what)], next=error.next)
    return BadRows([BadCell("model", None, None, f"the model cannot answer these rows: {str(error)[:300]}")])
