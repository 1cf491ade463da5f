"""What a remote is: bytes by name. Everything else stands on these four calls.

Names are relative POSIX paths of plain characters: `objects/ab/abcd…`, `runs/KEY-DIGEST`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """Something on the remote. size: bytes."""

    name: str
    size: int


class Remote(Protocol):
    """Bytes by name; many threads may use one at once.

    All raise Interrupted where trying again may help, else a SolventError.
    """

    url: str

    def list(self, folder: str) -> Iterator[Stored]:
        """Everything below `folder/`, in no order."""

    def size(self, name: str) -> int | None:
        """Bytes under a name, None where there is nothing."""

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes in chunks of a few MiB at most. Raises: NotOnRemote."""

    def write(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        """Store `size` bytes under a name; they are seen whole or not at all.

        An error raised by `chunks` passes through and leaves nothing that can be seen.
        Returned: the backend has confirmed them.
        """

    def tidy(self) -> None:
        """Remove what writers that were killed long ago left half-written, as far as that can be told."""
