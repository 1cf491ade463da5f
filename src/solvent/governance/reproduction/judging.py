"""What came of repeating a step, and why it differs where it does."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from solvent.governance.reproduction.model import (
    Cause,
    Equality,
    Order,
    OutputVerdict,
    RecordedStep,
    StepVerdict,
    worst,
)
from solvent.governance.reproduction.tolerance import Place, gap_between
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, Run
from solvent.pipeline import PipelineRun, RunOptions, StepResult, run_pipeline
from solvent.pipeline.changes import distribution_changes
from solvent.pipeline.spec import PipelineSpec, StepSpec
from solvent.pipeline.tasks import project_modules
from solvent.store import Store
from solvent.store.objects import FolderObjects

NAMED = 3  # parts of the code named in a sentence
CHANCE = "unseeded randomness, the clock or the network"


class Judgement:
    """Judges the steps of one repetition, producers first. environment: whether it is another one than recorded."""

    def __init__(
        self,
        order: Order,
        spec: PipelineSpec,
        store: Store,
        run: PipelineRun,
        names: Mapping[str, str],
        changed: Mapping[str, list[str]],
        options: RunOptions,
        *,
        environment: bool,
    ) -> None:
        self.order = order
        self.spec = spec
        self.store = store
        self.run = run
        self.names = names
        self.changed = changed
        self.options = options
        self.environment = environment
        modules = frozenset(project_modules(spec))
        scratch = Path(order.scratch)
        self.then = Place(FolderObjects(Path(order.objects), staging=scratch / "staging"), scratch, modules)
        self.now = Place(store.objects, scratch, modules)
        self.verdicts: dict[str, StepVerdict] = {}
        self._repeated = False

    def all(self, root: Path) -> list[StepVerdict]:
        """A verdict for each recorded step; the first that differs is run once more to tell chance from cause."""
        recorded = {self.names[step.step]: step for step in self.order.steps}
        for name in (name for name in self.spec.order() if name in recorded):
            self.verdicts[recorded[name].step] = self._step(recorded[name], root)
        return list(self.verdicts.values())

    def _step(self, step: RecordedStep, root: Path) -> StepVerdict:
        result = self.run.step(self.names[step.step])
        base = StepVerdict(step=step.step, run=step.run, equal="differs", outputs=[], given=step.given)
        if result.state not in ("ran", "cached"):
            cause, because = self._failure(result, step)
            return replace(base, cause=cause, because=because)
        made = {output.name: output.digest for output in result.outputs}
        artifacts = self.store.facts.artifacts(list(made.values()))
        found = [self._output(step, name, artifacts.get(made.get(name, Digest("")))) for name in step.outputs]
        equal = worst([output.equal for output in found])
        told = replace(base, equal=equal, outputs=found, seconds=result.seconds)
        if equal != "differs":
            return told
        cause, because = self._cause(step, result, root)
        return replace(told, cause=cause, because=because)

    def _output(self, step: RecordedStep, name: str, made: Artifact | None) -> OutputVerdict:
        then = step.outputs[name]
        verdict = OutputVerdict(name=name, equal="differs", recorded=then.digest, made=made.digest if made else None)
        if made is None:
            return verdict
        if made.digest == then.digest:
            return replace(verdict, equal="bytes")
        if made.content == then.content:
            return replace(verdict, equal="content")
        gap = gap_between(then, made, self.then, self.now, self._taken(step))
        if gap is None:
            return verdict
        close: Equality = "tolerance" if gap.relative <= self.order.tolerance else "differs"
        return replace(verdict, equal=close, difference=gap.said)

    def _taken(self, step: RecordedStep) -> list[Artifact]:
        """What the recorded run took from the other recorded steps."""
        makers = {s.run: s for s in self.order.steps}
        return [a for key in step.makers.values() if key in makers for a in makers[key].outputs.values()]

    def _failure(self, result: StepResult, step: RecordedStep) -> tuple[Cause, str]:
        if result.state == "skipped":
            return "inputs", result.reason
        error = result.error or {}
        said = ": ".join(filter(None, (error.get("where", ""), error.get("what", ""))))
        code = f"; {_code(self.changed[step.step])}" if step.step in self.changed else ""
        return "failed", f"it failed: {said or result.reason}{code}"

    def _cause(self, step: RecordedStep, result: StepResult, root: Path) -> tuple[Cause, str]:
        """The first cause that explains it, from the inputs outwards."""
        run = self.store.facts.run(result.run)
        inputs = self._inputs(step, run)
        if inputs:
            return "inputs", f"what it takes differs: {', '.join(inputs)}"
        if step.step in self.changed:
            return "code", _code(self.changed[step.step])
        if not self._repeated and isinstance(self.spec.nodes[self.names[step.step]], StepSpec):
            self._repeated = True
            again = self._again(result, root)
            if again is not None and _contents(again) != _contents(result):
                return "randomness", f"two executions on equal inputs gave different results: {CHANCE}"
        own = run.start.recipe if run else None
        if own is not None and own.environment != step.recipe.environment:
            return "environment", self._environment(step)
        if self.environment:
            return "environment", "it runs the same every time here, and packages that it does not import itself differ"
        other = f"another machine (it ran on {step.host}), " if step.host != socket.gethostname() else ""
        return "unknown", f"it runs the same every time here: {other}another thread count, clock or outside file"

    def _inputs(self, step: RecordedStep, run: Run | None) -> list[str]:
        now = run.start.recipe.inputs if run and run.start.recipe else {}
        return [name for name, content in step.recipe.inputs.items() if now.get(name) != content]

    def _environment(self, step: RecordedStep) -> str:
        """What of the environment that counts for a step is another: packages, or else variables or the platform."""
        node = self.spec.nodes[self.names[step.step]]
        now = list(node.distributions) if isinstance(node, StepSpec) else []
        facts = self.order.documents.get(step.document, {}).get("steps", {}).get(step.step, {})
        packages = distribution_changes(list(facts.get("distributions", now)), now)
        if packages:
            return f"its packages differ: {', '.join(packages)}"
        variables = list(node.env) if isinstance(node, StepSpec) else []
        return f"the environment variable {' or '.join(variables)} differs" if variables else "the platform differs"

    def _again(self, result: StepResult, root: Path) -> StepResult | None:
        """The step once more, on the same inputs: its first outputs are thrown away, so that no cache answers."""
        for output in result.outputs:
            self.store.objects.delete(output.digest)
        options = replace(self.options, targets=(result.name,))
        return run_pipeline(root, self.spec, self.store, options).step(result.name)


def _contents(result: StepResult) -> dict[str, Digest]:
    return {output.name: output.content for output in result.outputs}


def _code(parts: list[str]) -> str:
    more = f" and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
    return f"its code is another: {'; '.join(parts[:NAMED])}{more}"
