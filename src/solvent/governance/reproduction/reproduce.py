"""Repeat what was recorded and record what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import solvent
from solvent.foundation.clock import wall_clock
from solvent.foundation.errors import Unexpected, UsageError
from solvent.foundation.ids import uuid7
from solvent.foundation.settings import load_settings
from solvent.governance.comparison.revisions import checked_out, commit_of, run_git
from solvent.governance.reproduction.code import differing_code, names_in
from solvent.governance.reproduction.environment import build
from solvent.governance.reproduction.model import Order, Outcome, RecordedStep, Reproduction, worst
from solvent.governance.reproduction.rewiring import put_back
from solvent.governance.reproduction.target import NothingToReproduce, NotReproducible, Target, find_target, outputs_of
from solvent.lineage.digests import canonical, digest_of
from solvent.lineage.entities import Artifact, ArtifactType, RunEnd, RunStart, RunStatus
from solvent.pipeline import load_spec
from solvent.pipeline.errors import UnknownStep, by_code

if TYPE_CHECKING:
    from solvent.pipeline.spec import PipelineSpec
    from solvent.project import Project
    from solvent.store import Store

STEP = "reproduce"  # the name that a reproduction's run bears
TOLERANCE = 1e-9  # share of the largest value: what another order of additions makes


class UncommittedCode(NotReproducible):
    code = "uncommitted-code"


class ChildFailed(Unexpected):
    code = "reproduction-failed"


def reproduce(
    project: Project, what: str, *, rev: str | None = None, same_env: bool = False, tolerance: float = TOLERANCE
) -> Reproduction:
    """Execute again what `what` names and compare every output with what was recorded.

    rev: use this revision's code instead of the recorded commit's. same_env: in the present environment.
    tolerance: largest difference that still counts as equal, as a share of the largest value.
    Raises: NothingToReproduce, NotReproducible, UncommittedCode, NoFreshEnvironment, Missing, Corrupt, GitFailed.
    """
    asked = commit_of(project.root, rev) if rev else None
    if rev and asked is None:
        raise NothingToReproduce(f"git knows no revision `{rev}`", next="`git log` lists them")
    target = find_target(project.store, what, asked)
    commit = asked or _recorded_commit(project, target)
    with (
        tempfile.TemporaryDirectory(prefix="solvent-reproduce-") as folder,
        checked_out(project.root, commit) as root,
    ):
        settings = load_settings(root)
        spec = load_spec(root, settings)
        if put_back(root, target.steps, spec):
            spec = load_spec(root, settings)
        if rev is None:
            _refuse_uncommitted(project, target, root, spec, commit)
        scratch = Path(folder).resolve()
        python, notes = (Path(sys.executable), []) if same_env else _fresh(scratch, target.steps)
        outcome = _carry_out(project, target, root, scratch, python, tolerance, own=not same_env)
    if outcome.error is not None:
        error = outcome.error
        raise by_code(error["code"])(error["what"], where=error["where"], next=error["next"])
    found = Reproduction(
        what=what,
        target=target.run.start.key,
        commit=commit,
        where="present" if same_env else "fresh",
        verdict=worst([step.equal for step in outcome.steps]),
        steps=outcome.steps,
        environment=outcome.environment,
        interpreter=outcome.interpreter,
        notes=[*notes, *outcome.notes],
    )
    return msgspec.structs.replace(found, record=_record(project.store, target, found))


def _recorded_commit(project: Project, target: Target) -> str:
    commit = target.run.start.git_commit
    if commit is None:
        raise NotReproducible(
            f"run {target.run.start.key[:12]} was made outside git: its code is not kept",
            next="commit the project; `--rev REV` repeats it with the code of a revision",
        )
    if commit_of(project.root, commit) is None:
        raise NotReproducible(f"git no longer has commit {commit[:12]}", next="fetch it, or give another by `--rev`")
    return commit


def _refuse_uncommitted(project: Project, target: Target, root: Path, spec: PipelineSpec, commit: str) -> None:
    """Raises: UncommittedCode, where the commit's code is not the code that ran, naming the files."""
    try:
        changes = differing_code(root, spec, target.steps, target.documents, names_in(spec, target.steps))
        names = list(dict.fromkeys(f"`{change.what}`" for found in changes.values() for change in found))
    except UnknownStep as error:
        names = [error.what]
    if names:
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        raise UncommittedCode(
            f"it was made from code that commit {commit[:12]} does not have: {', '.join(names[:4])}{more}",
            next=_way_out(project, target),
        )


