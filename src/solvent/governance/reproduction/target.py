"""What is to be repeated: the run that a name means, all that it was built on, and the commit it came of."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from solvent.data.versions.tree import walk_files
from solvent.foundation.clock import parse_instant
from solvent.foundation.errors import Refusal, UsageError
from solvent.governance.comparison.sides import MOST_RUNS, PIPELINE, find_run
from solvent.governance.reproduction.model import RecordedFile, RecordedStep
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, NodeKind, Run, RunStatus
from solvent.pipeline.plan import LOGGED_CODE
from solvent.registry.references import resolve
from solvent.store.objects import Missing

if TYPE_CHECKING:
    from solvent.store import Store

_NUMBERED = re.compile(r"(?P<model>[^@/\s]+)@(?P<number>\d{1,9})")


class NothingToReproduce(UsageError):
    code = "nothing-to-reproduce"


class NotReproducible(Refusal):
    code = "not-reproducible"


class Target(NamedTuple):
    """run: what was asked for; steps: it and all that it was built on, producers first; documents: of their code."""

    run: Run
    steps: list[RecordedStep]
    documents: dict[str, dict[str, Any]]
    as_of: datetime | None
    since: datetime | None


def find_target(store: Store, what: str, commit: str | None) -> Target:
    """The run behind a run's key, a version, an artifact, a step or one of its outputs.

    commit: where given, a step means its newest run of that commit. Raises: NothingToReproduce,
    NotReproducible (it was only logged, it did not finish), Missing (data that is gone), what `resolve` raises.
    """
    run = _run(store, what, commit)
    if run is None:
        raise NothingToReproduce(f"nothing here was made as `{what}`", next="`solvent runs list` lists the runs")
    whole = run.start.step == PIPELINE and run.start.recipe is None
    tops = store.facts.runs(parent=run.start.key, limit=MOST_RUNS) if whole else [run]
    if not whole and run.start.recipe is None:
        raise NotReproducible(f"run {run.start.key[:12]} was logged by a client: no code of it is known")
    unfinished = [top.start.step for top in tops if top.status is not RunStatus.DONE]
    if unfinished or not tops:
        said = f"{', '.join(unfinished)} did not finish" if unfinished else "it executed no step: everything was fresh"
        raise NotReproducible(said, next="`solvent runs list --status done` lists those that can be")
    found = _with_ancestors(store, tops)
    steps = [_recorded(store, one) for one in sorted(found.values(), key=lambda r: r.start.started_at)]
    cuts = [s.recipe.parameters for s in steps]
    documents = {step.document: _document(store, step.document) for step in steps if step.document}
    return Target(run, steps, documents, _instant(cuts, "as_of"), _instant(cuts, "since"))


def _run(store: Store, what: str, commit: str | None) -> Run | None:
    facts = store.facts
    numbered = _NUMBERED.fullmatch(what)
    reference = f"{numbered['model']}/{numbered['number']}" if numbered else what
    if re.split("[@/]", reference)[0] in facts.models():
        version = resolve(store, reference)
        return facts.run(version.run) if version.run else None
    if commit is not None:
        for run in facts.runs(status=RunStatus.DONE, limit=MOST_RUNS):
            named = run.start.step in (what, what.rpartition(".")[0]) or run.start.step.endswith(f".{what}")
            if named and run.start.git_commit == commit:
                return run
    found = find_run(store, what)
    if found is None and "." in what:  # an output: `split.train`
        found = find_run(store, what.rpartition(".")[0])
        if found is not None and what.rpartition(".")[2] not in (found.end.outputs if found.end else {}):
            found = None
    return found or _maker(store, what)


def _maker(store: Store, what: str) -> Run | None:
    """The newest run that made an artifact, by its digest or the beginning of it."""
    nodes = [n for n in store.facts.find(what) if n.kind is NodeKind.ARTIFACT and n.key.startswith(what)]
    if len({node.key for node in nodes}) != 1:
        return None
    above = store.facts.ancestors(NodeKind.ARTIFACT, nodes[0].key)
    made_by = {edge.source for edge in above.edges if edge.target == above.root}
    keys = [n.key for n in above.nodes if n.id in made_by and n.kind is NodeKind.RUN]
    runs = [run for key in keys if (run := store.facts.run(key)) is not None and run.start.recipe is not None]
    return max(runs, key=lambda run: run.start.started_at, default=None)


def _with_ancestors(store: Store, tops: list[Run]) -> dict[str, Run]:
    """The runs and, through the runs that made their inputs, all that they were built on; the log's are left out."""
    found: dict[str, Run] = {}
    stack = list(tops)
    while stack:
        run = stack.pop()
        if run.start.key in found or run.start.recipe is None:
            continue
        found[run.start.key] = run
        if run.start.recipe.code != LOGGED_CODE:
            stack += [made for key in _makers(store, run) if (made := store.facts.run(key)) is not None]
    return found


def _makers(store: Store, run: Run) -> list[str]:
    """Keys of the runs that a run was directly built on."""
    above = store.facts.ancestors(NodeKind.RUN, run.start.key)
    direct = {edge.source for edge in above.edges if edge.target == above.root}
    return [node.key for node in above.nodes if node.id in direct and node.kind is NodeKind.RUN]


def _recorded(store: Store, run: Run) -> RecordedStep:
    recipe, end, tags = run.start.recipe, run.end, run.start.tags
    if recipe is None or end is None:
        raise NotReproducible(f"run {run.start.key[:12]} has no recipe", next="repeat a run of the pipeline")
    given = recipe.code == LOGGED_CODE
    files = [_object(store, "", end.outputs["result"].digest)] if given else []
    if not given and "code" not in tags and "files" in recipe.inputs:
        files = _source_files(store, recipe.inputs["files"])
    return RecordedStep(
        run=run.start.key,
        step=run.start.step,
        recipe=recipe,
        outputs=end.outputs,
        makers={f"input {i}": key for i, key in enumerate(_makers(store, run))},
        files=files,
        given=given,
        document=tags.get("code", ""),
        environment=_document(store, tags.get("environment", "")),
        host=run.start.host,
    )


def _source_files(store: Store, digest: Digest) -> list[RecordedFile]:
    """The raw files that a source was read from, verified. Raises: Missing, Corrupt.

    A folder whose only file is the table itself is known by its tree alone, which is no artifact.
    """
    artifact = store.facts.artifact(digest)
    if artifact is not None and not artifact.about.get("tree"):
        return [_object(store, "", digest)]
    return [_object(store, name, entry.digest) for name, entry in walk_files(digest, store.objects.read)]


def _object(store: Store, name: str, digest: Digest) -> RecordedFile:
    return RecordedFile(name=name, path=str(store.objects.checked_path(digest).resolve()))


def _document(store: Store, digest: str) -> dict[str, Any]:
    """What a tag of a run stands for, fetched where it has to be; empty where it is nowhere."""
    if not digest:
        return {}
    try:
        return msgspec.json.decode(store.objects.read(Digest(digest)), type=dict[str, Any])
    except Missing:
        return {}


def _instant(parameters: list[dict[str, Any]], name: str) -> datetime | None:
    """The one instant that the sources were cut at; None where they were not."""
    found = [p[name] for p in parameters if isinstance(p.get(name), str) and "as_file" in p]
    return parse_instant(found[0]) if found else None


def outputs_of(run: Run) -> dict[str, Artifact]:
    return run.end.outputs if run.end else {}
