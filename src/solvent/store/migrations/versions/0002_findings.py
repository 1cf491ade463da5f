"""Findings as series of events, and the audits that saw them. Nothing ever stood in the table of findings before."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.drop_table("finding")
    op.create_table(
        "finding",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("rule", KEY, nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("git_commit", KEY),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_finding_node_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_finding_project_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_finding"),
    )
    op.create_index("ix_finding_project_id_rule", "finding", ["project_id", "rule"])
    op.create_table(
        "audit",
        sa.Column("node_id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("git_commit", KEY),
        sa.Column("rule_set", KEY, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("unread", sa.Text(), nullable=False),
        sa.Column("forecast", sa.Text()),
        sa.ForeignKeyConstraint(["node_id"], ["node.id"], name="fk_audit_node_id"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_audit_project_id"),
        sa.PrimaryKeyConstraint("node_id", name="pk_audit"),
    )
    op.create_index("ix_audit_project_id_at", "audit", ["project_id", "at"])
