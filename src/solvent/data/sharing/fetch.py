"""Fetching: facts from documents, then the objects that are wanted now.

What only facts speak of stays on the remote until someone needs it, so a second clone
is at work after a few documents. Many small objects are received together and stored
with one sync; large ones go straight to the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from solvent.data.sharing.needs import Need, needs_of, needs_of_artifact
from solvent.data.sharing.push import DATASETS, RUNS, Progress
from solvent.data.versions.tree import FolderEntry, decode
from solvent.lineage.digests import Digest, canonical, digest_of
from solvent.store.facts.exchange import DatasetDocument, RunsDocument, dataset_documents, read_document
from solvent.store.lent import note_lent
from solvent.store.remotes.errors import NotOnRemote
from solvent.store.remotes.parallel import each
from solvent.store.remotes.protocol import Remote
from solvent.store.remotes.transfer import documents, read_object, receive_document, receive_object

if TYPE_CHECKING:
    from solvent.store import Store

SMALL = 1 << 20  # bytes up to which an object is received into memory
TOGETHER = 32 << 20  # bytes of small objects that are stored with one sync
MOST_TOGETHER = 1024  # objects


class Wanted(NamedTuple):
    """A dataset that is wanted here. digest: of its file, or of its topmost tree; size: bytes, where it is known."""

    digest: Digest
    size: int | None
    tree: bool


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What came. present: objects that were here already; absent: digests that the remote lacks, too."""

    objects: int
    bytes: int
    present: int
    runs: int
    datasets: int
    absent: list[Digest]


class _Came(NamedTuple):
    """What became of a need. size: bytes, None where the remote has none; data: what is still to be stored."""

    need: Need
    size: int | None
    data: bytes | None = None


def fetch(
    store: Store,
    remote: Remote,
    wanted: Iterable[Wanted],
    *,
    everything: bool = False,
    progress: Progress | None = None,
) -> Fetched:
    """Take in all facts that the remote has and this store lacks, and the objects of the wanted datasets.

    everything: the outputs of all finished runs and all dataset versions, too.
    Every object is compared with its name before it is stored. Repeated after an
    interruption, it goes on. Raises: Unreachable, CorruptOnRemote and their like.
    """
    with store.session():
        runs, datasets = _take_runs(store, remote), _take_datasets(store, remote)
        work = _Objects(store, remote, progress)
        work.receive(need for dataset in wanted for need in work.of_dataset(dataset))
        if everything:
            work.receive(_everything(store))
        return Fetched(
            objects=work.objects, bytes=work.bytes, present=work.present, absent=work.absent,
            runs=runs, datasets=datasets,
        )  # fmt: skip


def receive(store: Store, remote: Remote, wanted: Iterable[Wanted]) -> None:
    """The objects of datasets, and no facts. Raises: Unreachable, CorruptOnRemote and their like."""
    with store.session():
        work = _Objects(store, remote, None)
        work.receive(need for dataset in wanted for need in work.of_dataset(dataset))


def _take_runs(store: Store, remote: Remote) -> int:
    """Record the runs that are new here, oldest first, so that a run finds those whose outputs it took."""
    by_key = {name.partition("/")[2].partition("-")[0]: name for name in documents(remote, RUNS)}
    known = store.facts.known_runs(by_key)
    new = [name for key, name in sorted(by_key.items()) if key not in known]
    count = 0
    for data in each(lambda name: receive_document(remote, name), new):
        document: RunsDocument = read_document(data, RunsDocument)
        count += store.facts.import_runs(document)
        made = (artifact for run in document.runs if run.end for artifact in run.end.outputs.values())
        note_lent(store.root, (artifact.digest for artifact in made))
    return count


def _take_datasets(store: Store, remote: Remote) -> int:
    facts = store.facts
    ours = dataset_documents(facts, facts.artifacts(facts.dataset_artifacts()))
    known = {f"{DATASETS}/{digest_of(canonical(document))}" for document in ours}
    new = [name for name in documents(remote, DATASETS) if name not in known]
    found: list[DatasetDocument] = [
        read_document(data, DatasetDocument) for data in each(lambda name: receive_document(remote, name), new)
    ]
    return sum(map(facts.import_dataset, sorted(found, key=lambda document: document.version.at)))


def _everything(store: Store) -> Iterator[Need]:
    """What all finished runs and dataset versions need; trees are read on the way, and fetched where they must be."""
    facts, read = store.facts, store.objects.read
    for artifact in facts.artifacts(facts.dataset_artifacts()).values():
        yield from needs_of_artifact(artifact, read)
    for key in facts.finished_groups():
        yield from needs_of(facts.export_runs(key), read)


class _Objects:
    """Receives objects and counts them."""

    def __init__(self, store: Store, remote: Remote, progress: Progress | None) -> None:
        self.store = store
        self.remote = remote
        self.progress = progress
        self.objects = self.bytes = self.present = 0
        self.absent: list[Digest] = []

    def of_dataset(self, dataset: Wanted) -> Iterator[Need]:
        """The file, or the files of a tree; a tree's folders are received on the way, level by level."""
        if not dataset.tree:
            yield Need(dataset.digest, dataset.size)
            return
        level, seen = [dataset.digest], {dataset.digest}
        while level:
            self.receive(Need(digest, None, small=True) for digest in level)
            below: list[Digest] = []
            for entries in each(lambda digest: decode(self.store.objects.read(digest)), level):
                for entry in entries:
                    if not isinstance(entry, FolderEntry):
                        yield Need(entry.digest, entry.size)
                    elif entry.digest not in seen:
                        seen.add(entry.digest)
                        below.append(entry.digest)
            level = below

    def receive(self, needs: Iterable[Need]) -> None:
        """Receive what is not here. What the remote lacks is noted and holds nothing up."""
        small: list[bytes] = []
        held = 0
        for came in each(self._one, self._missing(needs)):
            self._count(came)
            if came.data is not None:
                small.append(came.data)
                held += came.size or 0
            if held >= TOGETHER or len(small) >= MOST_TOGETHER:
                self.store.objects.put_many(small)
                small, held = [], 0
        self.store.objects.put_many(small)

    def _missing(self, needs: Iterable[Need]) -> Iterator[Need]:
        seen: set[bytes] = set()
        for need in needs:
            size = self.store.objects.hold(need.digest)
            if size is not None and need.size in (None, size):
                self.present += 1
            elif (key := bytes.fromhex(need.digest)) not in seen:
                seen.add(key)
                yield need

    def _one(self, need: Need) -> _Came:
        try:
            if need.small or (need.size is not None and need.size <= SMALL):
                data = read_object(self.remote, need.digest)
                return _Came(need, len(data), data)
            receive_object(self.remote, self.store.objects, need.digest)
        except NotOnRemote:
            return _Came(need, None)
        return _Came(need, self.store.objects.size(need.digest) or 0)

    def _count(self, came: _Came) -> None:
        if came.size is None:
            self.absent += [came.need.digest] if came.need.vital else []
            return
        self.objects += 1
        self.bytes += came.size
        if self.progress is not None:
            self.progress(self.objects + self.present, self.bytes)
