"""What can go wrong with the prediction log.

UsageError   BadBatch       columns that the log does not take
             NewerLog       a file of a later format
Unexpected   NotLogged      the disk refused a write; nothing of the batch counts as logged
             CorruptFrame   bytes changed after they were written
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from solvent.foundation.errors import Unexpected, UsageError


class BadBatch(UsageError):
    """A batch of rows that the log does not take; nothing of it was written."""

    code = "bad-batch"


class NewerLog(UsageError):
    """A log file written by a later Solvent."""

    code = "newer-log"

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"the file has log format {found}, this Solvent reads {known}",
            where=str(path),
            next="upgrade Solvent: `pip install -U solvent`",
        )


class NotLogged(Unexpected):
    """The disk refused a write, so the rows are not logged; the log itself is whole."""

    code = "not-logged"

    def __init__(self, kind: str, model: str, error: BaseException, place: Path) -> None:
        super().__init__(
            f"{kind} of `{model}` were not logged: {getattr(error, 'strerror', None) or repr(error)}",
            where=str(place),
            next="make room or mend the disk, then send them again",
        )


class CorruptFrame(Unexpected):
    """Bytes of a log file changed after they were written."""

    code = "corrupt-log"

    def __init__(self, path: Path, damage: Sequence[tuple[int, int]]) -> None:
        spans = ", ".join(f"{start}–{end}" for start, end in damage)
        super().__init__(
            f"corrupt at bytes {spans}",
            where=str(path),
            next="seal the log: every whole frame is kept and the damaged file is set aside; check the disk",
        )
        self.path = path
        self.damage = list(damage)
