"""What a worker is asked to do: a planned step or source as a message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, ArtifactType
from solvent.pipeline.jobs import Bookkeeper
from solvent.pipeline.messages import SourceFile, SourceTask, StepTask, Task, TaskInput
from solvent.pipeline.options import RunOptions
from solvent.pipeline.plan import PlannedStep, only_as_file
from solvent.pipeline.spec import PipelineSpec, SourceSpec, StepSpec


class TaskMaker:
    """Makes the tasks of one run."""

    def __init__(self, spec: PipelineSpec, options: RunOptions, books: Bookkeeper) -> None:
        self.spec = spec
        self.nodes = spec.nodes
        self.options = options
        self.books = books
        self.modules = frozenset(project_modules(spec))

    def task(self, step: PlannedStep) -> Task:
        """What a worker is asked to do for a step or source."""
        node = self.nodes[step.name]
        if isinstance(node, SourceSpec):
            return self._source(node)
        if not isinstance(node, StepSpec):
            raise TypeError(f"{step.name} is no task for a worker")
        annotations = {i.parameter: i.annotation for i in node.inputs}
        at_hand = self.books.journal.values
        return StepTask(
            module=node.module,
            qualname=node.qualname,
            place=f"{node.file}:{node.line}",
            inputs={
                p: TaskInput(artifact=a, annotation=annotations[p], data=at_hand.get(a.digest))
                for p, a in step.inputs.items()
            },
            parameters=node.parameters,
            positional_only=node.positional_only,
            outputs=node.outputs,
            several=node.several,
            data_files=node.data,
            project_modules=self.modules,
            gathers=node.gathers,
        )

    def _source(self, node: SourceSpec) -> SourceTask:
        seen, contract = self.books.lookups.snapshot(node), self.books.contract(node)
        checked = self.books.verdict(node).checked
        files = tuple(
            SourceFile(
                name=_shown(node, member.name),
                path=str(member.path),
                artifact=_raw(node, member.digest, member.size, member.name),
                checked=member.digest in checked,
            )
            for member in seen.members
        )
        raw = _raw(node, seen.digest, seen.size, node.location, tree=True) if seen.trees else files[0].artifact
        self.books.store.objects.put_many(seen.trees)
        return SourceTask(
            source=node,
            files=files,
            raw=raw,
            as_of=self.options.as_of,
            since=self.options.since,
            contract=str(contract) if contract and not only_as_file(node, self.spec) else "",
            target_columns=tuple(dict.fromkeys(m.target for m in self.spec.models)),
            as_file=only_as_file(node, self.spec),
        )


def project_modules(spec: PipelineSpec) -> set[str]:
    """Top-level names of the modules that the project consists of."""
    files = {Path(name) for name in spec.files if name.endswith(".py") and not Path(name).is_absolute()}
    tops = {(parts := f.parts)[1 if parts[0] == "src" and len(parts) > 1 else 0].removesuffix(".py") for f in files}
    return tops | {m.partition(".")[0] for m in spec.modules}


def _shown(node: SourceSpec, member: str) -> str:
    """A member's path for people; a single file is its location."""
    return node.location if Path(node.location).name == member else f"{node.location}: {member}"


def _raw(node: SourceSpec, digest: Digest, size: int, name: str, *, tree: bool = False) -> Artifact:
    about: dict[str, Any] = {"name": Path(name).name, "source": node.location}
    if tree:
        about["tree"] = True
    return Artifact(digest=digest, content=digest, type=ArtifactType.DATASET, format="file", size=size, about=about)
