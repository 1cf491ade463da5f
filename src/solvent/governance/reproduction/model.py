"""What a reproduction is asked and what it answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact, Recipe

Equality = Literal["bytes", "content", "tolerance", "differs"]
Cause = Literal["inputs", "code", "environment", "randomness", "unknown", "failed"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values here."""


class RecordedFile(Value, frozen=True, kw_only=True):
    """One raw file of a source. path: of its object; name: relative to the source's folder, '' for its only file."""

    name: str
    path: str


class RecordedStep(Value, frozen=True, kw_only=True):
    """A run to be repeated. files: of a source. given: taken as recorded (rows of the prediction log).

    document: digest of what its code was made of. environment: the document that its environment tag stood for.
    """

    run: str
    step: str
    recipe: Recipe
    outputs: dict[str, Artifact]
    makers: dict[str, str] = {}
    files: list[RecordedFile] = []
    given: bool = False
    document: str = ""
    environment: dict[str, Any] = {}
    host: str = ""


class Order(Value, frozen=True, kw_only=True):
    """What the child process is to do. root: the checkout; state: of its own store; objects: of the recorded one.

    documents: of the recorded code, by digest.
    """

    root: str
    state: str
    scratch: str
    objects: str
    steps: list[RecordedStep]
    documents: dict[str, dict[str, Any]]
    tolerance: float
    as_of: datetime | None = None
    since: datetime | None = None


class OutputVerdict(Value, frozen=True, kw_only=True):
    """One output. difference: the largest one found, with what it is of, where values could be compared."""

    name: str
    equal: Equality
    recorded: Digest
    made: Digest | None
    difference: str = ""


class StepVerdict(Value, frozen=True, kw_only=True):
    """One step. cause, because: why it differs, in a word and in words."""

    step: str
    run: str
    equal: Equality
    outputs: list[OutputVerdict]
    seconds: float = 0.0
    given: bool = False
    cause: Cause | None = None
    because: str = ""


class VersionNote(Value, frozen=True, kw_only=True):
    """A distribution that was another one; None where it was not installed."""

    distribution: str
    recorded: str | None
    present: str | None


class Outcome(Value, frozen=True, kw_only=True):
    """What the child process says. error: the fields of an error that kept it from running anything."""

    steps: list[StepVerdict] = []
    environment: list[VersionNote] = []
    interpreter: tuple[str, str] | None = None  # recorded, present, where they differ
    notes: list[str] = []
    error: dict[str, str] | None = None


class Reproduction(Value, frozen=True, kw_only=True):
    """The answer. target: run that was repeated; where: `fresh` or `present` environment; record: of this one."""

    what: str
    target: str
    commit: str
    where: Literal["fresh", "present"]
    verdict: Equality
    steps: list[StepVerdict]
    environment: list[VersionNote] = []
    interpreter: tuple[str, str] | None = None
    notes: list[str] = []
    record: str = ""

    @property
    def reproduced(self) -> bool:
        return self.verdict != "differs"

    @property
    def first(self) -> StepVerdict | None:
        """The first step that differs, by the order of the pipeline."""
        return next((step for step in self.steps if step.equal == "differs"), None)


_WORST: tuple[Equality, ...] = ("bytes", "content", "tolerance", "differs")


def worst(verdicts: list[Equality]) -> Equality:
    """The weakest of several equalities.

    >>> worst(["bytes", "tolerance", "content"])
    'tolerance'
    """
    return max(verdicts, key=_WORST.index, default="bytes")
