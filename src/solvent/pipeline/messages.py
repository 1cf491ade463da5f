"""What parent and child processes say to each other, as JSON or MessagePack."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from solvent.lineage.digests import Digest
from solvent.lineage.entities import Artifact
from solvent.pipeline.spec import MapSpec, ModelSpec, OutputSpec, SourceSpec, StepSpec

LOG = "log"  # in a worker's own folder: what the step at hand prints
FILES = "files.json"  # beside it: digests of the project's files as the pipeline was read


class Request(msgspec.Struct, frozen=True):
    """Look at these modules."""

    root: str
    modules: list[str]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What was declared. files, absent: what the answer depends on (see PipelineSpec). code: the code document."""

    steps: tuple[StepSpec, ...] = ()
    sources: tuple[SourceSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()
    maps: tuple[MapSpec, ...] = ()
    files: dict[str, Digest] = {}
    absent: tuple[str, ...] = ()
    code: dict[str, Any] = {}
    error: dict[str, str] | None = None


class TaskInput(msgspec.Struct, frozen=True, kw_only=True):
    """A value to be handed to a parameter. data: its bytes where they may not be stored yet."""

    artifact: Artifact
    annotation: str
    data: bytes | None = None


class StepTask(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    """Call one step. place: its file and line, for errors."""

    module: str
    qualname: str
    place: str
    inputs: dict[str, TaskInput]
    parameters: dict[str, Any]
    positional_only: tuple[str, ...]
    outputs: tuple[OutputSpec, ...]
    several: bool
    data_files: tuple[str, ...]
    project_modules: frozenset[str]
    gathers: dict[str, str] = {}


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a source: where it lies and what it is. checked: its contract check is known already."""

    name: str
    path: str
    artifact: Artifact
    checked: bool


class SourceTask(msgspec.Struct, frozen=True, kw_only=True, tag="source"):
    """Read a source, cut it and check its contract. contract: path of the file, '' for none."""

    source: SourceSpec
    files: tuple[SourceFile, ...]
    raw: Artifact
    as_of: datetime | None
    since: datetime | None
    contract: str
    target_columns: tuple[str, ...]
    as_file: bool


Task = StepTask | SourceTask


class ContractCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How one file fared. broken: violations that are more than a note."""

    file: str
    contract: Artifact
    violations: list[dict[str, Any]]
    ok: bool


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a task failed: the fields of a SolventError, or of one made from the user's exception."""

    code: str
    what: str
    where: str
    next: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a task.

    blobs: bytes by digest that are left to be stored by whoever asked: small outputs and the log.
    seconds: of the whole task; notes: warnings for people.
    """

    outputs: dict[str, Artifact] = {}
    blobs: dict[str, bytes] = {}
    metrics: dict[str, float] = {}
    notes: list[str] = []
    members: list[Artifact] = []
    checks: list[ContractCheck] = []
    failure: Failure | None = None
    seconds: float = 0.0
    max_rss_bytes: float = 0.0
    log: str | None = None
