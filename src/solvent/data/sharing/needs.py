"""Which objects a fact needs to be of use: a run's outputs, a dataset's files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from solvent.data.versions.tree import Read, reachable
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, RunStatus
from solvent.store.facts.exchange import DatasetDocument, RunsDocument

Document = RunsDocument | DatasetDocument


class Need(NamedTuple):
    """An object that a document speaks of. size: bytes, where it says so; vital: useless without it.

    small: it may be held in memory although its size is not known.
    """

    digest: Digest
    size: int | None
    vital: bool = True
    small: bool = False


def needs_of(document: Document, read: Read) -> Iterator[Need]:
    """The objects that a document speaks of, content before what names it."""
    if isinstance(document, DatasetDocument):
        yield from needs_of_artifact(document.artifact, read)
    else:
        yield from _needs_of_runs(document, read)


def _needs_of_runs(document: RunsDocument, read: Read) -> Iterator[Need]:
    """Outputs of finished runs, their logs, and what their code and environment were."""
    known = {made.artifact.digest for made in document.artifacts}
    for run in document.runs:
        for digest in run.start.tags.values():
            if digest in known:
                yield Need(Digest(digest), None, vital=False)
        if run.end is None:
            continue
        if run.end.log is not None:
            yield Need(run.end.log, None, vital=False)
        if run.end.status is RunStatus.DONE:
            for artifact in run.end.outputs.values():
                yield from needs_of_artifact(artifact, read)


def needs_of_artifact(artifact: Artifact, read: Read) -> Iterator[Need]:
    """The object of an artifact and, of a tree, all that it names."""
    if artifact.about.get("tree"):
        yield from (Need(found.digest, found.size) for found in reachable(artifact.digest, read))
    else:
        yield Need(artifact.digest, artifact.size)
