"""A remote in a folder: a mounted disk, a share of the network, a USB stick."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from solvent.store import disk
from solvent.store.remotes.errors import Interrupted, NotOnRemote, RemoteDenied, Unreachable
from solvent.store.remotes.protocol import Stored

CHUNK = 4 << 20  # bytes
LEFT_BEHIND = 86_400.0  # seconds after which a staged file has no writer any more
STAGING = "staging"
_AGAIN = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EINTR)  # what a share of the network says when it stumbles
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


class FolderRemote:
    """Files below `root`, written to `root/staging` first; network file systems are welcome here.

    The root is made by the first write; the folder that holds it must be there, or a disk is not mounted.
    """

    def __init__(self, root: Path, url: str) -> None:
        self.root = root
        self.url = url

    def list(self, folder: str) -> Iterator[Stored]:
        with self._told():
            self._needed()
            for place, _, names in os.walk(self.root / folder):
                for name in names:
                    path = Path(place, name)
                    yield Stored(path.relative_to(self.root).as_posix(), path.stat().st_size)

    def size(self, name: str) -> int | None:
        with self._told():
            self._needed()
            try:
                return (self.root / name).stat().st_size
            except FileNotFoundError:
                return None

    def read(self, name: str) -> Iterator[bytes]:
        with self._told():
            self._needed()
            try:
                file = (self.root / name).open("rb")
            except FileNotFoundError:
                raise NotOnRemote(name, self.url) from None
            with file:
                while chunk := file.read(CHUNK):
                    yield chunk

    def write(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        place, staged = self.root / name, self.root / STAGING / uuid4().hex
        with self._told():
            self._prepare(place.parent)
            try:
                written = _write(staged, chunks)
                if written != size:
                    raise Interrupted(f"{written} of {size} bytes of {name} arrived")
                disk.replace(staged, place)
            except BaseException:
                with suppress(OSError):  # the first error is the one to tell; `tidy` removes what stays
                    disk.unlink(staged)
                raise
            disk.sync_folder(place.parent)

    def tidy(self) -> None:
        """Remove what writers that were killed more than a day ago left in staging."""
        for left in (self.root / STAGING).glob("*"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > LEFT_BEHIND:
                    disk.unlink(left)

    def _prepare(self, folder: Path) -> None:
        self._needed()
        for needed in (self.root / STAGING, folder):
            if disk.make_folder(needed):
                disk.sync_folder(needed.parent)

    def _needed(self) -> None:
        if not self.root.parent.is_dir():
            raise Unreachable(self.url, f"there is no folder {self.root.parent}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _AGAIN:
                raise Interrupted(str(error)) from error
            if error.errno in _DENIED:
                place = str(error.filename or self.root)
                raise RemoteDenied(f"{error.strerror}: {place}", where=self.url, next="check its rights") from error
            raise


def _write(path: Path, chunks: Iterable[bytes]) -> int:
    """Write and sync a new read-only file. Returns: its bytes."""
    descriptor, written = disk.create(path), 0
    try:
        for chunk in chunks:
            disk.write(descriptor, chunk)
            written += len(chunk)
        os.fchmod(descriptor, 0o444)
        disk.sync(descriptor)
    finally:
        os.close(descriptor)
    return written
