"""Sending: every object that facts need first, then the facts as documents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from solvent.data.sharing.needs import Document, Need, needs_of
from solvent.foundation.errors import SolventError, UsageError, nearest
from solvent.lineage.digests import canonical, digest_of
from solvent.lineage.entities import NodeKind
from solvent.store.facts.exchange import DatasetDocument, dataset_documents
from solvent.store.objects import Corrupt, Missing
from solvent.store.remotes.mirror import Mirror
from solvent.store.remotes.parallel import each
from solvent.store.remotes.protocol import Remote
from solvent.store.remotes.transfer import documents, send_document, send_object

if TYPE_CHECKING:
    from solvent.store import Store

Progress = Callable[[int, int], None]  # (objects looked at so far, bytes sent so far)
RUNS, DATASETS = "runs", "datasets"


class UnknownName(UsageError):
    """Neither a dataset nor a step of this project."""

    code = "unknown-name"


class Held(msgspec.Struct, frozen=True):
    """A fact that stays here, because an object that it needs cannot be sent."""

    fact: str
    because: str


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent. present: objects that were there already."""

    objects: int
    bytes: int
    present: int
    runs: int
    datasets: int
    held: list[Held]


class _Sent(NamedTuple):
    bytes: int = 0  # 0: it was there
    problem: SolventError | None = None


def push(store: Store, remote: Remote, names: Collection[str] = (), progress: Progress | None = None) -> Pushed:
    """Send what the remote lacks of finished runs and dataset versions.

    names: only these datasets and steps, with all that they came of; all without.
    Interrupted, it leaves whole objects and no promise about them; repeated, it goes on.
    Raises: UnknownName; Unreachable, RemoteDenied and their like from the remote.
    """
    with store.session():
        return _Push(store, remote, progress).run(names)


class _Push:
    def __init__(self, store: Store, remote: Remote, progress: Progress | None) -> None:
        self.store = store
        self.remote = remote
        self.mirror = Mirror(remote)
        self.progress = progress
        self.sent = self.bytes = self.present = 0
        self.held: list[Held] = []

    def run(self, names: Collection[str]) -> Pushed:
        wanted = _chosen(self.store, names)
        self.remote.tidy()
        counts = {DATASETS: 0, RUNS: 0}
        there = set(documents(self.remote, DATASETS))
        for document in self._datasets():
            name = f"{DATASETS}/{digest_of(canonical(document))}"
            if name not in there and (wanted is None or document.version.name in wanted.datasets):
                counts[DATASETS] += self._send(document, f"dataset {document.version.name}", DATASETS, "")
        known = {name.partition("/")[2].partition("-")[0] for name in documents(self.remote, RUNS)}
        for key in self.store.facts.finished_groups():
            if key not in known and (wanted is None or key in wanted.runs):
                document_of_runs = self.store.facts.export_runs(key)
                counts[RUNS] += self._send(document_of_runs, f"run {key}", RUNS, key)
        return Pushed(
            objects=self.sent, bytes=self.bytes, present=self.present, held=self.held,
            runs=counts[RUNS], datasets=counts[DATASETS],
        )  # fmt: skip

    def _datasets(self) -> Iterator[DatasetDocument]:
        facts = self.store.facts
        return dataset_documents(facts, facts.artifacts(facts.dataset_artifacts()))

    def _send(self, document: Document, fact: str, folder: str, key: str) -> bool:
        """Send what a document needs, then the document. Returns: whether it went."""
        problem = self._erased(document) or self._objects(document)
        if problem:
            self.held.append(Held(fact, problem))
            return False
        send_document(self.remote, folder, key, canonical(document))
        return True

    def _erased(self, document: Document) -> str:
        """Why what a run made is not here any more, where it is not."""
        if isinstance(document, DatasetDocument):
            return ""
        made = {a.digest for run in document.runs if run.end for a in run.end.outputs.values()}
        gone = [a for a in self.store.facts.artifacts(made).values() if a.erased_at is not None]
        return f"{len(gone)} of its outputs were collected or erased" if gone else ""

    def _objects(self, document: Document) -> str:
        """Send a document's objects. Returns: what is wrong with the first that cannot be sent."""
        read = self.store.objects.read
        try:
            found = needs_of(document, read)
            problems = [sent.problem.what for sent in map(self._counted, each(self._one, found)) if sent.problem]
        except (Missing, Corrupt) as error:  # a tree that cannot be read
            return error.what
        return problems[0] if problems else ""

    def _one(self, need: Need) -> _Sent:
        objects, there = self.store.objects, self.mirror.size(need.digest)
        expected = objects.size(need.digest) if need.size is None else need.size
        if there is not None and expected in (None, there):
            return _Sent()
        try:
            sent = send_object(self.remote, objects, need.digest)
        except (Missing, Corrupt) as error:
            return _Sent(problem=error if need.vital else None)
        self.mirror.sent(need.digest, sent)
        return _Sent(max(sent, 1))

    def _counted(self, sent: _Sent) -> _Sent:
        self.sent += sent.bytes > 0
        self.bytes += sent.bytes
        self.present += sent.bytes == 0 and sent.problem is None
        if self.progress is not None:
            self.progress(self.sent + self.present, self.bytes)
        return sent


class _Chosen(NamedTuple):
    datasets: set[str]
    runs: set[str]  # keys of the groups that documents are made of


def _chosen(store: Store, names: Collection[str]) -> _Chosen | None:
    """What the names mean; None for everything. Raises: UnknownName."""
    if not names:
        return None
    datasets = {version.name for version in store.facts.datasets()}
    steps: dict[str, list[str]] = {}
    for run in store.facts.runs(limit=max(store.facts.count_runs(), 1)):
        for name in {run.start.step, run.start.step.rpartition(".")[2]}:
            steps.setdefault(name, []).append(run.start.key)
    wanted: set[str] = set()
    for name in names:
        if name not in datasets and name not in steps:
            known = [*datasets, *steps]
            raise UnknownName(
                f"no dataset and no step `{name}`",
                next=nearest(name, known, "`solvent data list` and `solvent status` list them"),
            )
        for key in steps.get(name, ()):
            wanted |= _with_makers(store, key)
    return _Chosen(datasets & set(names), wanted)


def _with_makers(store: Store, key: str) -> set[str]:
    """The groups of a run and of all runs that it came of."""
    above = {node.key for node in store.facts.ancestors(NodeKind.RUN, key).nodes if node.kind is NodeKind.RUN}
    found = (store.facts.run(k) for k in above | {key})
    return {run.start.parent or run.start.key for run in found if run is not None}
