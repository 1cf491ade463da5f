"""Alembic's entry: runs migrations on the connection that `store.migrate` hands over."""

from alembic import context

from solvent.store import schema

context.configure(connection=context.config.attributes["connection"], target_metadata=schema.metadata)
with context.begin_transaction():
    context.run_migrations()
