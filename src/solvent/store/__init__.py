"""The only room that knows SQL, blobs and paths: metadata, objects, the prediction log.

`open_store` is the door. Behind it lie `Facts` (SQLite or PostgreSQL), objects in a
folder, and append-only log segments. It may touch the `.solvent` folder and the
database it was given, nothing else, and imports only lineage and the foundation.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.store.leases import Busy
    from solvent.store.open import Store, open_store

__all__ = ["Busy", "Store", "open_store"]


def __getattr__(name: str) -> Any:
    """Import on use: `solvent status` answers before SQLAlchemy could have been imported."""
    if name == "Busy":
        from solvent.store.leases import Busy

        return Busy
    if name in {"Store", "open_store"}:
        from solvent.store import open as opening

        return getattr(opening, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
