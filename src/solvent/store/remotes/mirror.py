"""What a remote holds, asked for as seldom as possible.

The first few objects are asked for one by one. Whoever asks for more gets the whole
list, fetched once, folder by folder: 256 requests instead of one for each object.
"""

from __future__ import annotations

import threading

from solvent.lineage.digests import Digest
from solvent.store.objects import is_digest
from solvent.store.remotes.parallel import again, each
from solvent.store.remotes.protocol import Remote
from solvent.store.remotes.transfer import OBJECTS, object_name

ONE_BY_ONE = 32  # objects


class Mirror:
    """Sizes of a remote's objects as they were when first asked for; many threads may ask."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self._sizes: dict[bytes, int | None] = {}  # by the digest's 32 bytes: there may be a million
        self._listed = False
        self._lock = threading.Lock()

    def size(self, digest: Digest) -> int | None:
        """Bytes of an object on the remote, None where it has none. Raises: Unreachable and its like."""
        key = bytes.fromhex(digest)
        with self._lock:
            if key not in self._sizes and not self._listed:
                if len(self._sizes) >= ONE_BY_ONE:
                    self._list()
                else:
                    name = object_name(digest)
                    self._sizes[key] = again(lambda: self.remote.size(name), self.remote.url)
            return self._sizes.get(key)

    def sent(self, digest: Digest, size: int) -> None:
        """An object is there from now on."""
        with self._lock:
            self._sizes[bytes.fromhex(digest)] = size

    def _list(self) -> None:
        for found in each(self._folder, [f"{OBJECTS}/{number:02x}" for number in range(256)]):
            self._sizes.update(found)
        self._listed = True

    def _folder(self, folder: str) -> dict[bytes, int]:
        def look() -> dict[bytes, int]:
            found = ((stored.name.rpartition("/")[2], stored.size) for stored in self.remote.list(folder))
            return {bytes.fromhex(name): size for name, size in found if is_digest(name)}

        return again(look, self.remote.url)
