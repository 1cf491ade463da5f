"""Everything of the lineage graph's first design."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "actor",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_actor"),
        sa.UniqueConstraint("kind", "name", name="uq_actor_kind_name"),
    )
    op.create_table(
        "project",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_project"),
        sa.UniqueConstraint("name", name="uq_project_name"),
    )
    op.create_table(
        "chain",
        sa.Column("project_id", ID, nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("head", KEY, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_chain_project_id"),
        sa.PrimaryKeyConstraint("project_id", name="pk_chain"),
    )
    op.create_table(
        "experiment",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_experiment_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_experiment"),
        sa.UniqueConstraint("project_id", "name", name="uq_experiment_project_id_name"),
    )
    op.create_table(
        "node",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name="fk_node_actor_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_node_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_node"),
        sa.UniqueConstraint("key", "kind", "project_id", name="uq_node_key_kind_project_id"),
    )
    op.create_index("ix_node_name", "node", ["name"])
    op.create_table(
        "artifact",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("content", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("format", KEY, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_artifact_node_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_artifact"),
    )
    op.create_index("ix_artifact_content", "artifact", ["content"])
    op.create_table(
        "decision",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("previous", KEY, nullable=False),
        sa.Column("hash", KEY, nullable=False),
        sa.Column("commitment", KEY, nullable=False),
        sa.Column("salt", KEY),
        sa.Column("reason", sa.Text()),
        sa.Column("action", KEY, nullable=False),
        sa.Column("actor_kind", KEY, nullable=False),
        sa.Column("actor_name", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("model", KEY),
        sa.Column("number", sa.Integer()),
        sa.Column("policy", KEY),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("rests_on", sa.Text(), nullable=False),
        sa.Column("effect", KEY),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_decision_node_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_decision_project_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_decision"),
        sa.UniqueConstraint("project_id", "effect", name="uq_decision_project_id_effect"),
        sa.UniqueConstraint("project_id", "position", name="uq_decision_project_id_position"),
    )
    op.create_index("ix_decision_project_id_model_at", "decision", ["project_id", "model", "at"])
    op.create_table(
        "edge",
        sa.Column("target_id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("role", KEY, nullable=False),
        sa.Column("via", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["node.id"], name="fk_edge_source_id"),
        sa.ForeignKeyConstraint(["target_id"], ["node.id"], name="fk_edge_target_id"),
        sa.PrimaryKeyConstraint("target_id", "source_id", "role", name="pk_edge", postgresql_include=["via"]),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_edge_source_id_target_id_role_via", "edge", ["source_id", "target_id", "role", "via"])
    op.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("node_id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name="fk_event_actor_id"),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_event_node_id"),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_node_id_name_at_id", "event", ["node_id", "name", "at", "id"])
    op.create_table(
        "finding",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("rule", KEY, nullable=False),
        sa.Column("path", KEY, nullable=False),
        sa.Column("line", sa.Integer()),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("interest", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("git_commit", KEY),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_finding_node_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_finding_project_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_finding"),
    )
    op.create_index("ix_finding_project_id_rule", "finding", ["project_id", "rule"])
    op.create_table(
        "model",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_model_node_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_model_project_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_model"),
        sa.UniqueConstraint("project_id", "name", name="uq_model_project_id_name"),
    )
    op.create_table(
        "recipe",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("environment", KEY, nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_recipe_node_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_recipe"),
    )
    op.create_table(
        "alert",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("model_id", ID, nullable=False),
        sa.Column("number", sa.Integer()),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("window_start", sa.BigInteger(), nullable=False),
        sa.Column("window_end", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("effect", KEY, nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.node_id"], name="fk_alert_model_id"),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_alert_node_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_alert_project_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_alert"),
        sa.UniqueConstraint("project_id", "effect", name="uq_alert_project_id_effect"),
    )
    op.create_index("ix_alert_model_id_at", "alert", ["model_id", "at"])
    op.create_table(
        "contract_check",
        sa.Column("id", ID, nullable=False),
        sa.Column("artifact_id", ID, nullable=False),
        sa.Column("contract", KEY, nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("violations", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifact.node_id"], name="fk_contract_check_artifact_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contract_check"),
    )
    op.create_index("ix_contract_check_artifact_id", "contract_check", ["artifact_id"])
    op.create_table(
        "dataset_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("artifact_id", ID, nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name="fk_dataset_version_actor_id"),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifact.node_id"], name="fk_dataset_version_artifact_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_dataset_version_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_version"),
        sa.UniqueConstraint("project_id", "name", "number", name="uq_dataset_version_project_id_name_number"),
    )
    op.create_index("ix_dataset_version_artifact_id", "dataset_version", ["artifact_id"])
    op.create_table(
        "digest_alias",
        sa.Column("algorithm", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("artifact_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifact.node_id"], name="fk_digest_alias_artifact_id"),
        sa.PrimaryKeyConstraint("algorithm", "value", "artifact_id", name="pk_digest_alias"),
    )
    op.create_table(
        "measurement",
        sa.Column("id", ID, nullable=False),
        sa.Column("model_id", ID, nullable=False),
        sa.Column("number", sa.Integer()),
        sa.Column("name", KEY, nullable=False),
        sa.Column("window_start", sa.BigInteger(), nullable=False),
        sa.Column("window_end", sa.BigInteger(), nullable=False),
        sa.Column("slice", KEY, nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("lower", sa.Double()),
        sa.Column("upper", sa.Double()),
        sa.Column("level", sa.Double()),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("measured_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.node_id"], name="fk_measurement_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_measurement"),
    )
    op.create_index("ix_measurement_model_id_name_window_start", "measurement", ["model_id", "name", "window_start"])
    op.create_index("ix_measurement_model_id_window_start", "measurement", ["model_id", "window_start"])
    op.create_table(
        "run",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("experiment_id", ID),
        sa.Column("recipe_id", ID),
        sa.Column("parent_id", ID),
        sa.Column("step", KEY, nullable=False),
        sa.Column("host", KEY, nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("git_commit", KEY),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("status", KEY, nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("end_recorded_at", sa.BigInteger()),
        sa.Column("log", KEY),
        sa.Column("error", sa.Text()),
        sa.Column("resources", sa.Text()),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_run_experiment_id"),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_run_node_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["run.node_id"], name="fk_run_parent_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_run_project_id"),
        sa.ForeignKeyConstraint(["recipe_id"], ["recipe.node_id"], name="fk_run_recipe_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_run"),
    )
    op.create_index(
        "ix_run_open",
        "run",
        ["host"],
        unique=False,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index("ix_run_parent_id", "run", ["parent_id"])
    op.create_index("ix_run_project_id_status", "run", ["project_id", "status"])
    op.create_index("ix_run_recipe_id_status", "run", ["recipe_id", "status"])
    op.create_index("ix_run_step_node_id", "run", ["step", "node_id"])
    op.create_table(
        "segment",
        sa.Column("artifact_id", ID, nullable=False),
        sa.Column("model_id", ID, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("dropped_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifact.node_id"], name="fk_segment_artifact_id"),
        sa.ForeignKeyConstraint(["model_id"], ["model.node_id"], name="fk_segment_model_id"),
        sa.PrimaryKeyConstraint("artifact_id", "model_id", "kind", name="pk_segment"),
    )
    op.create_index("ix_segment_model_id_kind_first", "segment", ["model_id", "kind", "first"])
    op.create_table(
        "tick",
        sa.Column("id", ID, nullable=False),
        sa.Column("model_id", ID, nullable=False),
        sa.Column("now", sa.BigInteger(), nullable=False),
        sa.Column("policy", KEY, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.node_id"], name="fk_tick_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tick"),
        sa.UniqueConstraint("model_id", "now", "policy", name="uq_tick_model_id_now_policy"),
    )
    op.create_table(
        "run_metric",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double()),
        sa.ForeignKeyConstraint(["run_id"], ["run.node_id"], name="fk_run_metric_run_id"),
        sa.PrimaryKeyConstraint("run_id", "name", "step", "happened_at", name="pk_run_metric"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_parameter",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.node_id"], name="fk_run_parameter_run_id"),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_run_parameter"),
    )
    op.create_table(
        "version",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("model_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("artifact_id", ID, nullable=False),
        sa.Column("run_id", ID),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("contract_id", ID),
        sa.Column("reference_id", ID),
        sa.Column("about", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifact.node_id"], name="fk_version_artifact_id"),
        sa.ForeignKeyConstraint(["contract_id"], ["artifact.node_id"], name="fk_version_contract_id"),
        sa.ForeignKeyConstraint(["model_id"], ["model.node_id"], name="fk_version_model_id"),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_version_node_id"),
        sa.ForeignKeyConstraint(["reference_id"], ["artifact.node_id"], name="fk_version_reference_id"),
        sa.ForeignKeyConstraint(["run_id"], ["run.node_id"], name="fk_version_run_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_version"),
        sa.UniqueConstraint("model_id", "number", name="uq_version_model_id_number"),
    )
    op.create_table(
        "alias_move",
        sa.Column("id", ID, nullable=False),
        sa.Column("model_id", ID, nullable=False),
        sa.Column("alias", KEY, nullable=False),
        sa.Column("version_id", ID),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.node_id"], name="fk_alias_move_decision_id"),
        sa.ForeignKeyConstraint(["model_id"], ["model.node_id"], name="fk_alias_move_model_id"),
        sa.ForeignKeyConstraint(["version_id"], ["version.node_id"], name="fk_alias_move_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alias_move"),
    )
    op.create_index("ix_alias_move_model_id_alias_at", "alias_move", ["model_id", "alias", "at"])
    op.create_table(
        "deployment",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("model_id", ID, nullable=False),
        sa.Column("endpoint", KEY, nullable=False),
        sa.Column("version_id", ID),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.node_id"], name="fk_deployment_model_id"),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_deployment_node_id"),
        sa.ForeignKeyConstraint(["version_id"], ["version.node_id"], name="fk_deployment_version_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_deployment"),
    )
    op.create_index("ix_deployment_model_id_endpoint_at", "deployment", ["model_id", "endpoint", "at"])
    op.execute("INSERT INTO project (id, name, created_at) VALUES (0, '', 0)")  # shared content
