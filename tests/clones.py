"""Clones of one project: stores that share a remote, with runs and datasets whose bytes are really there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from solvent.data.versions.tree import tree_of
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest, digest_of
from solvent.lineage.entities import Actor, Artifact, ArtifactType, DatasetVersion, RunEnd, RunStart, RunStatus
from solvent.store import Store, open_store
from solvent.store.objects import FolderObjects
from solvent.store.remotes import lender_for
from store_samples import START, recipe


def clone(root: Path, remote: str, *, actor: str = "ann", endpoint: str = "") -> Store:
    """A clone's store that fetches what it misses."""
    url = f"sqlite:///{root}/solvent.db"
    lender = lender_for(remote, root=root, endpoint=endpoint)
    return open_store(url, root=root, actor=Actor(kind="person", name=actor), lender=lender)


def stored(store: Store, data: bytes, **fields: object) -> Artifact:
    """Bytes with their fact."""
    digest = store.objects.put_bytes(data)
    made = {"digest": digest, "content": digest, "type": ArtifactType.DATASET, "format": "file", "size": len(data)}
    return Artifact(**{**made, **fields})


def stored_tree(store: Store, files: dict[str, bytes], **fields: object) -> Artifact:
    """A folder with its fact."""
    tree = tree_of({name: (store.objects.put_bytes(data), len(data)) for name, data in files.items()})
    store.objects.put_many(list(tree.objects.values()))
    return stored(store, tree.objects[tree.digest], about={"tree": True}, **fields)


def run(
    store: Store, step: str, outputs: dict[str, Artifact], *, inputs: Iterable[Artifact] = (), key: str = ""
) -> str:
    """A pipeline run of one finished step with a log; the step's recipe is named after its outputs' digests."""
    top, mine = uuid7(), uuid7()
    store.facts.start_run(RunStart(key=top, step="pipeline", started_at=START))
    taken = {f"input {number}": artifact.digest for number, artifact in enumerate(inputs)}
    what = recipe(" ".join([step, *(artifact.digest for artifact in outputs.values())]))
    store.facts.start_run(RunStart(key=mine, step=step, started_at=START, recipe=what, inputs=taken, parent=top))
    log = store.objects.put_bytes(f"log of {mine}".encode())
    store.facts.end_run(RunEnd(key=mine, status=RunStatus.DONE, ended_at=START, outputs=outputs, log=log))
    store.facts.end_run(RunEnd(key=top, status=RunStatus.DONE, ended_at=START))
    return mine


def add_dataset(store: Store, name: str, artifact: Artifact, at: datetime = START) -> DatasetVersion:
    new = DatasetVersion(name=name, number=0, artifact=artifact.digest, files=1, size=artifact.size, at=at)
    return store.facts.add_dataset_version(new, artifact)


def age(store: Store, digests: Iterable[Digest] | None = None, *, seconds: float = 1e6) -> None:
    """Let blobs look as if nobody had used them for a while."""
    objects = store.objects
    assert isinstance(objects, FolderObjects)
    for digest in list(objects.list()) if digests is None else digests:
        place = objects.root / digest[:2] / digest
        then = place.stat().st_mtime - seconds
        os.utime(place, (then, then))


def flip(store: Store, digest: Digest) -> None:
    """Change one byte of a blob behind the store's back."""
    place = store.root / "objects" / digest[:2] / digest
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.chmod(0o644)
    place.write_bytes(data)
    assert digest_of(bytes(data)) != digest
