"""Single objects from a remote, when someone needs one that is not here."""

from __future__ import annotations

from collections.abc import Callable

from solvent.foundation.errors import SolventError
from solvent.lineage.digests import Digest
from solvent.store.objects import ObjectStore
from solvent.store.remotes.errors import NotOnRemote
from solvent.store.remotes.mirror import Mirror
from solvent.store.remotes.protocol import Remote
from solvent.store.remotes.transfer import receive_object


class Lender:
    """Opens the remote when it is first needed. One that did not answer is not asked again by this process."""

    def __init__(self, opening: Callable[[], Remote]) -> None:
        self._opening = opening
        self._mirror: Mirror | None = None
        self._failed: SolventError | None = None

    def __call__(self, objects: ObjectStore, digest: Digest) -> bool:
        """Fetch an object into the store. Returns: whether the remote had it. Raises: Unreachable and its like."""
        try:
            receive_object(self._reached().remote, objects, digest)
        except NotOnRemote:
            return False
        except SolventError as error:
            self._failed = error
            raise
        return True

    def size(self, digest: Digest) -> int | None:
        """Bytes that the remote has under a digest; None where it has none or does not answer."""
        try:
            return self._reached().size(digest)
        except SolventError as error:
            self._failed = error
            return None

    def remote(self) -> Remote:
        """Where it fetches from. Raises: Unreachable and its like."""
        return self._reached().remote

    def _reached(self) -> Mirror:
        if self._failed is not None:
            raise self._failed
        if self._mirror is None:
            self._mirror = Mirror(self._opening())
        return self._mirror
