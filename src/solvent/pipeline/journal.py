"""Group commit: what many steps made and wrote down becomes durable together.

Starting a step and ending it would each cost a transaction and several syncs. Here
they gather for a moment; then all small outputs are stored with one sync, and all
facts about them are committed after that, in the order in which they came. Until then
nothing of it can be seen in the store, nobody is told, and the recipes stay claimed:
killed before the commit, the steps have not run.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from solvent.foundation.clock import wall_clock
from solvent.lineage.digests import Digest, digest_of
from solvent.lineage.entities import Artifact, ArtifactType, RunEnd, RunStart, RunStatus
from solvent.pipeline.errors import NotStored
from solvent.pipeline.messages import Failure

if TYPE_CHECKING:
    from solvent.store import Store
    from solvent.store.facts.recording import EdgeName, RunEvent

_GATHER_SECONDS = 0.05  # how long the first to come may wait for others
_SHARE = 4  # a slow disk is left in peace for so many times as long as a commit took
_LONGEST_SECONDS = 0.5  # but others wait for what is claimed here, and a kill loses what has gathered
_FULL_BYTES = 32 << 20


class Journal:
    """Run events on their way into a store, with the bytes that they name.

    values: small outputs that are not stored yet, by digest: a step may start from them.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.values: dict[Digest, bytes] = {}
        self._events: list[RunEvent] = []
        self._edges: dict[str, list[EdgeName]] = {}
        self._blobs: dict[str, Mapping[Digest, bytes]] = {}
        self._documents: dict[Digest, tuple[Artifact, bytes]] = {}
        self._others: list[Artifact] = []
        self._kept: set[Digest] = set()
        self._lost: set[str] = set()  # runs whose outputs are not stored, and those that built on them
        self._bytes = 0
        self._since: float | None = None
        self._seconds = 0.0  # that the last commit took

    @property
    def wait(self) -> float | None:
        """Seconds until the next commit is due; None where there is nothing to commit."""
        if self._since is None:
            return None
        if self._bytes > _FULL_BYTES:
            return 0.0
        gather = min(_LONGEST_SECONDS, max(_GATHER_SECONDS, _SHARE * self._seconds))
        return max(0.0, self._since + gather - time.monotonic())

    def start(self, start: RunStart) -> None:
        """A run begins."""
        self._add(start)

    def end(
        self,
        end: RunEnd,
        blobs: Mapping[Digest, bytes],
        edges: list[EdgeName],
        artifacts: Iterable[Artifact] = (),
    ) -> None:
        """A run ended. blobs: those of its outputs, and its log, that are not stored yet.

        artifacts: others that are stored, between which and its outputs the edges are.
        """
        self._add(end)
        self._others += artifacts
        self._edges[end.key] = edges
        self._blobs[end.key] = blobs
        self.values.update(blobs)
        self._bytes += sum(map(len, blobs.values()))

    def keep(self, name: str, data: bytes) -> Digest:
        """Store a document that a run's tag stands for, with the next commit; once."""
        digest = digest_of(data)
        if digest not in self._kept:
            about = {"name": name}
            kept = Artifact(
                digest=digest, content=digest, type=ArtifactType.ANY, format="json", size=len(data), about=about
            )
            self._documents[digest] = (kept, data)
            self._kept.add(digest)
        return digest

    def cancel(self, keys: Iterable[str]) -> None:
        """Runs that were stopped in the middle."""
        for key in keys:
            self._add(RunEnd(key=key, status=RunStatus.CANCELLED, ended_at=wall_clock()))

    def commit(self) -> dict[str, Failure | None]:
        """Make durable what has gathered. After an error it is all still here, to be committed again.

        Returns: runs whose end is on record now; with a failure where what they made,
        or were given, could not be stored. Raises: SolventError of the database.
        """
        started = time.monotonic()
        known = self.store.facts.artifacts(list(self._documents)) if self._documents else {}
        here = {digest for digest in known if self.store.objects.hold(digest) is not None}  # not collected, that is
        new = {digest: kept for digest, kept in self._documents.items() if digest not in here}
        failures = self._store({digest: data for digest, (_, data) in new.items()})
        written, lost = _writable(self._events, failures, self._lost)
        edges = [e for event in written if isinstance(event, RunEnd) for e in self._edges.get(event.key, ())]
        documents = [a for a, _ in new.values()] if not failures else []
        self.store.facts.record_runs(written, [*self._others, *documents], edges)
        ended = {event.key: failures.get(event.key) for event in self._events if isinstance(event, RunEnd)}
        self._lost |= lost
        self._clear(documents=not failures)
        self._seconds = time.monotonic() - started
        return ended

    def _add(self, event: RunEvent) -> None:
        self._events.append(event)
        if self._since is None:
            self._since = time.monotonic()

    def _store(self, documents: Mapping[Digest, bytes]) -> dict[str, Failure]:
        """Store all bytes at hand. Returns: for each run that has some, why they could not be stored; else nothing."""
        blobs = {**documents, **self.values}
        try:
            if len(blobs) == 1:
                self.store.objects.put_bytes(next(iter(blobs.values())))
            elif blobs:
                self.store.objects.put_many(list(blobs.values()))
        except OSError as error:
            failure = _not_stored(f"it cannot be stored: {error}")
            return {key: failure for key, mine in self._blobs.items() if mine}
        return {}

    def _clear(self, *, documents: bool) -> None:
        self._events, self._since, self._bytes = [], None, 0
        self._blobs.clear()
        self._edges.clear()
        self._others.clear()
        self.values.clear()
        if documents:
            self._documents.clear()


def _writable(events: list[RunEvent], failures: dict[str, Failure], lost: set[str]) -> tuple[list[RunEvent], set[str]]:
    """The events as they can be recorded, and the runs that what comes later cannot build on.

    failures: runs whose bytes are not stored; completed by those that built on them.
    """
    written: list[RunEvent] = []
    gone = lost | failures.keys()
    for event in events:
        if isinstance(event, RunStart):
            if gone.isdisjoint(event.makers.values()):
                written.append(event)
            else:
                failures[event.key] = _not_stored("what it was given cannot be stored")
                lost = lost | {event.key}
                gone.add(event.key)
        elif event.key in lost:
            failures[event.key] = _not_stored("what it was given cannot be stored")
        elif event.key in failures:
            written.append(_failed(event, failures[event.key]))
        else:
            written.append(event)
    return written, gone


def _not_stored(what: str) -> Failure:
    return Failure(code=NotStored.code, what=what, where="", next="")


def _failed(end: RunEnd, failure: Failure) -> RunEnd:
    return RunEnd(
        key=end.key, status=RunStatus.FAILED, ended_at=end.ended_at, error=failure.what, resources=end.resources
    )
