"""A checkout whose missing and damaged blobs are fetched first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solvent.data.sharing.fetch import Wanted, receive
from solvent.data.versions.checkout import CheckedOut, checkout
from solvent.data.versions.naming import Dataset
from solvent.lineage.digests import Digest
from solvent.store.bulk import Link
from solvent.store.objects import Corrupt, Missing

if TYPE_CHECKING:
    from solvent.store import Store


def bring(dataset: Dataset, target: Digest, store: Store, *, force: bool = False, link: Link = "copy") -> CheckedOut:
    """Check out a version; what the store lacks comes from the remote, where there is one, all at once.

    Raises: as `checkout`, and Unreachable, CorruptOnRemote and their like.
    """
    healed: set[Digest] = set()
    fetched = False
    while True:
        try:
            return checkout(dataset, target, store, force=force, link=link)
        except Missing:
            if fetched or store.lender is None:
                raise
            remote = store.lender.remote()
            receive(store, remote, [Wanted(target, None, dataset.kind != "file")])
            fetched = True
        except Corrupt as error:
            if error.digest in healed:
                raise
            store.objects.checked_path(error.digest)
            healed.add(error.digest)
