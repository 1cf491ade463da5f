"""The people of the story: what they do by hand, they do as everybody does."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from solvent.automation.promotion import register_run
from solvent.automation.shadows import target
from solvent.foundation.clock import iso
from solvent.foundation.errors import Unexpected
from solvent.lineage.entities import Actor, ModelVersion
from solvent.pipeline import RunOptions, run_pipeline

if TYPE_CHECKING:
    from solvent.pipeline import WorkerPool
    from solvent.project import Project

SECONDS = 120
Parameters = dict[str, dict[str, Any]]


class ProgramFailed(Unexpected):
    code = "program-failed"


class Said(msgspec.Struct, frozen=True):
    """How the program answered: exit code, the JSON document on stdout, and what it said on stderr."""

    code: int
    document: object
    notes: str


def program() -> list[str]:
    """The command line of the installed program, of this very environment."""
    installed = Path(sysconfig.get_path("scripts")) / "solvent"
    if not installed.exists():
        installed = Path(sys.argv[0]).resolve()
    return [str(installed)]


def ask(project: Path, actor: str, *arguments: str, fine: tuple[int, ...] = (0,)) -> Said:
    """Run `solvent ARGUMENTS --json` in the project, as this person.

    fine: exit codes that are part of the story; 1 is a closed gate. Raises: ProgramFailed for any other.
    """
    command = [*program(), "-C", str(project), *arguments, "--json"]
    done = subprocess.run(
        command, capture_output=True, timeout=SECONDS, check=False, env={**os.environ, "SOLVENT_ACTOR": actor}
    )
    notes = done.stderr.decode(errors="replace")
    if done.returncode not in fine:
        raise ProgramFailed(
            f"`solvent {' '.join(arguments)}` ended with {done.returncode}: {notes or done.stdout.decode()}"
        )
    return Said(done.returncode, msgspec.json.decode(done.stdout) if done.stdout.strip() else None, notes)


def train(
    project: Project,
    actor: str,
    model: str,
    as_of: datetime,
    pool: WorkerPool | None = None,
    parameters: Parameters | None = None,
) -> ModelVersion:
    """What `solvent run` does, as of an instant and with other parameters; returns the version that came of it.

    parameters: step → name → value. Raises: ProgramFailed where a step failed.
    """
    options = RunOptions(as_of=as_of, parameters=parameters or {}, targets=targets_of(project, model))
    run = run_pipeline(project.root, project.spec, project.store, options, pool=pool)
    if not run.ok:
        failed = next(step for step in run.steps if step.state == "failed")
        raise ProgramFailed(f"training {model} failed at {failed.label}: {(failed.error or {}).get('what', '')}")
    made = register_run(project, run, at=as_of, actor=Actor(kind="person", name=actor))
    return next(version for version in made if version.model == model)


def targets_of(project: Project, model: str) -> tuple[str, ...]:
    """The steps that make one model: its estimator and its evaluation."""
    declared = next(declared for declared in project.spec.models if declared.name == model)
    return target(declared.estimator), target(declared.evaluation)


def promote(project: Path, actor: str, reference: str, now: datetime, waive: str | None = None) -> Said:
    """`solvent models promote NAME/3`, past a closed gate where a reason to waive it is given."""
    waiver = ["--waive", waive] if waive else []
    return ask(project, actor, "models", "promote", reference, "--now", iso(now), *waiver, fine=(0, 1))
