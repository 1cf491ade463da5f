"""What a run is asked for, what it says while it goes, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec

from solvent.lineage.digests import Digest
from solvent.lineage.entities import ArtifactType
from solvent.pipeline.spec import Ref


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values here."""


class Logged(Value, frozen=True, kw_only=True):
    """Extend the features of `model` by logged predictions whose outcome was known by `as_of` (default: the run's).

    hidden: columns of them that the steps after are not shown: each has this one value in every row.
    """

    model: str
    as_of: datetime | None = None
    hidden: dict[str, Any] = {}


class RunOptions(Value, frozen=True, kw_only=True):
    """targets: steps, outputs, sources or models; all without. as_of: nothing known later is seen.

    since: rows before it are left out, by the source's time. parameters: step → name → value.
    keep_going: after a failure, go on with what does not depend on it. force: run even what is fresh.
    """

    targets: tuple[str, ...] = ()
    as_of: datetime | None = None
    since: datetime | None = None
    parameters: dict[str, dict[str, Any]] = {}
    logged: Logged | None = None
    keep_going: bool = True
    workers: int | None = None
    force: bool = False
    tags: dict[str, str] = {}


class StepOutput(Value, frozen=True, kw_only=True):
    """One output. content: digest that ignores how it was written."""

    name: str
    digest: Digest
    content: Digest
    type: ArtifactType
    format: str
    about: dict[str, Any] = {}


EVERYTHING = RunOptions()
State = Literal["ran", "cached", "failed", "skipped", "cancelled"]


class StepResult(Value, frozen=True, kw_only=True):
    """name: full; label: short where unique. run: key of the run that made the outputs, '' where none did.

    error: the fields of the error, for `failed`. notes: warnings, contract breaches and failed attempts included.
    log: artifact. attempts: how many it took.
    """

    name: str
    label: str
    state: State
    reason: str
    seconds: float = 0.0
    outputs: list[StepOutput] = []
    run: str = ""
    error: dict[str, str] | None = None
    notes: list[str] = []
    log: Digest | None = None
    attempts: int = 1


class PipelineRun(Value, frozen=True, kw_only=True):
    """key: of the run that the steps' runs belong to. steps: in order of their end."""

    key: str
    steps: list[StepResult]
    seconds: float

    @property
    def ok(self) -> bool:
        return all(s.state in ("ran", "cached") for s in self.steps)

    def step(self, name: str) -> StepResult:
        """The result of a step by full name or label. Raises: KeyError."""
        for step in self.steps:
            if name in (step.name, step.label):
                return step
        raise KeyError(name)

    def output(self, name: str) -> StepOutput:
        """An output: `fit`, or `split.train` of a step with several. Raises: KeyError."""
        for step in self.steps:
            for output in step.outputs:
                whole = output.name == "result"
                if name in (
                    (step.name, step.label) if whole else (f"{step.name}.{output.name}", f"{step.label}.{output.name}")
                ):
                    return output
        raise KeyError(name)

    def made(self, ref: Ref) -> Digest | None:
        """The artifact that an output was, where the run has it."""
        for step in self.steps:
            if step.name == ref.node:
                return next((output.digest for output in step.outputs if output.name == ref.output), None)
        return None

    def outputs(self, name: str) -> dict[str, StepOutput]:
        """All outputs of a step, by name."""
        return {output.name: output for output in self.step(name).outputs}

    def document(self) -> dict[str, Any]:
        """What `solvent run --json` prints."""
        return {
            "run": self.key,
            "ok": self.ok,
            "seconds": round(self.seconds, 4),
            "steps": [
                {
                    "name": s.name,
                    "state": s.state,
                    "reason": s.reason,
                    "seconds": round(s.seconds, 4),
                    "outputs": [
                        {"name": o.name, "digest": o.digest, "content": o.content, "type": o.type.value}
                        for o in s.outputs
                    ],
                    **({"error": s.error} if s.error else {}),
                    **({"notes": s.notes} if s.notes else {}),
                    **({"attempts": s.attempts} if s.attempts > 1 else {}),
                }
                for s in self.steps
            ],
        }


class StepEvent(Value, frozen=True, kw_only=True):
    """Progress. state: `running` or how it ended; result: once ended; done, total: steps of this run."""

    name: str
    label: str
    state: State | Literal["running"]
    reason: str
    done: int
    total: int
    result: StepResult | None = None


Progress = Callable[[StepEvent], None]
