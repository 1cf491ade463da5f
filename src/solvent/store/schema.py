"""The tables of the metadata: one text for SQLite and PostgreSQL.

`node` and `edge` are the lineage graph; the typed tables hold what a kind of node
says beside, keyed by the node's id. Times are microseconds since 1970 UTC, JSON is
canonical text, keys compare by code point on both databases. Content (artifacts,
recipes, their columns) belongs to the shared project 0, so that lineage crosses
projects; everything else belongs to the project that recorded it.

What stands here and what the migrations build must agree; a test compares them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

HEAD = "0002"  # the newest migration; migrations are numbered so that text order is their order
SHARED_PROJECT = 0

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")  # INTEGER PRIMARY KEY is SQLite's row id
Micros = BigInteger
Key = Text().with_variant(Text(collation="C"), "postgresql")
Json = Text


def _id() -> Column[int]:
    """A surrogate key; the one writer at a time assigns it (see `Database.next_id`)."""
    return Column("id", Id, primary_key=True, autoincrement=False)


def _of_node() -> Column[int]:
    return Column("node_id", Id, ForeignKey("node.id"), primary_key=True, autoincrement=False)


project = Table(
    "project",
    metadata,
    _id(),
    Column("name", Key, nullable=False, unique=True),
    Column("created_at", Micros, nullable=False),
)

actor = Table(
    "actor",
    metadata,
    _id(),
    Column("kind", Key, nullable=False),
    Column("name", Key, nullable=False),
    UniqueConstraint("kind", "name"),
)

node = Table(
    "node",
    metadata,
    _id(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("kind", Key, nullable=False),
    Column("key", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("happened_at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
    Column("actor_id", Id, ForeignKey("actor.id"), nullable=False),
    UniqueConstraint("key", "kind", "project_id"),  # key first: it is found by prefix, too
    Index(None, "name"),
)

# What an edge is to a traversal. Equal bytes may come of several runs; what a run built on is the run that made
# its input *then*, linked to it directly. So a walk does not go on through the bytes themselves where it came to
# them from a run: via=OUTPUT leads from a run to what it made, via=INPUT from an artifact to who took it from a
# run that is linked itself, and PLAIN is everything else.
PLAIN, OUTPUT, INPUT = 0, 1, 2

edge = Table(
    "edge",
    metadata,
    Column("target_id", Id, ForeignKey("node.id"), nullable=False, autoincrement=False),
    Column("source_id", Id, ForeignKey("node.id"), nullable=False, autoincrement=False),
    Column("role", Key, nullable=False),
    Column("via", Integer, nullable=False, server_default=text("0")),
    # Both directions are answered from an index alone.
    PrimaryKeyConstraint("target_id", "source_id", "role", postgresql_include=["via"]),
    Index(None, "source_id", "target_id", "role", "via"),
    sqlite_with_rowid=False,
)

artifact = Table(
    "artifact",
    metadata,
    _of_node(),
    Column("content", Key, nullable=False, index=True),
    Column("type", Key, nullable=False),
    Column("format", Key, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("about", Json, nullable=False),
    Column("erased_at", Micros),
)

digest_alias = Table(
    "digest_alias",
    metadata,
    Column("algorithm", Key, primary_key=True),
    Column("value", Key, primary_key=True),
    Column("artifact_id", Id, ForeignKey("artifact.node_id"), primary_key=True, autoincrement=False),
)

recipe = Table(
    "recipe",
    metadata,
    _of_node(),
    Column("code", Key, nullable=False),
    Column("environment", Key, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("inputs", Json, nullable=False),
)

experiment = Table(
    "experiment",
    metadata,
    _id(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("name", Key, nullable=False),
    Column("created_at", Micros, nullable=False),
    UniqueConstraint("project_id", "name"),
)

run = Table(
    "run",
    metadata,
    _of_node(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("experiment_id", Id, ForeignKey("experiment.id")),
    Column("recipe_id", Id, ForeignKey("recipe.node_id")),
    Column("parent_id", Id, ForeignKey("run.node_id"), index=True),
    Column("step", Key, nullable=False),
    Column("host", Key, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("git_commit", Key),
    Column("tags", Json, nullable=False),
    Column("started_at", Micros, nullable=False),
    # Written once, when the run ends.
    Column("status", Key, nullable=False),
    Column("ended_at", Micros),
    Column("end_recorded_at", Micros),
    Column("log", Key),
    Column("error", Text),
    Column("resources", Json),
    Index(None, "recipe_id", "status"),
    Index(None, "project_id", "status"),
    Index(None, "step", "node_id"),
)

run_parameter = Table(
    "run_parameter",
    metadata,
    Column("run_id", Id, ForeignKey("run.node_id"), primary_key=True, autoincrement=False),
    Column("name", Key, primary_key=True),
    Column("value", Text, nullable=False),
)

run_metric = Table(
    "run_metric",
    metadata,
    Column("run_id", Id, ForeignKey("run.node_id"), primary_key=True, autoincrement=False),
    Column("name", Key, primary_key=True),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("happened_at", Micros, primary_key=True, autoincrement=False),
    Column("value", Double),  # null is not-a-number: SQLite keeps no NaN
    sqlite_with_rowid=False,
)

event = Table(  # what may change is a series of events with a current view
    "event",
    metadata,
    _id(),
    Column("node_id", Id, ForeignKey("node.id"), nullable=False),
    Column("name", Key, nullable=False),
    Column("value", Json, nullable=False),
    Column("at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
    Column("actor_id", Id, ForeignKey("actor.id"), nullable=False),
    Index(None, "node_id", "name", "at", "id"),
)

model = Table(
    "model",
    metadata,
    _of_node(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("name", Key, nullable=False),
    UniqueConstraint("project_id", "name"),
)

version = Table(
    "version",
    metadata,
    _of_node(),
    Column("model_id", Id, ForeignKey("model.node_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("artifact_id", Id, ForeignKey("artifact.node_id"), nullable=False),
    Column("run_id", Id, ForeignKey("run.node_id")),
    Column("created_at", Micros, nullable=False),
    Column("signature", Json, nullable=False),
    Column("contract_id", Id, ForeignKey("artifact.node_id")),
    Column("reference_id", Id, ForeignKey("artifact.node_id")),
    Column("about", Json, nullable=False),
    UniqueConstraint("model_id", "number"),
)

decision = Table(
    "decision",
    metadata,
    _of_node(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("previous", Key, nullable=False),
    Column("hash", Key, nullable=False),
    Column("commitment", Key, nullable=False),
    Column("salt", Key),  # erased together with the reason
    Column("reason", Text),
    Column("action", Key, nullable=False),
    Column("actor_kind", Key, nullable=False),
    Column("actor_name", Key, nullable=False),
    Column("at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
    Column("model", Key),
    Column("number", Integer),
    Column("policy", Key),
    Column("evidence", Json, nullable=False),
    Column("rests_on", Json, nullable=False),
    Column("effect", Key),
    UniqueConstraint("project_id", "position"),
    UniqueConstraint("project_id", "effect"),
    Index(None, "project_id", "model", "at"),
)

chain = Table(  # the end of a project's chain, so that a cut tail shows
    "chain",
    metadata,
    Column("project_id", Id, ForeignKey("project.id"), primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("head", Key, nullable=False),
)

alias_move = Table(
    "alias_move",
    metadata,
    _id(),
    Column("model_id", Id, ForeignKey("model.node_id"), nullable=False),
    Column("alias", Key, nullable=False),
    Column("version_id", Id, ForeignKey("version.node_id")),
    Column("at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
    Column("decision_id", Id, ForeignKey("decision.node_id"), nullable=False),
    Index(None, "model_id", "alias", "at"),
)

deployment = Table(  # an endpoint answers with this version from `at` on; null: with none
    "deployment",
    metadata,
    _of_node(),
    Column("model_id", Id, ForeignKey("model.node_id"), nullable=False),
    Column("endpoint", Key, nullable=False),
    Column("version_id", Id, ForeignKey("version.node_id")),
    Column("at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
    Index(None, "model_id", "endpoint", "at"),
)

segment = Table(
    "segment",
    metadata,
    Column("artifact_id", Id, ForeignKey("artifact.node_id"), primary_key=True, autoincrement=False),
    Column("model_id", Id, ForeignKey("model.node_id"), primary_key=True, autoincrement=False),
    Column("kind", Key, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("first", Micros, nullable=False),
    Column("last", Micros, nullable=False),
    Column("sealed_at", Micros, nullable=False),
    Column("about", Json, nullable=False),
    Column("dropped_at", Micros),  # by retention
    Index(None, "model_id", "kind", "first"),
)

dataset_version = Table(
    "dataset_version",
    metadata,
    _id(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("name", Key, nullable=False),
    Column("number", Integer, nullable=False),
    Column("artifact_id", Id, ForeignKey("artifact.node_id"), nullable=False, index=True),
    Column("files", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("message", Text, nullable=False),
    Column("url", Text),
    Column("changes", Json, nullable=False),
    Column("at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
    Column("actor_id", Id, ForeignKey("actor.id"), nullable=False),
    UniqueConstraint("project_id", "name", "number"),
)

measurement = Table(
    "measurement",
    metadata,
    _id(),
    Column("model_id", Id, ForeignKey("model.node_id"), nullable=False),
    Column("number", Integer),
    Column("name", Key, nullable=False),
    Column("window_start", Micros, nullable=False),
    Column("window_end", Micros, nullable=False),
    Column("slice", Key, nullable=False),
    Column("value", Double),
    Column("unit", Text, nullable=False),
    Column("lower", Double),
    Column("upper", Double),
    Column("level", Double),
    Column("rows", BigInteger, nullable=False),
    Column("about", Json, nullable=False),
    Column("measured_at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
    Index(None, "model_id", "name", "window_start"),
    Index(None, "model_id", "window_start"),
)

alert = Table(
    "alert",
    metadata,
    _of_node(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("model_id", Id, ForeignKey("model.node_id"), nullable=False),
    Column("number", Integer),
    Column("kind", Key, nullable=False),
    Column("at", Micros, nullable=False),
    Column("window_start", Micros, nullable=False),
    Column("window_end", Micros, nullable=False),
    Column("title", Text, nullable=False),
    Column("cause", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("effect", Key, nullable=False),
    UniqueConstraint("project_id", "effect"),
    Index(None, "model_id", "at"),
)

contract_check = Table(
    "contract_check",
    metadata,
    _id(),
    Column("artifact_id", Id, ForeignKey("artifact.node_id"), nullable=False, index=True),
    Column("contract", Key, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("violations", Json, nullable=False),
    Column("at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
)

tick = Table(
    "tick",
    metadata,
    _id(),
    Column("model_id", Id, ForeignKey("model.node_id"), nullable=False),
    Column("now", Micros, nullable=False),
    Column("policy", Key, nullable=False),
    Column("started_at", Micros, nullable=False),
    Column("recorded_at", Micros, nullable=False),
    Column("about", Json, nullable=False),
    UniqueConstraint("model_id", "now", "policy"),
)

finding = Table(  # what happened to it and where it stands are events of its node: `finding` and `place`
    "finding",
    metadata,
    _of_node(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("rule", Key, nullable=False),
    Column("first_seen_at", Micros, nullable=False),
    Column("git_commit", Key),
    Index(None, "project_id", "rule"),
)

audit = Table(  # an audit of the whole project; how its forecast was scored later is an event `score` of its node
    "audit",
    metadata,
    _of_node(),
    Column("project_id", Id, ForeignKey("project.id"), nullable=False),
    Column("at", Micros, nullable=False),
    Column("git_commit", Key),
    Column("rule_set", Key, nullable=False),
    Column("rules", Json, nullable=False),  # codes that looked
    Column("unread", Json, nullable=False),  # paths that were not analysed
    Column("forecast", Json),
    Index(None, "project_id", "at"),
)

Index("ix_run_open", run.c.host, sqlite_where=text("status = 'running'"), postgresql_where=text("status = 'running'"))
