"""The facts of the lineage graph as immutable values.

Every fact is recorded once and never changed. `happened_at` is when it was true
in the world, `recorded_at` when the store learned of it; both are UTC. Nodes are
found by (kind, key): a digest for content, a UUIDv7 for runs and events, a path
of names (`bike-demand/3`) for what people name. An edge points downstream, from
what was used to what came of it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from solvent.foundation.clock import from_micros
from solvent.lineage.digests import Digest


class NodeKind(StrEnum):
    """What a node of the graph is; the value is stored."""

    ARTIFACT = "artifact"
    RECIPE = "recipe"
    RUN = "run"
    MODEL = "model"
    VERSION = "version"
    DEPLOYMENT = "deployment"
    MEASUREMENT = "measurement"
    ALERT = "alert"
    DECISION = "decision"
    COLUMN = "column"
    FINDING = "finding"
    AUDIT = "audit"


class ArtifactType(StrEnum):
    DATASET = "dataset"
    MODEL = "model"
    METRICS = "metrics"
    FIGURE = "figure"
    REPORT = "report"
    PREDICTIONS = "predictions"
    OUTCOMES = "outcomes"
    PROFILE = "profile"
    CONTRACT = "contract"
    LOG = "log"
    EVIDENCE = "evidence"
    ANY = "any"


class RunStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # its process died before it could say how it ended


class Action(StrEnum):
    """What a decision does."""

    RETRAIN = "retrain"
    PROMOTE = "promote"
    HOLD = "hold"
    REFUSE = "refuse"
    ROLL_BACK = "roll-back"
    APPROVE = "approve"
    WAIVE = "waive"
    ERASE = "erase"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all entities."""


class Actor(Fact, frozen=True, kw_only=True):
    """Who caused a fact. kind: person, token, policy or scheduler."""

    kind: str
    name: str


class Artifact(Fact, frozen=True, kw_only=True):
    """Bytes named by digest.

    content: digest that ignores what does not matter (row groups, dump time); equal
        content of two artifacts means 'the same value'.
    format: serialiser that wrote it (`parquet`, `skops`, `json`, `tree`, …).
    size: bytes. about: small JSON facts (rows, columns with types, python type).
    """

    digest: Digest
    content: Digest
    type: ArtifactType
    format: str
    size: int
    about: dict[str, Any] = msgspec.field(default_factory=dict)
    recorded_at: datetime | None = None
    erased_at: datetime | None = None


class Recipe(Fact, frozen=True, kw_only=True):
    """What would be computed; its digest is the cache key. The step's name is no part of it."""

    digest: Digest
    code: Digest
    environment: Digest
    parameters: dict[str, Any]
    inputs: dict[str, Digest]  # content digests by parameter name


class RunStart(Fact, frozen=True, kw_only=True):
    """One execution begins. recipe is None for a run that a client merely logs.

    makers: several runs may have made the same bytes; these are the ones that this run built on. Where it
    is silent, the newest finished run that made an input counts.
    """

    key: str
    step: str
    started_at: datetime
    recipe: Recipe | None = None
    inputs: dict[str, Digest] = msgspec.field(default_factory=dict)  # artifact digests by parameter name
    makers: dict[str, str] = msgspec.field(default_factory=dict)  # by parameter name, the run whose output it is
    parent: str | None = None  # key of the pipeline run that this step belongs to
    host: str = ""
    pid: int = 0
    git_commit: str | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class RunEnd(Fact, frozen=True, kw_only=True):
    """How it ended, with everything that it made: recorded in one transaction."""

    key: str
    status: RunStatus
    ended_at: datetime
    outputs: dict[str, Artifact] = msgspec.field(default_factory=dict)  # by output name
    metrics: dict[str, float] = msgspec.field(default_factory=dict)
    log: Digest | None = None
    error: str | None = None
    resources: dict[str, float] = msgspec.field(default_factory=dict)  # seconds, max_rss_bytes, threads


class Run(Fact, frozen=True, kw_only=True):
    """A run as the store tells it: its start and, once there is one, its end."""

    start: RunStart
    end: RunEnd | None = None

    @property
    def status(self) -> RunStatus:
        return self.end.status if self.end else RunStatus.RUNNING


class ModelVersion(Fact, frozen=True, kw_only=True):
    """A numbered version of a model: an artifact and the run that made it.

    signature: what serving needs: task, target, metric, time, id, features (name → type), output columns.
    contract, reference: artifacts; the reference is the version's own evaluation data with outputs.
    """

    model: str
    number: int
    artifact: Digest
    run: str | None
    created_at: datetime
    signature: dict[str, Any]
    contract: Digest | None = None
    reference: Digest | None = None
    about: dict[str, Any] = msgspec.field(default_factory=dict)  # span, trained_until, metrics, reason

    @property
    def name(self) -> str:
        return f"{self.model}/{self.number}"


