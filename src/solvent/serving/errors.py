"""What an endpoint refuses, each with its HTTP status.

ServingError               code, what, where, next; an HTTP status
├── BadRequest        400  the body is no request
├── WrongHost         403  Host or Origin is not one that this endpoint answers to
├── NoToken           401
├── TooLarge          413  body or row count above the limit
├── WrongType         415  not JSON
├── BadRows           422  a well-formed request whose rows the contract refuses
├── TooSlow           408  the body did not arrive in time
└── LogUnavailable    503  the prediction could not be logged, so it is not answered
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from solvent.foundation.errors import UsageError


class ServingError(UsageError):
    code = "bad-request"
    status: ClassVar[int] = 400


class BadRequest(ServingError):
    code = "bad-request"


class WrongHost(ServingError):
    code = "wrong-host"
    status = 403


class NoToken(ServingError):
    code = "no-token"
    status = 401


class TooLarge(ServingError):
    code = "too-large"
    status = 413


class WrongType(ServingError):
    code = "wrong-content-type"
    status = 415


class TooSlow(ServingError):
    code = "too-slow"
    status = 408


class LogUnavailable(ServingError):
    code = "log-unavailable"
    status = 503


class BadRows(ServingError):
    """Rows that cannot be answered; `rows` lists the first of the broken cells."""

    code = "contract"
    status = 422

    def __init__(self, cells: Sequence[BadCell], *, count: int = 0, next: str = "") -> None:
        first, more = cells[0], max(count, len(cells)) - 1
        super().__init__(f"{first.what}{f' ({more} more)' if more else ''}", where=first.place(), next=next)
        self.cells = cells


class BadCell(msgspec.Struct, frozen=True):
    """code: kebab-case; column, row: None where the fault is not of one column or one row (0-based)."""

    code: str
    column: str | None
    row: int | None
    what: str

    def place(self, offset: int = 0) -> str:
        """`row 3, column `temp``; offset: rows that came before these."""
        parts = [] if self.row is None else [f"row {self.row + offset}"]
        return ", ".join([*parts, *([f"column `{self.column}`"] if self.column else [])])
