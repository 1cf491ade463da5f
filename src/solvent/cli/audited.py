"""An audited folder that is a project of the one who audits: what its store tells, and what is recorded there.

A repository from elsewhere is only read. So its store counts only where git does not track it, its settings name no
server that is asked, and nothing that goes wrong with the store makes an audit fail.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from solvent.cli.show import note
from solvent.foundation.errors import SolventError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from solvent.debt.audit import Audit
    from solvent.debt.pricing.price import Past
    from solvent.debt.reading.sources import Tree
    from solvent.debt.report.view import Record
    from solvent.project import Project

PATIENCE: Final = 3.0  # seconds for another writer of the store; an audit does not wait for a long one


@contextmanager
def own_project(source: Tree) -> Iterator[Project | None]:
    """The project in the audited folder whose store was opened before; None where there is none to be asked."""
    project = _project(source)
    try:
        yield project
    finally:
        if project is not None:
            project.close()


def _project(source: Tree) -> Project | None:
    state = source.folder / ".solvent"
    if not state.is_dir():
        return None
    if _came_with_it(source):
        note("the store in .solvent may have come with the repository: it is left aside")
        return None
    from solvent.project import Project

    try:
        project = Project(source.folder, patience=PATIENCE)
    except SolventError as error:
        note(f"the project is left aside: {error}")
        return None
    ours = project.database.is_file() if project.settings.store.url == "sqlite" else "SOLVENT_STORE_URL" in os.environ
    if not ours:
        return None
    try:
        project.store  # noqa: B018  opened here, so that it fails once
    except (SolventError, OSError) as error:
        note(f"the store is left aside, so this is not recorded: {error}")
        return None
    return project


def _came_with_it(source: Tree) -> bool:
    """Whether git tracks the store, or cannot be asked though there is a checkout."""
    if source.git is not None:
        return source.git.tracks(".solvent")
    here = source.folder.resolve()
    return any((folder / ".git").exists() for folder in (here, *here.parents))


def with_ledger(past: Past, project: Project | None, found: Audit) -> Past:
    """What is known of a repository's past, with rates of runs that are read and not assumed."""
    if project is None:
        return past
    from solvent.debt.ledger import MOST_RUNS, ledger, rates_by_file

    try:
        seen = ledger(project.store.facts.runs(limit=MOST_RUNS), [], [])
    except (SolventError, OSError) as error:
        note(f"the ledger is left aside: {error}")
        return past
    rates = rates_by_file(seen, found.repository.summaries)
    history = msgspec.structs.replace(past.history, runs=rates.runs, evaluations=rates.evaluations, tolls=rates.tolls)
    return msgspec.structs.replace(past, history=history)


def record(
    project: Project, found: Audit, source: Tree, *, at: datetime, forecast: dict[str, Any] | None
) -> Record | None:
    """Record what an audit of the whole project found. Returns: what changed, and how an earlier forecast did; None
    where nothing could be recorded, which a note tells.
    """
    from solvent.debt.recording import project_audit
    from solvent.debt.report.view import LastScore, Record
    from solvent.debt.scoring import Score
    from solvent.lineage.findings import FindingState

    try:
        facts = project.store.facts
        known = facts.findings([FindingState.ALLOWED]) if found.chosen("allowed") else []
        seen = project_audit(found, source, known, at=at, forecast=forecast)
        changed = facts.record_audit(seen)
        scored = facts.newest_score()
    except (SolventError, OSError) as error:
        note(f"this audit is not recorded: {error}")
        return None
    last = LastScore(scored[0], msgspec.convert(scored[1], Score)) if scored is not None else None
    return Record(dict(Counter(change.event.value for change in changed if change.event is not None)), last)
