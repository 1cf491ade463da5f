"""The built-in step behind `source(...)`: store the files, read, cut and check them. Runs in a worker."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from solvent.data.contracts import Contract, check_contract, infer_contract, read_contract, write_contract
from solvent.data.tablefile import table_about, table_bytes, table_content
from solvent.foundation.ids import uuid7
from solvent.lineage.entities import Artifact, ArtifactType
from solvent.pipeline.contractfile import canonical_file, contract_artifact
from solvent.pipeline.errors import BadSource
from solvent.pipeline.messages import ContractCheck, Reply, SourceFile, SourceTask
from solvent.pipeline.reading import SourcePiece, combine, cut, read_file, with_times
from solvent.pipeline.spec import RESULT
from solvent.store.objects import ObjectStore


def run_source(task: SourceTask, objects: ObjectStore) -> Reply:
    """The table of a source, its raw files as artifacts, and what its contract says of each."""
    source, place = task.source, f"{task.source.file}:{task.source.line}"
    for file in task.files:
        _keep(file, objects)
    members = [file.artifact for file in task.files]
    if task.as_file:
        return Reply(outputs={RESULT: task.raw}, members=[] if task.raw in members else members)
    pieces = [
        SourcePiece(
            file.name,
            with_times(
                read_file(objects.path(file.artifact.digest), file.name, place),
                [source.time, source.known_at],
                file.name,
            ),
        )
        for file in task.files
    ]
    whole = combine(pieces)
    if source.id and source.id not in whole.columns:
        raise BadSource(f"no column `{source.id}`", where=task.files[0].name)
    known = cut(whole, known_at=source.cut_column, time=source.time, as_of=task.as_of, since=None)
    table = cut(known, known_at=source.cut_column, time=source.time, as_of=None, since=task.since)
    checks = _check(task, pieces, known, objects)
    result, passed = _result(task, whole, table, objects)
    raw = [] if passed else [task.raw, *(m for m in members if m.digest != task.raw.digest)]
    return Reply(outputs={RESULT: result}, members=raw, checks=checks)


def _keep(file: SourceFile, objects: ObjectStore) -> None:
    if objects.hold(file.artifact.digest) == file.artifact.size:
        return
    stored = objects.put_file(Path(file.path))
    if stored != file.artifact.digest:
        raise BadSource("the file changed while it was read", where=file.name, next="run again when it is complete")


def _result(task: SourceTask, whole: pl.DataFrame, table: pl.DataFrame, objects: ObjectStore) -> tuple[Artifact, bool]:
    """The table's artifact, and whether it is the source's only file as it stands."""
    only = task.files[0] if len(task.files) == 1 else None
    passed = only is not None and only.name.endswith((".parquet", ".pq")) and table.height == whole.height
    if passed and only is not None:
        digest, size = only.artifact.digest, only.artifact.size
    else:
        data = table_bytes(table)
        digest, size = objects.put_bytes(data), len(data)
    artifact = Artifact(
        digest=digest,
        content=table_content(table),
        type=ArtifactType.DATASET,
        format="parquet",
        size=size,
        about={"name": task.source.name, "source": task.source.location, **table_about(table)},
    )
    return artifact, passed


def _check(
    task: SourceTask, pieces: list[SourcePiece], known: pl.DataFrame, objects: ObjectStore
) -> list[ContractCheck]:
    """Check each file that was not checked against the contract of now; infer one where there is none."""
    if not task.contract:
        return []
    path, source = Path(task.contract), task.source
    if not path.exists():
        if not known.height:
            return []  # nothing to infer from
        target = next((c for c in task.target_columns if c in known.columns), None)
        inferred = infer_contract(known, time=source.time, target=target, id=source.id, known_at=source.known_at)
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_suffix(f".{uuid7()}")
        write_contract(inferred, staged)
        staged.replace(path)
    contract, kept = read_contract(path), contract_artifact(path)
    objects.put_bytes(canonical_file(path))
    return [
        _checked(file, piece.table, contract, kept)
        for file, piece in zip(task.files, pieces, strict=True)
        if not file.checked
    ]


def _checked(file: SourceFile, table: pl.DataFrame, contract: Contract, kept: Artifact) -> ContractCheck:
    found = check_contract(contract, table, role="source")
    violations = [msgspec.to_builtins(violation) for violation in found]
    return ContractCheck(file=file.artifact.digest, contract=kept, violations=violations, ok=not found)
