"""A git revision of the project, put beside the working tree and read without touching it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from solvent.data.versions.lockfile import read_lock
from solvent.foundation.errors import SolventError, UsageError
from solvent.foundation.settings import Settings, load_settings
from solvent.governance.comparison.sides import Side, StepSide
from solvent.pipeline import load_spec
from solvent.pipeline.changes import reached
from solvent.pipeline.documents import Document, parse_document, read_document
from solvent.pipeline.plan import step_code
from solvent.pipeline.spec import PipelineSpec, StepSpec, inputs_of

if TYPE_CHECKING:
    from solvent.project import Project


class GitFailed(UsageError):
    code = "git-failed"


class UnreadableRevision(UsageError):
    code = "unreadable-revision"


def is_revision(root: Path, text: str) -> bool:
    """Whether git knows a commit by this name here."""
    return commit_of(root, text) is not None


def commit_of(root: Path, text: str) -> str | None:
    """The full commit that a revision means; None where git knows none, or is not there."""
    try:
        found = run_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    except GitFailed:
        return None
    return found.strip() or None


def run_git(folder: Path, *arguments: str) -> str:
    """What git answers. Raises: GitFailed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise GitFailed("git is not installed", next="install it, or name runs and versions") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise GitFailed(said[-1] if said else f"git {arguments[0]} failed", where=str(folder))
    return done.stdout


@contextmanager
def checked_out(root: Path, commit: str) -> Iterator[Path]:
    """The project as it stood at a commit, in a folder of its own that is gone on leaving.

    A clone that borrows the repository's objects: the user's working tree, index and list
    of worktrees stay as they are. Yields: the project's root in it. Raises: GitFailed.
    """
    top = Path(run_git(root, "rev-parse", "--show-toplevel").strip())
    with tempfile.TemporaryDirectory(prefix="solvent-revision-") as folder:
        copy = Path(folder).resolve() / "tree"
        run_git(root, "clone", "--quiet", "--shared", "--no-checkout", str(top), str(copy))
        run_git(copy, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit)
        yield copy / root.resolve().relative_to(top.resolve())


def revision_side(project: Project, text: str) -> Side:
    """A revision by its steps, settings and datasets. It imports that revision's code, in a child process.

    Raises: GitFailed, UnreadableRevision.
    """
    commit = commit_of(project.root, text) or text
    with checked_out(project.root, commit) as root:
        settings, datasets = load_settings(root), read_lock(root)
        try:
            spec = load_spec(root, settings)
            document = read_document(root, spec.code)
        except SolventError as error:
            raise UnreadableRevision(
                f"the pipeline of {text} cannot be read: {error.what}", where=error.where, next=error.next
            ) from error
    when = run_git(project.root, "show", "--no-patch", "--format=%cI%n%an%n%s", commit).split("\n")
    return Side(
        name=text,
        said=f"commit {commit[:10]}: {when[2]}",
        kind="revision",
        steps=spec_steps(spec, parse_document(document) if document else {}),
        about={"git": commit, "committed": when[0], "author": when[1]},
        files={path: entry.digest for path, entry in datasets.items()},
        settings=_flat(settings),
    )


def spec_steps(spec: PipelineSpec, document: Document) -> dict[str, StepSide]:
    """A pipeline's steps as they would run; nothing is known of their results. document: of its code."""
    steps = {}
    for name in spec.order():
        node = spec.nodes[name]
        upstream = [ref.node for ref in inputs_of(node).values()]
        if isinstance(node, StepSpec):
            steps[name] = StepSide(
                step=name,
                parameters=node.parameters,
                code=step_code(spec, node),
                parts=reached(document, name),
                document=document,
                upstream=upstream,
            )
        else:
            declared = {key: value for key, value in msgspec.to_builtins(node).items() if key in _DECLARED}
            steps[name] = StepSide(step=name, parameters=declared, source=True, upstream=upstream)
    return steps


_DECLARED = ("location", "time", "known_at", "id", "contract")


def _flat(settings: Settings) -> dict[str, Any]:
    """The settings that are not the default, dotted; parameters are the steps' own."""
    flat: dict[str, Any] = {}

    def walk(prefix: str, now: Any, usual: Any) -> None:
        if isinstance(now, dict):
            for key, value in now.items():
                walk(f"{prefix}.{key}" if prefix else key, value, usual.get(key) if isinstance(usual, dict) else None)
        elif now != usual:
            flat[prefix] = now

    walk("", {**msgspec.to_builtins(settings), "parameters": {}}, msgspec.to_builtins(Settings()))
    return flat
