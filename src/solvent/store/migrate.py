"""Bring a database to the newest schema; Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from solvent.foundation.errors import UsageError
from solvent.store import schema


class StoreTooNew(UsageError):
    code = "store-too-new"


def schema_version(connection: Connection) -> str | None:
    """The newest migration that the database has seen; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def needs_migration(connection: Connection) -> bool:
    """Raises: StoreTooNew."""
    found = schema_version(connection)
    if found is not None and found > schema.HEAD:
        raise StoreTooNew(
            f"the store was written by a newer Solvent (schema {found}; this one knows {schema.HEAD})",
            next="upgrade: pip install --upgrade solvent",
        )
    return found != schema.HEAD


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the missing migrations inside the transaction of the connection: all of them or none."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
