"""A dataset's files into the store, folder by folder, each byte read once; what is known is not read at all.

The walk gives folders children first. Their unread files go in batches to the
store's helpers; answers come back in the same order, so a folder is complete when its
last answer is there, and its tree is made then. Memory holds the folders under way,
never the whole dataset.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from solvent.data.versions.naming import BadDataset, Dataset
from solvent.data.versions.statcache import Known, StatFile, StatWriter, cache_place
from solvent.data.versions.tree import Entry, FileEntry, FolderEntry, encode, summary
from solvent.data.versions.walking import Listing, names_as_bytes, walk
from solvent.lineage.digests import Digest
from solvent.store.bulk import Restless, Stamp

if TYPE_CHECKING:
    from solvent.store import Store
    from solvent.store.gathering import Gathering

BATCH = 512  # files
BATCH_BYTES = 32 << 20
UNDER_WAY = 20_000  # files of folders that wait for an answer


class Gathered:
    """A dataset's content, in the store.

    digest: of the file or the topmost tree; object_size: bytes of that object. size, files: of the whole.
    read: files that were read; stored: blobs that were new.
    """

    def __init__(self, writer: StatWriter) -> None:
        self.digest = Digest("")
        self.size = self.files = self.object_size = self.read = self.stored = 0
        self._writer = writer

    def remember(self) -> None:
        """From now on the stat cache knows these files: the dataset is this version."""
        self._writer.finish(self.digest)


class _Folder:
    """A folder under way: digests of its files, as far as they are known."""

    def __init__(self, listing: Listing, seen_ns: int) -> None:
        self.path = listing.path
        self.seen_ns = seen_ns
        self.rows: list[tuple[str, Stamp, Digest] | None] = []
        self.unread: deque[tuple[int, str, int]] = deque()  # position, name and bytes


@contextmanager
def gather(dataset: Dataset, store: Store) -> Iterator[Gathered]:
    """Store a dataset's files and trees; on entering they survive power loss.

    Raises: BadDataset where there is no file or one that cannot be kept, Restless, OSError.
    """
    place = cache_place(store.root, dataset.name)
    with (
        StatFile(place) as known,
        StatWriter(place) as writer,
        store.objects.gather() as gathering,
    ):
        run = _Run(dataset, store, known, writer, gathering)
        try:
            run.all()
        except FileNotFoundError as error:  # it was there when its folder was listed
            raise Restless(str(error.filename)) from error
        if not run.gathered.files:
            raise BadDataset(f"`{dataset.name}` holds no file", next="name something with files in it")
        run.gathered.stored = gathering.publish()
        yield run.gathered


class _Run:
    def __init__(
        self, dataset: Dataset, store: Store, known: StatFile, writer: StatWriter, gathering: Gathering
    ) -> None:
        self.dataset = dataset
        self.base = str(dataset.base)
        self.objects = store.objects
        self.known = known
        self.writer = writer
        self.gathering = gathering
        self.gathered = Gathered(writer)
        self.pending: deque[_Folder] = deque()
        self.waiting: deque[_Folder] = deque()  # those of them that lack answers
        self.children: dict[str, list[FolderEntry]] = {}

    def all(self) -> None:
        for answers in self.gathering.take(self._batches()):
            for answer in answers:
                self._answered(answer)
            while self.pending and not self.pending[0].unread:
                self._complete(self.pending.popleft())
        while self.pending:
            self._complete(self.pending.popleft())

    def _batches(self) -> Iterator[list[str]]:
        """Paths of unread files; an empty batch now and then, so that folders without any are completed, too."""
        batch: list[str] = []
        volume = held = 0
        seen_ns = time.time_ns()
        for listing in walk(self.dataset):
            names_as_bytes(listing)  # all of them UTF-8?
            folder = self._folder(listing, seen_ns)
            self.pending.append(folder)
            held += len(listing.names)
            if folder.unread:
                self.waiting.append(folder)
            for _, name, size in list(folder.unread):
                batch.append(f"{self.base}/{listing.path}/{name}" if listing.path else f"{self.base}/{name}")
                volume += size
                if len(batch) >= BATCH or volume >= BATCH_BYTES:
                    yield batch
                    batch, volume, held = [], 0, 0
            if held >= UNDER_WAY:
                yield batch
                batch, volume, held = [], 0, 0
            seen_ns = time.time_ns()
        yield batch

    def _folder(self, listing: Listing, seen_ns: int) -> _Folder:
        """A folder with the digests that are known and whose bytes are in the store."""
        folder = _Folder(listing, seen_ns)
        record = self.known.folder(listing.path)
        known = record.files() if record.at_rest else {}
        for at, (name, now) in enumerate(listing.files):
            before, digest = known.get(name, (None, None))
            if digest is not None and before == now and self.objects.size(digest) == now.size:
                folder.rows.append((name, now, digest))
            else:
                folder.rows.append(None)
                folder.unread.append((at, name, now.size))
        return folder

    def _answered(self, answer: tuple[Digest, Stamp]) -> None:
        folder = self.waiting[0]
        at, name, _ = folder.unread.popleft()
        digest, found = answer
        folder.rows[at] = (name, found, digest)
        self.gathered.read += 1
        if not folder.unread:
            self.waiting.popleft()

    def _complete(self, folder: _Folder) -> None:
        rows = [row for row in folder.rows if row is not None]
        folders = self.children.pop(folder.path, [])
        entries: list[Entry] = [FileEntry(name, digest, found.size) for name, found, digest in rows]
        entries += folders
        if rows:
            self.writer.add(folder.path, Known.of(rows, folder.seen_ns))
        if not entries:
            return  # an empty folder is not kept
        if self.dataset.kind == "file":
            (_, found, digest), data = rows[0], b""
            self.gathered.digest, self.gathered.object_size = digest, found.size
        else:
            data = encode(entries)
            digest = self.gathering.put(data)
        path, _, name = folder.path.rpartition("/")
        here = summary(name, digest, entries)
        if folder.path:
            self.children.setdefault(path, []).append(here)
            return
        self.gathered.size, self.gathered.files = here.size, here.files
        if self.dataset.kind != "file":
            self.gathered.digest, self.gathered.object_size = digest, len(data)
