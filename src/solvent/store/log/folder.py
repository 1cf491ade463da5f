"""Where log files lie, which of them still have a writer, and what they hold behind a given byte."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from solvent.store import disk
from solvent.store.log.frames import BrokenHeader, Frames, read_header, unpack

OPEN, DAMAGED = ".open", ".damaged"
_HEADER_LIMIT = 4096  # bytes; a header names a model, and names are shorter
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


@dataclass(frozen=True)
class LogFolder:
    """The folder of one kind and one model."""

    root: Path
    kind: str
    model: str

    @property
    def path(self) -> Path:
        return self.root / self.kind / folder_name(self.model)

    def files(self) -> list[Path]:
        """Log files, oldest first (their names are UUIDv7)."""
        return sorted(self.path.glob(f"*{OPEN}"))

    def damaged(self) -> list[Path]:
        """Files that were set aside."""
        return sorted(self.path.glob(f"*{DAMAGED}"))

    @contextmanager
    def opened(self) -> Iterator[list[LogFile]]:
        """All log files, opened: whatever is removed meanwhile can still be read."""
        with ExitStack() as stack:
            files = []
            for path in self.files():
                try:
                    files.append(LogFile(path, stack.enter_context(path.open("rb"))))
                except FileNotFoundError:  # sealed since it was listed, so its segment is known
                    continue
            yield files

    @contextmanager
    def sealing(self) -> Iterator[None]:
        """Wait for other sealers of this folder, then keep them out."""
        disk.make_folder(self.path)
        with (self.path / "seal.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True)
class LogFile:
    """An open log file."""

    path: Path
    file: IO[bytes]

    @property
    def id(self) -> str:
        return self.path.stem

    def abandoned(self) -> bool:
        """Whether it has no writer. If so, its lock is held until the file is closed."""
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def read(self, since: int) -> tuple[int, Frames]:
        """Whole frames from byte `since` on (0: from the first).

        Returns: the byte where reading began, frames.
        Raises: BrokenHeader, NewerLog.
        """
        self.file.seek(0)
        header = read_header(self.file.read(_HEADER_LIMIT), self.path)
        start = max(since, header.size)
        self.file.seek(start)
        return start, unpack(self.file.read(), header.mark, start)

    def read_if_begun(self, since: int) -> tuple[int, Frames]:
        """The same for a reader that changes nothing: a file whose header is still being written holds no rows."""
        try:
            return self.read(since)
        except BrokenHeader as error:
            if error.cut_short:
                return since, Frames([], since, [])
            raise


def folder_name(model: str) -> str:
    """A model's name as a folder's: percent-encoded, upper case too, since some file systems ignore case.

    >>> folder_name("bike-demand"), folder_name("../X")
    ('bike-demand', '%2e%2e%2f%58')
    """
    return "".join(char if char in _SAFE else "".join(f"%{byte:02x}" for byte in char.encode()) for char in model)


def models(root: Path, kind: str) -> list[str]:
    """Models that have a folder."""
    folder = root / kind
    return sorted(unquote(entry.name) for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
