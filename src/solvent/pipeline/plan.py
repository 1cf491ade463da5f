"""Which steps are fresh, which are stale, and why. Pure: everything known comes in through `Lookups`.

A step whose inputs are not known yet, because something above it has to run
first, is `unknown`: it is judged again when they are, and an input that came out
with the same content as before leaves it fresh.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeGuard

import msgspec

from solvent.foundation.clock import iso
from solvent.foundation.errors import SolventError
from solvent.lineage.digests import Digest, digest_value
from solvent.lineage.entities import Artifact, Recipe, Run
from solvent.pipeline.environment import interpreter, step_environment
from solvent.pipeline.options import RunOptions
from solvent.pipeline.spec import RESULT, LoggedSpec, PipelineSpec, Ref, SourceSpec, StepSpec, inputs_of

if TYPE_CHECKING:
    from solvent.pipeline.changes import Change

SOURCE_CODE = digest_value("solvent source 1")
LOGGED_CODE = digest_value("solvent logged rows 1")
READERS = ("polars", "pyarrow")  # distributions whose version decides what a source's files mean
PLAIN = frozenset({"parquet", "metrics", "json", "npy", "file"})  # formats that hold no class of the project
MOST = 3  # reasons of one kind that are told
Node = StepSpec | SourceSpec | LoggedSpec


class Lookups(Protocol):
    """What planning asks of the world.

    cached: newest finished runs by recipe. last: the newest finished run of a step
    and whether any run of it exists. intact: whether an output's bytes are there.
    source: digest of what a source's location means now; it raises where there is nothing.
    document: what a run's `code` or `environment` tag stands for, where it is kept. code: the code
    document of the pipeline as it is now. missing: why an artifact cannot be used, '' where its bytes are there
    and right as far as the settings ask; what is missing may be fetched from elsewhere on the way.
    """

    def cached(self, recipes: Collection[Digest]) -> dict[Digest, Run]: ...
    def last(self, step: str) -> tuple[Run | None, bool]: ...
    def missing(self, artifact: Artifact) -> str: ...
    def source(self, source: SourceSpec) -> Digest: ...
    def document(self, digest: str) -> dict[str, Any] | None: ...
    def code(self) -> dict[str, Any] | None: ...
    @property
    def variables(self) -> Mapping[str, str]: ...


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """inputs: artifacts by parameter; makers: keys of the runs that made them.

    recipe: None where an input is unknown. run: the one that a fresh step reuses.
    """

    name: str
    label: str
    state: Literal["fresh", "stale", "unknown"]
    reason: str
    recipe: Recipe | None = None
    inputs: dict[str, Artifact] = {}
    makers: dict[str, str] = {}
    run: Run | None = None
    error: SolventError | None = None
    notes: list[str] = []

    @property
    def outputs(self) -> dict[str, Artifact]:
        """What a fresh step gives, by output name."""
        return self.run.end.outputs if self.run and self.run.end else {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Steps in order, producers first."""

    steps: list[PlannedStep]

    @property
    def fresh(self) -> bool:
        return all(s.state == "fresh" for s in self.steps)

    def step(self, name: str) -> PlannedStep:
        return next(s for s in self.steps if name in (s.name, s.label))


def plan(spec: PipelineSpec, options: RunOptions, lookups: Lookups) -> Plan:
    """Judge every step that the targets need. Raises: UnknownStep."""
    judged: dict[str, PlannedStep] = {}
    known: dict[Ref, Artifact] = {}
    judge = Judge(spec, options, lookups)
    for name in spec.needed(options.targets):
        refs = inputs_of(judge.nodes[name])
        pending = sorted({judged[r.node].label for r in refs.values() if judged[r.node].state != "fresh"})
        if pending:
            waits = f"waits for {', '.join(pending)}"
            judged[name] = PlannedStep(name=name, label=judge.labels[name], state="unknown", reason=waits)
            continue
        judged[name] = judge(name, {p: known[r] for p, r in refs.items()})
        known.update({Ref(node=name, output=o): a for o, a in judged[name].outputs.items()})
    return Plan(steps=list(judged.values()))


