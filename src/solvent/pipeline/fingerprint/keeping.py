"""Caches on disk that are replaced whole."""

from __future__ import annotations

import contextlib
from pathlib import Path

from solvent.foundation.ids import uuid7


def keep(place: Path, data: bytes) -> None:
    """Replace a cache's file.

    Where nothing can be written nothing is kept, which costs only time: the store, opened
    right after, says what is wrong with the folder.
    """
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        staged = place.with_suffix(f".{uuid7()}")
        staged.write_bytes(data)
        staged.replace(place)
