"""Answers and errors as HTTP responses, each written at once."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from solvent.foundation.errors import Refusal, SolventError, UsageError
from solvent.serving.errors import BadRows, ServingError
from solvent.serving.scorer import Answer

_encode = msgspec.json.Encoder().encode
_SAFE = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


def reply(value: Any, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(_encode(value), status_code=status, media_type="application/json", headers=_SAFE)


def plain(text: str) -> Response:
    """Text for Prometheus."""
    return Response(text, media_type="text/plain; version=0.0.4", headers=_SAFE)


def failure(error: SolventError) -> Response:
    """An error as `{"error": {code, what, where, next}}`; broken rows add `rows`, one entry a cell."""
    document: dict[str, dict[str, Any]] = {"error": {**error.as_json()["error"]}}
    if isinstance(error, BadRows):
        document["error"]["rows"] = error.cells
    return reply(document, status_of(error))


def status_of(error: SolventError) -> int:
    """The HTTP status of an error: its own, else 400 for usage, 409 for a refusal, 500 for our fault."""
    if isinstance(error, ServingError):
        return error.status
    return 400 if isinstance(error, UsageError) else 409 if isinstance(error, Refusal) else 500


def answer_document(answer: Answer) -> dict[str, Any]:
    """What a caller is told.

    predictions: by row: the value, or the predicted class. Classifiers add `probabilities`:
    of the positive class (binary) or of every class in the order of `classes` (multiclass).
    flags: row → codes, for rows outside what the model was trained on.
    """
    outputs, signature = answer.outputs, answer.signature
    document: dict[str, Any] = {"predictions": outputs.predictions}
    if outputs.probabilities is not None and signature.positive is not None:
        document["probabilities"] = outputs.output.tolist()
        document["positive"] = signature.classes[signature.positive]
    elif outputs.probabilities is not None:
        document["probabilities"] = outputs.probabilities.tolist()
        document["classes"] = signature.classes
    return document | {
        "prediction_ids": answer.ids,
        "request_id": answer.request.id,
        "model": answer.version,
        "flags": {str(row): codes for row, codes in enumerate(answer.flags) if codes},
    }