def _way_out(project: Project, target: Target) -> str:
    """What a person can do about code that was never committed."""
    otherwise = "`--rev REV` repeats it with the code of a revision and names what differs"
    try:
        spec = load_spec(project.root, project.settings)
        names = names_in(spec, target.steps)
    except UsageError:  # the working tree has no such pipeline any more
        return otherwise
    differing = differing_code(project.root, spec, target.steps, target.documents, names)
    return otherwise if differing else "the working tree still has it: commit it, then `solvent reproduce … --rev HEAD`"


def _fresh(scratch: Path, steps: list[RecordedStep]) -> tuple[Path, list[str]]:
    """An environment of the newest step's recorded versions. Raises: NoFreshEnvironment, NotReproducible."""
    kept = [step.environment for step in steps if step.environment.get("distributions")]
    if not kept:
        raise NotReproducible("its environment was not kept", next="`--same-env` repeats it in the present one")
    python, notes = build(scratch / "environment", kept[-1]["interpreter"], kept[-1]["distributions"])
    others = [e for e in kept if e != kept[-1]]
    return python, [*notes, "its steps ran in several environments; the newest is taken"] if others else notes


def _carry_out(
    project: Project, target: Target, root: Path, scratch: Path, python: Path, tolerance: float, *, own: bool
) -> Outcome:
    order = Order(
        root=str(root),
        state=str(scratch / "state"),
        scratch=str(scratch / "work"),
        objects=str((project.store.root / "objects").resolve()),
        steps=target.steps,
        documents=target.documents,
        tolerance=tolerance,
        as_of=target.as_of,
        since=target.since,
    )
    (scratch / "work").mkdir()
    request, answer = scratch / "order.json", scratch / "answer.json"
    request.write_bytes(msgspec.json.encode(order))
    done = subprocess.run(
        [str(python), "-m", "solvent.governance.reproduction.child", str(request), str(answer)],
        cwd=root,
        env=_environment(project.root, root, own=own),
        stdout=subprocess.DEVNULL,
        stderr=None if sys.stderr.isatty() else subprocess.PIPE,
        text=True,
        check=False,
    )
    if not answer.exists():
        raise ChildFailed(f"the process that repeats it ended with {done.returncode}: {(done.stderr or '')[-2000:]}")
    return msgspec.json.decode(answer.read_bytes(), type=Outcome)


def _environment(was: Path, root: Path, *, own: bool) -> dict[str, str]:
    """The variables of the child: what pointed into the repository points into the checkout.

    own: it has an environment of its own, where Solvent is installed.
    """
    top = Path(run_git(was, "rev-parse", "--show-toplevel").strip())
    copy = Path(run_git(root, "rev-parse", "--show-toplevel").strip())
    home = Path(solvent.__file__).parent.parent
    paths = [Path(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    moved = [copy / p.resolve().relative_to(top) if p.resolve().is_relative_to(top) else p for p in paths]
    others = [str(p) for p in moved if p.resolve() != home.resolve()]
    kept = [p for p in others if "-packages" not in p] if own else [str(home), *others]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(kept), "PYTHONDONTWRITEBYTECODE": "1"}


def _record(store: Store, target: Target, found: Reproduction) -> str:
    """A run that took what was recorded and made the evidence; its key."""
    key, now = uuid7(), wall_clock()
    data = canonical(msgspec.to_builtins(found))
    digest = store.objects.put_bytes(data)
    evidence = Artifact(
        digest=digest_of(data), content=digest, type=ArtifactType.EVIDENCE, format="json", size=len(data),
        about={"name": f"reproduction of {found.what}", "verdict": found.verdict},
    )  # fmt: skip
    outputs = outputs_of(target.run) or target.steps[-1].outputs
    store.facts.start_run(
        RunStart(
            key=key,
            step=STEP,
            started_at=now,
            inputs={name: artifact.digest for name, artifact in outputs.items()},
            makers=dict.fromkeys(outputs, target.run.start.key) if target.run.start.recipe else {},
            git_commit=found.commit,
            tags={"of": target.run.start.key, "verdict": found.verdict, "where": found.where},
        )
    )
    ended = RunEnd(key=key, status=RunStatus.DONE, ended_at=wall_clock(), outputs={"evidence": evidence})
    store.facts.end_run(ended)
    return key