class Judge:
    """Judges one step at a time, given its inputs."""

    def __init__(self, spec: PipelineSpec, options: RunOptions, lookups: Lookups) -> None:
        self.spec = spec
        self.nodes = spec.nodes
        self.labels = spec.labels
        self.options = options
        self.lookups = lookups
        self.carried: dict[str, frozenset[Digest]] = {}

    def __call__(self, name: str, inputs: dict[str, Artifact]) -> PlannedStep:
        """Fresh, with the run whose outputs serve, or stale with the reason."""
        node, label = self.nodes[name], self.labels[name]
        try:
            recipe = self.recipe(node, inputs)
        except SolventError as error:
            return PlannedStep(name=name, label=label, state="stale", reason=error.what, error=error)
        base = PlannedStep(name=name, label=label, state="stale", reason="", recipe=recipe, inputs=inputs)
        if isinstance(node, LoggedSpec):
            return msgspec.structs.replace(base, reason="reads the prediction log")
        if self.options.force:
            return msgspec.structs.replace(base, reason="forced")
        if isinstance(node, StepSpec) and node.whole and self.spec.cache.uncertain == "always":
            return msgspec.structs.replace(base, reason=f"uncertain: {node.notes[0]}")
        run = self.lookups.cached([recipe.digest]).get(recipe.digest)
        if run is None:
            return msgspec.structs.replace(base, reason=self.why_stale(node, recipe))
        if isinstance(node, SourceSpec) and not only_as_file(node, self.spec):
            run = _as_table(run)
        elif isinstance(node, StepSpec):
            run = _as_annotated(run, node)
        for output, artifact in (run.end.outputs if run.end else {}).items():
            if isinstance(node, StepSpec) and _taken_for_file(node, output, artifact):
                return msgspec.structs.replace(base, reason="the store knows its output as a plain file of equal bytes")
            if why := self.lookups.missing(artifact):
                shown = "its output" if output == RESULT else f"its output {output}"
                return msgspec.structs.replace(base, reason=f"{shown} {why}")
        return msgspec.structs.replace(base, state="fresh", reason="nothing changed", run=run)

    def _carried(self, node: Node, inputs: dict[str, Artifact]) -> frozenset[Digest]:
        """Code that a step's inputs bring along: a pickled value refers to classes of the project by name.

        A table or a figure brings none, whatever made it.
        """
        brought: set[Digest] = set()
        for parameter, ref in inputs_of(node).items():
            producer = self.nodes[ref.node]
            if inputs[parameter].format not in PLAIN and isinstance(producer, StepSpec):
                brought |= {*producer.portable, *self.carried.get(ref.node, ())}
        return frozenset(brought)

    def recipe(self, node: Node, inputs: dict[str, Artifact]) -> Recipe:
        """What would be computed. Raises: BadSource where a source's files are not there."""
        self.carried[node.name] = self._carried(node, inputs)
        if isinstance(node, SourceSpec):
            contents = {"files": self.lookups.source(node)}
            return make_recipe(SOURCE_CODE, self.reading, source_parameters(node, self.spec, self.options), contents)
        contents = {parameter: artifact.content for parameter, artifact in inputs.items()}
        if isinstance(node, LoggedSpec):
            parameters = {"model": node.model, **({"hidden": node.hidden} if node.hidden else {})}
            return make_recipe(LOGGED_CODE, self.reading, parameters, contents)
        every = self.spec.cache.environment == "all"
        environment = step_environment(
            self.spec.distributions if every else node.distributions,
            node.env,
            self.lookups.variables,
            native=every or node.native,
        )
        code = step_code(self.spec, node)
        carried = self.carried.get(node.name)
        code = Digest(code) if not carried else digest_value([code, sorted(carried)])
        return make_recipe(Digest(code), environment, node.parameters, contents)

    @cached_property
    def reading(self) -> Digest:
        """The environment in which sources are read."""
        if self.spec.cache.environment == "all":
            return self.spec.environment
        readers = tuple(d for d in self.spec.distributions if d.partition("==")[0] in READERS)
        return step_environment(readers, (), {}, native=True)

    def why_stale(self, node: Node, recipe: Recipe) -> str:
        """What differs from the last finished run of the step of this name."""
        last, any_run = self.lookups.last(node.name)
        if last is None or last.start.recipe is None:
            return "never finished" if any_run else "never run"
        before = last.start.recipe
        reasons = [
            *self._code(node, recipe, last),
            *_parameters(before.parameters, recipe.parameters),
            *_inputs(node, before.inputs, recipe.inputs),
            *self._environment(node, recipe, last),
        ]
        return "; ".join(reasons) or "its outputs were erased"

    def _code(self, node: Node, recipe: Recipe, last: Run) -> list[str]:
        if last.start.recipe is None or recipe.code == last.start.recipe.code:
            return []
        if not isinstance(node, StepSpec):
            return ["this version of Solvent reads sources in another way"]
        from solvent.pipeline.changes import reasons_of  # parses code, which a fresh plan has no need of

        found = reasons_of(code_changes(node, last, self.lookups))
        if found:
            return [*found[:MOST], *([f"and {len(found) - MOST} more"] if len(found) > MOST else [])]
        if self.carried.get(node.name):
            return ["a class that an input holds changed"]
        if node.notes and self.spec.cache.uncertain != "module":
            return ["what is uncertain counts in another way now (`cache.uncertain`)"]
        if node.notes:
            return [f"its modules changed, and they count whole, for {node.notes[0]}"]
        return ["its code changed"]

    def _environment(self, node: Node, recipe: Recipe, last: Run) -> list[str]:
        if last.start.recipe is None or recipe.environment == last.start.recipe.environment:
            return []
        from solvent.pipeline.changes import distribution_changes

        before = self.lookups.document(last.start.tags.get("environment", ""))
        if before is None:
            return ["the environment changed"]
        if before["interpreter"] != interpreter():
            return [f"the interpreter changed: {before['interpreter']} → {interpreter()}"]
        found = distribution_changes(self._counted(node, last, before["distributions"]), self._counting(node))
        return found or [
            f"environment variable {' or '.join(node.env)} changed" if _declares(node) else "another machine"
        ]

    def _counting(self, node: Node) -> list[str]:
        """The distributions that count for a node now."""
        if self.spec.cache.environment == "all":
            return list(self.spec.distributions)
        if isinstance(node, StepSpec):
            return list(node.distributions)
        return [d for d in self.spec.distributions if d.partition("==")[0] in READERS]

    def _counted(self, node: Node, last: Run, installed: list[str]) -> list[str]:
        """Those that counted when it ran last."""
        if self.spec.cache.environment == "all":
            return installed
        from solvent.pipeline.documents import facts_of

        code = self.lookups.document(last.start.tags.get("code", "")) or {}
        facts = facts_of(code, last.start.step)
        if facts:
            return list(facts["distributions"])
        names = {d.partition("==")[0] for d in self._counting(node)}
        return [d for d in installed if d.partition("==")[0] in names]


