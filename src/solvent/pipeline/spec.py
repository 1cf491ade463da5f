"""A pipeline as data: what the declarations say, wired, with the place of each in its file.

Pure values without user code, so that planning, `status` and `why` need none.
Names of nodes are full (`pipeline.fit`); `label` is the short name for people
where it is unique.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

from solvent.foundation.errors import nearest
from solvent.lineage.digests import Digest
from solvent.pipeline.errors import UnknownStep

RESULT = "result"  # the name of the output of a step that has only one


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values here."""


class NodeType(StrEnum):
    STEP = "step"
    SOURCE = "source"
    LOGGED = "logged"  # the built-in step that adds logged predictions to a features table


class Ref(Spec, frozen=True, kw_only=True):
    """An output of a node."""

    node: str
    output: str = RESULT


class InputSpec(Spec, frozen=True, kw_only=True):
    """One positional parameter, wired. annotation: dotted name, '' where there is none."""

    parameter: str
    producer: Ref
    annotation: str = ""


class OutputSpec(Spec, frozen=True, kw_only=True):
    name: str
    annotation: str = ""


class StepSpec(Spec, frozen=True, kw_only=True):
    """A step.

    code: fingerprint of everything that it reaches, symbol by symbol. whole: of all modules that it could
    reach, '' where nothing is uncertain. notes: what cannot be seen statically, by file and line.
    distributions: `name==version` that its modules import. native: one of them has compiled parts.
    data: project files that are no modules and that its code names. portable: digests of classes and
    function values that its result, pickled, may refer to. root: its id in the pipeline's code document.
    """

    name: str
    module: str
    qualname: str
    file: str
    line: int
    inputs: tuple[InputSpec, ...]
    parameters: dict[str, Any]
    positional_only: tuple[str, ...]
    outputs: tuple[OutputSpec, ...]
    several: bool  # a NamedTuple is returned
    env: tuple[str, ...]
    code: Digest
    whole: str = ""
    notes: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    native: bool = False
    data: tuple[str, ...] = ()
    portable: tuple[Digest, ...] = ()
    root: str = ""


class SourceSpec(Spec, frozen=True, kw_only=True):
    """A source. contract: path relative to the root, '' for none."""

    name: str
    location: str
    time: str | None
    known_at: str | None
    id: str | None
    contract: str
    file: str
    line: int

    @property
    def cut_column(self) -> str | None:
        """The column that says since when a row could be known."""
        return self.known_at or self.time


class LoggedSpec(Spec, frozen=True, kw_only=True):
    """The built-in step that extends `features` of `model`; it exists only within a run that asks for it."""

    name: str
    model: str
    features: Ref


class ModelSpec(Spec, frozen=True, kw_only=True):
    """A model. name: as people and aliases write it (`bike-demand`)."""

    name: str
    variable: str
    estimator: Ref
    evaluation: Ref
    features: Ref
    task: str
    target: str
    metric: str
    time: str
    id: str | None
    file: str
    line: int


