"""Reading a remote through: bit rot there is found, named, and mended by whoever has the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from solvent.data.sharing.push import DATASETS, RUNS, Progress
from solvent.foundation.errors import SolventError
from solvent.lineage.digests import Digest, canonical, digest_of
from solvent.store.facts.exchange import dataset_documents
from solvent.store.objects import Corrupt, Missing, is_digest
from solvent.store.remotes.errors import CorruptOnRemote
from solvent.store.remotes.parallel import again, each
from solvent.store.remotes.protocol import Remote
from solvent.store.remotes.transfer import (
    OBJECTS,
    documents,
    receive_document,
    send_document,
    send_object,
    verify_object,
)

if TYPE_CHECKING:
    from solvent.store import Store


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was read. damaged: names of what is not as it was sent; repaired: what was, and was sent again."""

    objects: int
    documents: int
    damaged: list[str]
    repaired: list[str]


def check(store: Store, remote: Remote, *, repair: bool = False, progress: Progress | None = None) -> Checked:
    """Compare every object and document of a remote with its name, reading all bytes once.

    repair: send what is damaged again where this store has it whole. Raises: Unreachable and its like.
    """
    names = again(lambda: [stored.name for stored in remote.list(OBJECTS)], remote.url)
    digests = [Digest(digest) for name in names if is_digest(digest := name.rpartition("/")[2])]
    damaged: list[str] = []
    repaired: list[str] = []
    size = 0
    for done, (digest, found) in enumerate(each(lambda digest: (digest, _look(remote, digest)), digests), 1):
        if isinstance(found, int):
            size += found
        elif repair and _sent(store, remote, digest):
            repaired.append(digest)
        else:
            damaged.append(found.what)
        if progress is not None:
            progress(done, size)
    papers = [name for folder in (DATASETS, RUNS) for name in documents(remote, folder)]
    for name, said in each(lambda name: (name, _read(remote, name)), papers):
        if said and repair and _written(store, remote, name):
            repaired.append(name)
        elif said:
            damaged.append(said)
    return Checked(objects=len(digests), documents=len(papers), damaged=damaged, repaired=repaired)


def _look(remote: Remote, digest: Digest) -> int | SolventError:
    """Bytes of a whole object, or what is wrong with it."""
    try:
        return verify_object(remote, digest)
    except CorruptOnRemote as error:
        return error


def _sent(store: Store, remote: Remote, digest: Digest) -> bool:
    """Whether this store has the object whole, and sent it."""
    try:
        store.objects.verify(digest)
    except (Missing, Corrupt):
        return False
    send_object(remote, store.objects, digest)
    return True


def _read(remote: Remote, name: str) -> str:
    """What is wrong with a document; empty where nothing is."""
    try:
        receive_document(remote, name)
    except CorruptOnRemote as error:
        return error.what
    return ""


def _written(store: Store, remote: Remote, name: str) -> bool:
    """Whether this store's facts give the same document, and it was sent."""
    folder, _, rest = name.partition("/")
    key = rest.rpartition("-")[0]
    if folder == DATASETS:
        found = dataset_documents(store.facts, store.facts.artifacts(store.facts.dataset_artifacts()))
        texts = [canonical(document) for document in found]
    else:
        texts = [canonical(store.facts.export_runs(key))] if store.facts.known_runs([key]) else []
    same = [text for text in texts if name.endswith(digest_of(text))]
    if same:
        send_document(remote, folder, key, same[0])
    return bool(same)
