"""A source's contract seen from the parent process: told apart and looked up without importing what checks it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from solvent.foundation.errors import UsageError
from solvent.lineage.digests import Digest, canonical, digest_of
from solvent.lineage.entities import Artifact, ArtifactType
from solvent.pipeline.errors import BadSource, ContractBroken

if TYPE_CHECKING:
    from solvent.foundation.settings import Settings
    from solvent.pipeline.spec import PipelineSpec
    from solvent.store.facts import Facts


class Verdict(NamedTuple):
    """What is known of a source's files under its contract as it is now.

    checked: files that were compared with it. broken: a sentence for each breach.
    """

    checked: frozenset[Digest]
    broken: list[str]


def contract_home(root: Path, path: str) -> Path:
    """Where a dataset's contract stands unless its source says otherwise: `contracts/<stem>.json`."""
    return root / "contracts" / f"{Path(path).stem}.json"


def contract_at(root: Path, name: str, spec: PipelineSpec | None) -> Path | None:
    """The contract file of the dataset at a path, its source's or its own; None where there is none."""
    declared = [s.contract for s in spec.sources if s.contract and s.location == name] if spec else []
    place = root / declared[0] if declared else contract_home(root, name)
    return place if place.exists() else None


def canonical_file(path: Path) -> bytes:
    """A contract file without its layout. Raises: BadSource where it is no JSON."""
    try:
        return canonical(msgspec.json.decode(path.read_bytes()))
    except msgspec.DecodeError as error:
        raise BadSource(
            f"the contract is no JSON: {error}", where=str(path), next="correct it, or remove it to infer it anew"
        ) from error


def contract_artifact(path: Path) -> Artifact:
    """The contract in a file as an artifact; formatting does not count. Raises: BadSource."""
    data = canonical_file(path)
    digest = digest_of(data)
    return Artifact(digest=digest, content=digest, type=ArtifactType.CONTRACT, format="json", size=len(data))


def verdict(facts: Facts, contract: Path | None, files: Collection[Digest]) -> Verdict:
    """What the store knows of these files under a contract file; nothing where there is none. Raises: BadSource."""
    if contract is None or not contract.exists():
        return Verdict(frozenset(), [])
    digest = contract_artifact(contract).digest
    known = facts.contract_checks(files)
    checks = {file: [c for c in known.get(file, []) if c.contract == digest] for file in files}
    broken = [sentence(v) for found in checks.values() if found and not found[-1].ok for v in found[-1].violations]
    return Verdict(frozenset(file for file, found in checks.items() if found), broken)


def sentence(violation: dict[str, Any]) -> str:
    """A breach for people: its cause, which names the column."""
    column, cause = violation.get("column", ""), violation.get("cause", "")
    return f"contract: {cause}" if not column or column in cause else f"contract: {column}: {cause}"


def contract_broken(source: str, sentences: list[str]) -> ContractBroken:
    """The error of a run that is to stop at a broken contract."""
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return ContractBroken(
        f"`{source}` breaks its contract: {sentences[0].removeprefix('contract: ')}{more}",
        next="correct the data, or review the contract file",
    )


def broken_at_import(root: Path, name: str, settings: Settings) -> list[str]:
    """What a dataset's contract says against the files that are to be added; nothing where it has none.

    name: its path in the project. Raises: ContractBroken, where the settings say that a breach stops.
    """
    from solvent.pipeline.discover import load_spec

    try:
        spec = load_spec(root, settings, cached_only=True)
    except UsageError:  # no pipeline, or one that was not read yet: its sources are not known
        spec = None
    if contract_at(root, name, spec) is None:
        return []
    from solvent.pipeline.contracting import check_on_add  # it brings polars, which most additions never need

    report = check_on_add(root, name, spec)
    said = [sentence(msgspec.to_builtins(violation)) for violation in report.broken] if report else []
    if said and settings.contracts_on_break == "stop":
        raise contract_broken(name, said)
    return said