class AliasMove(Fact, frozen=True, kw_only=True):
    """An alias points at a version from `at` on (None: at nothing); every move is a decision."""

    model: str
    alias: str
    number: int | None
    at: datetime
    decision: str  # key of the decision


class NewDecision(Fact, frozen=True, kw_only=True):
    """A decision before it has its place in the chain.

    effect: unique per project: the same effect is decided once, whoever repeats it.
    reason: a sentence for people; it enters the chain as a salted commitment, so it can be erased.
    evidence: figures and artifact digests that it rests on; rests_on: node keys by kind.
    """

    action: Action
    actor: Actor
    at: datetime
    reason: str
    model: str | None = None
    number: int | None = None
    policy: str | None = None
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)
    rests_on: list[tuple[NodeKind, str]] = msgspec.field(default_factory=list)
    effect: str | None = None


class Decision(Fact, frozen=True, kw_only=True):
    """A decision in its project's hash chain."""

    key: str
    position: int
    previous: Digest
    hash: Digest
    salt: str
    recorded_at: datetime
    decision: NewDecision


class Measurement(Fact, frozen=True, kw_only=True):
    """A monitor's figure over one window, with its uncertainty.

    name: `loss.realised`, `loss.estimated`, `drift.temp`, `volume`, … ; slice: '' for all rows.
    lower, upper: the interval at `level`; None where the figure is exact.
    """

    model: str
    number: int | None
    name: str
    window_start: datetime
    window_end: datetime
    value: float | None
    unit: str
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    rows: int = 0
    slice: str = ""
    about: dict[str, Any] = msgspec.field(default_factory=dict)
    measured_at: datetime | None = None  # the clock of the tick that measured it


class Alert(Fact, frozen=True, kw_only=True):
    """Something that a person or a policy should know, with its cause.

    kind: contract, drift, performance, gap, shock, … ; effect: unique per project, so a
    repeated tick raises it once. test, effect_size, false_alarms: what the alarm was held to.
    """

    key: str
    model: str
    number: int | None
    kind: str
    at: datetime
    window_start: datetime
    window_end: datetime
    title: str
    cause: dict[str, Any]
    evidence: dict[str, Any]
    effect: str


class Segment(Fact, frozen=True, kw_only=True):
    """A sealed piece of the prediction log: an artifact and what it covers.

    kind: predictions or outcomes; first, last: event times (predictions) or known-at times (outcomes).
    """

    digest: Digest
    kind: str
    model: str
    rows: int
    first: datetime
    last: datetime
    sealed_at: datetime
    about: dict[str, Any] = msgspec.field(default_factory=dict)


class DatasetVersion(Fact, frozen=True, kw_only=True):
    """A dataset as it was added once. name: its path in the project; artifact: the file's, or the topmost tree's.

    files, size: how many and how many bytes they have. changes: how many files were added, removed and
    changed since the version before. actor, recorded_at: None until the store has it.
    """

    name: str
    number: int
    artifact: Digest
    files: int
    size: int
    at: datetime
    message: str = ""
    url: str | None = None
    changes: dict[str, int] = msgspec.field(default_factory=dict)
    actor: Actor | None = None
    recorded_at: datetime | None = None


class Node(Fact, frozen=True, kw_only=True, gc=False):
    """A node as traversal returns it. id: surrogate, of this store only.

    happened_us, recorded_us: microseconds since 1970 UTC; an answer has a hundred thousand nodes and shows few.
    It holds nothing that could hold it, so that the collector need not look at it; an edge likewise.
    """

    id: int
    kind: NodeKind
    key: str
    name: str
    happened_us: int
    recorded_us: int

    @property
    def happened_at(self) -> datetime:
        return from_micros(self.happened_us)

    @property
    def recorded_at(self) -> datetime:
        return from_micros(self.recorded_us)


class Edge(Fact, frozen=True, gc=False):
    """source was used for target; role: parameter or output name, `member`, `version-of`, `supersedes`, …"""

    source: int
    target: int
    role: str


class Subgraph(Fact, frozen=True, kw_only=True):
    """What a traversal found; truncated says that `limit` nodes were not enough."""

    root: int
    nodes: list[Node]
    edges: list[Edge]
    truncated: bool = False
