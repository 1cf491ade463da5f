"""Contracts by hand: infer one from a file or a source, hold a file or a source to its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from solvent.data.contracts import (
    Contract,
    Role,
    Severity,
    Violation,
    check_contract,
    infer_contract,
    read_contract,
    write_contract,
)
from solvent.foundation.errors import UsageError, nearest
from solvent.foundation.ids import uuid7
from solvent.pipeline.contractfile import contract_at, contract_home
from solvent.pipeline.errors import BadSource
from solvent.pipeline.reading import SourcePiece, combine, read_file, with_times
from solvent.pipeline.sources import FORMATS, StatCache, snapshot
from solvent.pipeline.spec import PipelineSpec, SourceSpec


class NoContract(UsageError):
    code = "no-contract"


class ContractExists(UsageError):
    code = "contract-exists"


class UnknownData(UsageError):
    code = "unknown-data"


class Roles(NamedTuple):
    """Columns with a meaning of their own."""

    time: str | None = None
    target: str | None = None
    id: str | None = None
    known_at: str | None = None


class Subject(NamedTuple):
    """What is held to a contract. files: name for people and place; contract: its file, there or not."""

    name: str
    files: tuple[tuple[str, Path], ...]
    contract: Path
    roles: Roles


class FileVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the contract says of one file; `ok` where nothing is broken, notes or not."""

    file: str
    ok: bool
    violations: list[Violation]


class ContractReport(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset under its contract."""

    subject: str
    contract: str
    ok: bool
    files: list[FileVerdict]

    @property
    def broken(self) -> list[Violation]:
        return [v for file in self.files for v in file.violations if v.severity is Severity.BREAK]


def subject_of(
    root: Path, text: str, spec: PipelineSpec | None, *, base: Path | None = None, contract: Path | None = None
) -> Subject:
    """A source by its name, or a file or folder by its path (relative to `base`, else to the root).

    Raises: UnknownData, BadSource (a source without files).
    """
    source = _source(spec, text, root) if spec else None
    if source is not None and spec is not None:
        taken = snapshot(source, root, root / ".solvent", StatCache(root / ".solvent/plan/stats.json"), refresh=False)
        home = contract or (root / source.contract if source.contract else contract_home(root, source.name))
        roles = Roles(source.time, _target(spec, source), source.id, source.known_at)
        return Subject(text, tuple((m.name, m.path) for m in taken.members), home, roles)
    place = (base or root) / text
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix.lower() in FORMATS)
    if not files:
        names = [s.name.rpartition(".")[2] for s in spec.sources] if spec else []
        raise UnknownData(f"no file, folder or source `{text}`", next=nearest(text, names, "give a path to a table"))
    names_of = {p: p.name if place.is_file() else p.relative_to(place).as_posix() for p in files}
    home = contract or contract_home(root, text)
    return Subject(text, tuple((name, p) for p, name in names_of.items()), home, Roles())


def _source(spec: PipelineSpec, text: str, root: Path) -> SourceSpec | None:
    """The source of that name, or the one that reads that path."""
    for source in spec.sources:
        if text in (source.name, source.name.rpartition(".")[2]):
            return source
    path = (root / text).resolve()
    return next((s for s in spec.sources if (root / s.location).resolve() == path), None)


def _target(spec: PipelineSpec, source: SourceSpec) -> str | None:
    """The target of a model whose time the source has; the check leaves targets alone."""
    return next((m.target for m in spec.models if m.time == source.time), None)


def infer(subject: Subject, roles: Roles, *, replace: bool = False) -> tuple[Contract, Path]:
    """Infer the contract of all files together and write it; columns of `roles` go before what the source says;
    without an id, a column that is another in every row is taken for one.

    Raises: ContractExists (a reviewed file is not lost), BadSource, UnknownData (a named column is not there).
    """
    if subject.contract.exists() and not replace:
        raise ContractExists(
            "there is a contract already", where=str(subject.contract), next="`--replace` infers it anew"
        )
    wanted = Roles(*(given or own for given, own in zip(roles, subject.roles, strict=True)))
    pieces = [
        SourcePiece(name, with_times(read_file(path, name, subject.name), [wanted.time, wanted.known_at], name))
        for name, path in subject.files
    ]
    table = combine(pieces)
    for name in filter(None, roles):
        if name not in table.columns:
            raise UnknownData(f"no column `{name}` in {subject.name}", next=nearest(name, table.columns, _has(table)))
    target = wanted.target if wanted.target in table.columns else None
    named = wanted.id or _row_name(table)
    contract = infer_contract(table, time=wanted.time, target=target, id=named, known_at=wanted.known_at)
    subject.contract.parent.mkdir(parents=True, exist_ok=True)
    staged = subject.contract.with_suffix(f".{uuid7()}")
    write_contract(contract, staged)
    staged.replace(subject.contract)
    return contract, subject.contract


def _row_name(table: pl.DataFrame) -> str | None:
    """The first column of whole numbers or text that is another in every row: a name, to which no range applies."""
    for column in table.iter_columns():
        if (column.dtype.is_integer() or column.dtype == pl.String) and column.n_unique() == len(column) > 1:
            return column.name
    return None


def check(subject: Subject) -> ContractReport:
    """Hold each file to the contract. Raises: NoContract, BadContract, BadSource."""
    if not subject.contract.exists():
        raise NoContract(
            f"no contract for {subject.name}",
            where=str(subject.contract),
            next=f"`solvent data contract infer {subject.name}` writes one, or name one by --contract",
        )
    contract = read_contract(subject.contract)
    times = [column.name for column in contract.columns if column.role in (Role.TIME, Role.KNOWN_AT)]
    verdicts = []
    for name, path in subject.files:
        table = _timed(read_file(path, name, subject.name), times, name)
        found = check_contract(contract, table, role="source", notes=True)
        broken = any(v.severity is Severity.BREAK for v in found)
        verdicts.append(FileVerdict(file=name, ok=not broken, violations=found))
    return ContractReport(
        subject=subject.name, contract=str(subject.contract), ok=all(v.ok for v in verdicts), files=verdicts
    )


def check_on_add(root: Path, name: str, spec: PipelineSpec | None = None) -> ContractReport | None:
    """What a dataset's contract says of it at import; None where it has none, or its files are no tables.

    name: its path in the project. spec: for the contract that its source names. Raises: BadContract, BadSource.
    """
    contract = contract_at(root, name, spec)
    place = root / name
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    if contract is None or not files or any(p.suffix.lower() not in FORMATS for p in files):
        return None
    named = tuple((p.relative_to(root).as_posix(), p) for p in files)
    return check(Subject(name, named, contract, Roles()))


def _timed(table: pl.DataFrame, times: Sequence[str], name: str) -> pl.DataFrame:
    """The table with its times as times; as it is where a value is none, which the contract's own words say."""
    try:
        return with_times(table, [column for column in times if column in table.columns], name)
    except BadSource:
        return table


def _has(table: pl.DataFrame) -> str:
    return f"it has: {', '.join(table.columns[:12])}"
