"""The answers of `quick`, from an opened store: for PostgreSQL, and for a store that was just migrated."""

from __future__ import annotations

from sqlalchemy import text

from solvent.store.open import Store
from solvent.store.quick import QuickStatus, status_by


def overview(store: Store) -> QuickStatus:
    """What the store says about its project at a glance."""
    mine = {"project": store.facts.project_id}
    with store.facts.database.read() as connection:
        return status_by(lambda query: connection.execute(text(query), mine).all())