def step_code(spec: PipelineSpec, step: StepSpec) -> str:
    """The fingerprint of a step's code that counts: of whole modules, where something in it cannot be seen."""
    return step.whole if step.whole and spec.cache.uncertain == "module" else step.code


def code_changes(step: StepSpec, last: Run, lookups: Lookups) -> list[Change]:
    """What a step's code is now against a run of it; empty where either is not known."""
    from solvent.pipeline.changes import changed_code

    before, now = lookups.document(last.start.tags.get("code", "")), lookups.code()
    if before is None or now is None:
        return []
    return changed_code(before, last.start.step, now, step.name)


def _taken_for_file(step: StepSpec, output: str, artifact: Artifact) -> bool:
    """Equal bytes are one artifact: where a source's file has those of a step's value, it is loaded as a file."""
    annotation = next((o.annotation for o in step.outputs if o.name == output), "")
    return artifact.format == "file" and annotation not in ("", "pathlib.Path")


def _as_annotated(run: Run, step: StepSpec) -> Run:
    """A run whose values the store knows as plain files of equal bytes, with the formats that the annotations choose.

    Their content is told apart from the file's: a consumer without an annotation takes the two for different things.
    What only the value could have decided stays a file.
    """
    found = {name: a for name, a in (run.end.outputs if run.end else {}).items() if _taken_for_file(step, name, a)}
    if run.end is None or not found:
        return run
    from solvent.pipeline.serialisers.base import for_annotation  # finds plugins, for a rare need

    outputs = dict(run.end.outputs)
    for output in step.outputs:
        chosen = for_annotation(output.annotation) if output.name in found else None
        if chosen is not None and chosen.format in PLAIN:
            content = digest_value([chosen.format, found[output.name].content])
            known = msgspec.structs.replace(found[output.name], format=chosen.format, type=chosen.type, content=content)
            outputs[output.name] = known
    return msgspec.structs.replace(run, end=msgspec.structs.replace(run.end, outputs=outputs))


def _declares(node: Node) -> TypeGuard[StepSpec]:
    return isinstance(node, StepSpec) and bool(node.env)


def _as_table(run: Run) -> Run:
    """A run of a source whose table is its one Parquet file as it stands.

    The store may know those bytes as a plain file already, from a run that took it for one of several.
    """
    if run.end is None:
        return run
    outputs = {
        name: msgspec.structs.replace(artifact, format="parquet") if artifact.format == "file" else artifact
        for name, artifact in run.end.outputs.items()
    }
    return msgspec.structs.replace(run, end=msgspec.structs.replace(run.end, outputs=outputs))


def make_recipe(code: Digest, environment: Digest, parameters: dict[str, Any], inputs: dict[str, Digest]) -> Recipe:
    """A recipe with its digest; the step's name is no part of it."""
    digest = digest_value([code, environment, parameters, inputs])
    return Recipe(digest=digest, code=code, environment=environment, parameters=parameters, inputs=inputs)


def source_parameters(source: SourceSpec, spec: PipelineSpec, options: RunOptions) -> dict[str, Any]:
    """What decides which rows of its files a source gives. The cuts stand only where it can be cut."""
    return {
        "time": source.time,
        "known_at": source.known_at,
        "as_of": _instant(options.as_of) if source.cut_column else None,
        "since": _instant(options.since) if source.time else None,
        "as_file": only_as_file(source, spec),
    }


def only_as_file(source: SourceSpec, spec: PipelineSpec) -> bool:
    """Whether all that consume a source want its files as they are."""
    wanted = [i.annotation for s in spec.steps for i in s.inputs if i.producer.node == source.name]
    return bool(wanted) and all(w == "pathlib.Path" for w in wanted)


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)


def _parameters(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [
        f"parameter {name} {_shown(before.get(name))} → {_shown(now.get(name))}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _inputs(node: Node, before: dict[str, Digest], now: dict[str, Digest]) -> list[str]:
    if isinstance(node, SourceSpec):
        return [] if before == now else [f"{node.location} changed"]
    changed = [f"input {name} changed" for name in now if name in before and before[name] != now[name]]
    added = [f"input {name} is new" for name in now if name not in before]
    return changed + added + [f"input {name} is gone" for name in before if name not in now]