class FileStamp(Spec, frozen=True, kw_only=True):
    """A project file that the plan was made from; digest of its bytes.

    The change time cannot be set by hand, so an edit that restores size and modification time is seen.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    digest: Digest


class CacheRules(Spec, frozen=True, kw_only=True):
    """When a result counts as still good; see `[cache]` in the settings."""

    uncertain: str = "module"
    environment: str = "direct"
    verify: str = "size"


class PipelineSpec(Spec, frozen=True, kw_only=True):
    """Everything that planning needs.

    files: by path relative to the root (absolute outside it). absent: paths that
    would change the plan if they appeared. environment: digest of `distributions`,
    the interpreter and the platform. code: digest of the document that says which symbols
    each step reaches (`changes`), '' where there is none.
    """

    steps: tuple[StepSpec, ...]
    sources: tuple[SourceSpec, ...]
    models: tuple[ModelSpec, ...]
    files: dict[str, FileStamp]
    absent: tuple[str, ...]
    modules: tuple[str, ...]
    environment: Digest
    distributions: tuple[str, ...]
    logged: tuple[LoggedSpec, ...] = ()
    code: str = ""
    cache: CacheRules = CacheRules()
    workers: int | None = None
    on_break: str = "record"

    @property
    def nodes(self) -> dict[str, StepSpec | SourceSpec | LoggedSpec]:
        nodes: list[StepSpec | SourceSpec | LoggedSpec] = [*self.sources, *self.steps, *self.logged]
        return {node.name: node for node in nodes}

    def step(self, text: str) -> StepSpec:
        """A step by full or short name. Raises: UnknownStep."""
        steps = {step.name: step for step in self.steps}
        return steps[self._one(text, list(steps))]

    def node(self, text: str) -> StepSpec | SourceSpec | LoggedSpec:
        """A step or source by full or short name. Raises: UnknownStep."""
        return self.nodes[self._one(text, list(self.nodes))]

    def _one(self, text: str, names: list[str]) -> str:
        found = matching(text, names)
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownStep(f"`{text}` names several steps: {', '.join(found)}", next="write the full name")
        known = [*(n.rpartition(".")[2] for n in names), *names]
        raise UnknownStep(
            f"no step `{text}` in {self.place}", next=nearest(text, known, "`solvent status` lists the steps")
        )

    def model(self, text: str) -> ModelSpec:
        """A model by its name or its variable's. Raises: UnknownStep."""
        for model in self.models:
            if _hyphened(text) in (model.name, _hyphened(model.variable)):
                return model
        raise UnknownStep(
            f"no model `{text}` in {self.place}",
            next=nearest(text, [m.name for m in self.models], "`solvent status` lists the models"),
        )

    @property
    def place(self) -> str:
        """Where the pipeline is declared, for messages."""
        files = {step.file for step in self.steps} | {source.file for source in self.sources}
        return ", ".join(sorted(files)) or "the pipeline"

    @property
    def labels(self) -> dict[str, str]:
        """Full name → shortest unique name."""
        short: dict[str, list[str]] = {}
        for name in self.nodes:
            short.setdefault(name.rpartition(".")[2], []).append(name)
        return {name: s if len(short[s := name.rpartition(".")[2]]) == 1 else name for name in self.nodes}

    def refs(self, text: str) -> list[Ref]:
        """What a target means: a node's outputs, one output (`split.train`), or what a model needs.

        Raises: UnknownStep, naming the nearest.
        """
        head, _, output = text.rpartition(".")
        if not matching(text, list(self.nodes)):
            for model in self.models:
                if _hyphened(text) in (model.name, _hyphened(model.variable)):
                    return [model.estimator, model.evaluation, model.features]
            if head and matching(head, list(self.nodes)) and output in output_names(node := self.node(head)):
                return [Ref(node=node.name, output=output)]
            everything = [*self.labels.values(), *(m.name for m in self.models)]
            raise UnknownStep(
                f"no step `{text}` in {self.place}", next=nearest(text, everything, "`solvent status` lists the steps")
            )
        node = self.node(text)
        return [Ref(node=node.name, output=name) for name in output_names(node)]

    def needed(self, targets: Iterable[str]) -> list[str]:
        """Names of the nodes that the targets need, in topological order; all without targets."""
        wanted = {ref.node for target in targets for ref in self.refs(target)} or set(self.nodes)
        reached: set[str] = set()
        stack = sorted(wanted)
        while stack:
            name = stack.pop()
            if name not in reached:
                reached.add(name)
                stack += [ref.node for ref in inputs_of(self.nodes[name]).values()]
        return [name for name in self.order() if name in reached]

    def order(self) -> list[str]:
        """All nodes, producers first; otherwise in the order of declaration."""
        nodes, done, result = self.nodes, set[str](), list[str]()

        def visit(name: str) -> None:
            if name not in done:
                done.add(name)
                for ref in inputs_of(nodes[name]).values():
                    visit(ref.node)
                result.append(name)

        for name in nodes:
            visit(name)
        return result


def inputs_of(node: StepSpec | SourceSpec | LoggedSpec) -> dict[str, Ref]:
    """What a node consumes, by parameter."""
    if isinstance(node, StepSpec):
        return {i.parameter: i.producer for i in node.inputs}
    return {"features": node.features} if isinstance(node, LoggedSpec) else {}


def output_names(node: StepSpec | SourceSpec | LoggedSpec) -> list[str]:
    return [o.name for o in node.outputs] if isinstance(node, StepSpec) else [RESULT]


def matching(text: str, names: list[str]) -> list[str]:
    """The names that a full or short name may mean."""
    return [n for n in names if n == text] or [n for n in names if n.endswith(f".{text}")]


def _hyphened(name: str) -> str:
    return name.replace("_", "-")
