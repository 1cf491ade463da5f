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


class Limits(Spec, frozen=True, kw_only=True):
    """What an execution may take; no part of the recipe.

    retries: further attempts after a failure. backoff: seconds before the first of
    them, twice as many before each other. timeout: seconds for one attempt. memory: bytes.
    """

    retries: int = 0
    backoff: float = 1.0
    timeout: float | None = None
    memory: int | None = None


class StepSpec(Spec, frozen=True, kw_only=True):
    """A step.

    code: fingerprint of everything that it reaches, symbol by symbol. whole: of all modules that it could
    reach, '' where nothing is uncertain. notes: what cannot be seen statically, by file and line.
    distributions: `name==version` that its modules import. native: one of them has compiled parts.
    data: project files that are no modules and that its code names. portable: digests of classes and
    function values that its result, pickled, may refer to. root: its id in the pipeline's code document.
    gathers: parameters that take many values, with their annotations; their inputs are named
    `parameter[element]`. mapped: parameters whose values tell the elements of one map apart.
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
    limits: Limits = Limits()
    gathers: dict[str, str] = {}
    mapped: tuple[str, ...] = ()


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
    partitions: bool = False  # each of its files is a source of its own

    @property
    def cut_column(self) -> str | None:
        """The column that says since when a row could be known."""
        return self.known_at or self.time


class MapSpec(Spec, frozen=True, kw_only=True):
    """A step over many. step: what its elements have in common; name: of all of them together.

    over: parameter → the group whose elements go there one by one. values: parameter → what it takes in turn.
    """

    name: str
    step: StepSpec
    over: dict[str, str]
    values: dict[str, list[Any]]


class LoggedSpec(Spec, frozen=True, kw_only=True):
    """The built-in step that extends `features` of `model`; it exists only within a run that asks for it.

    hidden: columns that get one value in every row.
    """

    name: str
    model: str
    features: Ref
    hidden: dict[str, Any] = {}


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
    each step reaches (`changes`), '' where there is none. maps: what is still to be expanded
    into elements; groups: their names then, by the name of the whole.
    """

    steps: tuple[StepSpec, ...]
    sources: tuple[SourceSpec, ...]
    models: tuple[ModelSpec, ...]
    files: dict[str, FileStamp]
    absent: tuple[str, ...]
    modules: tuple[str, ...]
    environment: Digest
    distributions: tuple[str, ...]
    maps: tuple[MapSpec, ...] = ()
    groups: dict[str, tuple[str, ...]] = {}
    logged: tuple[LoggedSpec, ...] = ()
    code: str = ""
    cache: CacheRules = CacheRules()
    workers: int | None = None
    memory: int | None = None
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
        known = [*map(short_name, names), *names]
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
            short.setdefault(short_name(name), []).append(name)
        return {name: s if len(short[s := short_name(name)]) == 1 else name for name in self.nodes}

    def elements(self, text: str) -> list[str]:
        """The nodes that the name of a group, or of what is mapped, stands for; none for other names."""
        of_group = [nodes for name, nodes in self.groups.items() if matching(text, [name])]
        named = [name for name in self.nodes if "[" in name and matching(text, [name.partition("[")[0]])]
        return list(of_group[0]) if len(of_group) == 1 else named

    def refs(self, text: str) -> list[Ref]:
        """What a target means: a node's outputs, one output (`split.train`), or what a model needs.

        Raises: UnknownStep, naming the nearest.
        """
        head, _, output = text.rpartition(".")
        if not matching(text, list(self.nodes)):
            if many := self.elements(text):
                return [Ref(node=name, output=o) for name in many for o in output_names(self.nodes[name])]
            for model in self.models:
                if _hyphened(text) in (model.name, _hyphened(model.variable)):
                    return [model.estimator, model.evaluation, model.features]
            if head and (many := [n for n in self.elements(head) if output in output_names(self.nodes[n])]):
                return [Ref(node=name, output=output) for name in many]
            if head and matching(head, list(self.nodes)) and output in output_names(node := self.node(head)):
                return [Ref(node=node.name, output=output)]
            everything = [*self.labels.values(), *map(short_name, self.groups), *(m.name for m in self.models)]
            raise UnknownStep(
                f"no step `{text}` in {self.place}", next=nearest(text, everything, "`solvent status` lists the steps")
            )
        node = self.node(text)
        return [Ref(node=node.name, output=name) for name in output_names(node)]

    def needed(self, targets: Iterable[str]) -> list[str]:
        """Names of the nodes that the targets need, in topological order; all without targets."""
        nodes = self.nodes
        wanted = {ref.node for target in targets for ref in self.refs(target)} or set(nodes)
        reached: set[str] = set()
        stack = sorted(wanted)
        while stack:
            name = stack.pop()
            if name not in reached:
                reached.add(name)
                stack += [ref.node for ref in inputs_of(nodes[name]).values()]
        return [name for name in self.order() if name in reached]

    def order(self) -> list[str]:
        """All nodes, producers first; otherwise in the order of declaration."""
        nodes, done, result = self.nodes, set[str](), list[str]()

        for start in nodes:
            path = [start]
            while path:
                name = path[-1]
                ahead = (
                    [r.node for r in inputs_of(nodes[name]).values() if r.node not in done] if name not in done else []
                )
                if ahead:
                    path += reversed(ahead)
                    continue
                path.pop()
                if name not in done:
                    done.add(name)
                    result.append(name)
        return result


def inputs_of(node: StepSpec | SourceSpec | LoggedSpec) -> dict[str, Ref]:
    """What a node consumes, by parameter."""
    if isinstance(node, StepSpec):
        return {i.parameter: i.producer for i in node.inputs}
    return {"features": node.features} if isinstance(node, LoggedSpec) else {}


def output_names(node: StepSpec | SourceSpec | LoggedSpec) -> list[str]:
    return [o.name for o in node.outputs] if isinstance(node, StepSpec) else [RESULT]


def short_name(name: str) -> str:
    """`fit[learning_rate=0.1]` of `pipeline.fit[learning_rate=0.1]`."""
    head, bracket, rest = name.partition("[")
    return head.rpartition(".")[2] + bracket + rest


def matching(text: str, names: list[str]) -> list[str]:
    """The names that a full or short name may mean."""
    return [n for n in names if n == text] or [n for n in names if n.endswith(f".{text}")]


def _hyphened(name: str) -> str:
    return name.replace("_", "-")
