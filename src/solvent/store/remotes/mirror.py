"""What a remote holds, asked for as seldom as possible.

The first few objects are asked for one by one. Whoever asks for more gets the whole
list, fetched once, folder by folder: 256 requests instead of one for each object.
"""

from __future__ import annotations

import threading

from solvent.lineage.digests import Digest
from solvent.store.remotes.parallel import again, each
from solvent.store.remotes.protocol import Remote
from solvent.store.remotes.transfer import OBJECTS, object_name

ONE_BY_ONE = 32  # objects


class Mirror:
    """Sizes of a remote's objects as they were when first asked for; many threads may ask."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self._sizes: dict[str, int | None] = {}
        self._listed = False
        self._lock = threading.Lock()

    def size(self, digest: Digest) -> int | None:
        """Bytes of an object on the remote, None where it has none. Raises: Unreachable and its like."""
        with self._lock:
            name = object_name(digest)
            if name in self._sizes or self._listed:
                return self._sizes.get(name)
            if len(self._sizes) >= ONE_BY_ONE:
                self.list()
                return self._sizes.get(name)
            self._sizes[name] = again(lambda: self.remote.size(name), self.remote.url)
            return self._sizes[name]

    def list(self) -> dict[str, int | None]:
        """All objects by name."""
        if not self._listed:
            for found in each(self._folder, [f"{OBJECTS}/{number:02x}" for number in range(256)]):
                self._sizes.update(found)
            self._listed = True
        return self._sizes

    def sent(self, digest: Digest, size: int) -> None:
        """An object is there from now on."""
        with self._lock:
            self._sizes[object_name(digest)] = size

    def _folder(self, folder: str) -> dict[str, int]:
        return again(lambda: {stored.name: stored.size for stored in self.remote.list(folder)}, self.remote.url)
