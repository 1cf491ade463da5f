"""Contracts: what a table is held to, as a file in git."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cyclopts

from solvent.cli.program import Exit
from solvent.cli.show import next_step, paint, paragraph, show
from solvent.project import NoProject, Project

if TYPE_CHECKING:
    from solvent.data.contracts import ColumnContract
    from solvent.pipeline.contracting import FileVerdict, Subject

command = cyclopts.App(name="contract", help="Contracts: what a table is held to, as a file in git.")


@command.command
def infer(
    what: str,
    *,
    out: Path | None = None,
    time: str | None = None,
    target: str | None = None,
    id: str | None = None,
    known_at: str | None = None,
    replace: bool = False,
    json: bool = False,
) -> Exit:
    """Write the contract that a table keeps, for review.

    Parameters
    ----------
    what:
        A source of the pipeline, or a table's file or folder.
    out:
        Write it here; `contracts/NAME.json` otherwise.
    time, target, id, known_at:
        Columns with these roles; a source knows its own.
    replace:
        Infer it anew where there is one already.
    """
    from solvent.pipeline.contracting import Roles
    from solvent.pipeline.contracting import infer as infer_it

    subject = _subject(what, out)
    contract, path = infer_it(subject, Roles(time, target, id, known_at), replace=replace)
    lines = [f"{path}: {len(contract.columns)} columns of {contract.rows:,} rows", *_columns(contract.columns)]
    todo = next_step(f"review it, commit it, then `solvent data contract check {what}`")
    show({"file": str(path), "contract": contract}, [*lines, todo], json=json)
    return Exit.FINE


@command.command
def check(what: str, *, contract: Path | None = None, json: bool = False) -> Exit:
    """Hold a table to its contract: exit 1 with the broken columns and causes.

    Parameters
    ----------
    what:
        A source of the pipeline, or a table's file or folder.
    contract:
        Its contract's file; its source's, or `contracts/NAME.json`, otherwise.
    """
    from solvent.pipeline.contracting import check as check_it

    report = check_it(_subject(what, contract))
    broken = sorted({v.column or "rows" for v in report.broken})
    count = f"{len(report.files)} files" if len(report.files) > 1 else report.files[0].file
    kept = f"{report.subject} keeps its contract: {count}"
    head = paint(f"{report.subject} breaks its contract: {', '.join(broken)}", "bad") if broken else kept
    todo = "correct the data, or review the contract file" if broken else "`solvent run` checks it at the step's edge"
    lines = [line for file in report.files for line in _verdict(file, named=len(report.files) > 1)]
    show(report, [head, *lines, next_step(todo)], json=json)
    return Exit.FINE if report.ok else Exit.FINDINGS


def _subject(what: str, contract: Path | None) -> Subject:
    """A file anywhere, or what the project around here calls so."""
    from solvent.pipeline.contracting import subject_of

    if Path(what).exists():
        project = _project()
        return subject_of(project.root if project else Path.cwd(), what, None, base=Path.cwd(), contract=contract)
    project = Project.find()
    return subject_of(project.root, what, project.spec, contract=contract)


def _project() -> Project | None:
    try:
        return Project.find()
    except NoProject:  # a file needs none
        return None


def _columns(columns: list[ColumnContract]) -> list[str]:
    lines = []
    for column in columns:
        said = [column.type.value]
        said += [column.role.value] if column.role != "feature" else []
        said += [f"{column.allowed[0]:g} to {column.allowed[1]:g}"] if column.allowed else []
        said += [", ".join(column.categories[:6])] if column.categories else []
        said += [f"missing in up to {column.missing_allowed:.0%}"] if column.missing else []
        lines.append(f"  {column.name}: {'; '.join(said)}"[:96])
    return lines


def _verdict(file: FileVerdict, *, named: bool) -> list[str]:
    marks = {"break": "■", "note": "·"}
    lines = [line for v in file.violations for line in paragraph(f"{marks[v.severity]} {v.cause}")]
    return [f"{file.file}", *lines] if named and lines else lines
