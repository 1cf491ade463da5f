"""Opening a store: the folder or database behind a URL, checked, migrated, ready."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from solvent.foundation.clock import wall_clock
from solvent.foundation.errors import UsageError
from solvent.store.claims import Claims, FileClaims, PostgresClaims
from solvent.store.filesystem import prepare_folder
from solvent.store.leases import file_lease, postgres_lease
from solvent.store.sessions import session

if TYPE_CHECKING:
    from solvent.lineage.digests import Digest
    from solvent.lineage.entities import Actor
    from solvent.store.facts import Facts
    from solvent.store.facts.database import Database
    from solvent.store.log import Durability, PredictionLog
    from solvent.store.objects import ObjectStore
    from solvent.store.remotes.lender import Lender

MIGRATION_WAIT = 60.0  # seconds
_SCHEMES = ("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")


class NoStore(UsageError):
    code = "no-store"


class BadStoreUrl(UsageError):
    code = "bad-store-url"


class NotAStore(UsageError):
    code = "not-a-store"


class MissingDriver(UsageError):
    code = "missing-driver"


class Unreachable(UsageError):
    code = "database-unreachable"


class Store:
    """Facts, bytes and the prediction log of one project. Close it, or use it as a context manager."""

    def __init__(
        self, facts: Facts, root: Path, durability: Durability = "process", lender: Lender | None = None
    ) -> None:
        self.facts = facts
        self.root = root
        self.durability = durability
        self.lender = lender

    @cached_property
    def objects(self) -> ObjectStore:
        """Bytes by digest."""
        from solvent.store.objects import FolderObjects

        return FolderObjects(self.root / "objects", staging=self.root / "staging", fetch=self.lender)

    def available(self, digest: Digest, size: int) -> bool:
        """Whether a blob of this size is here, or where it can be fetched from when it is read."""
        here = self.objects.hold(digest)
        return here == size or (self.lender is not None and self.lender.size(digest) == size)

    def session(self) -> AbstractContextManager[None]:
        """What is stored or used inside stays until it ends, whatever is collected meanwhile."""
        return session(self.root / "locks")

    @cached_property
    def log(self) -> PredictionLog:
        """Predictions and outcomes, row by row."""
        from solvent.store.log import PredictionLog

        return PredictionLog(self.root / "log", self.facts, self.objects, durability=self.durability)

    def lease(self, name: str, *, wait: float = 0) -> AbstractContextManager[None]:
        """Be the only one who does a named piece of work in this store's project.

        wait: seconds to try for. Freed on leaving and by the holder's death. Raises: Busy.
        """
        database = self.facts.database
        if database.sqlite:
            return file_lease(self.root / "locks", f"{self.facts.project}/{name}", wait=wait)
        return postgres_lease(database.engine, f"{self.facts.project}/{name}", wait=wait)

    def claims(self) -> Claims:
        """A holder of any number of cheap leases on recipes. Use it as a context manager."""
        database = self.facts.database
        if database.sqlite:
            return FileClaims(self.root / "locks", self.facts.project)
        return PostgresClaims(database.engine, self.facts.project)

    def close(self) -> None:
        if "log" in self.__dict__:
            self.log.close()
        self.facts.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(
    url: str,
    *,
    root: Path,
    project: str = "default",
    actor: Actor,
    durability: Durability = "process",
    create: bool = True,
    clock: Callable[[], datetime] = wall_clock,
    lender: Lender | None = None,
    patience: float | None = None,
) -> Store:
    """Open a store, migrate it to this version's schema, and register project and actor.

    url: `sqlite:///PATH` or `postgresql://…`; root: the `.solvent` folder, for objects, log and locks.
    durability: what an acknowledged log row survives, `process` its death, `full` also a power cut.
    create: make it where there is none. clock: the time of recording.
    lender: fetches blobs that are missing here. patience: seconds to wait for another writer, None: a minute.
    Raises: NoStore, BadStoreUrl, NotAStore, StoreTooNew, NetworkFileSystem, ReadOnlyFolder, MissingDriver, Unreachable.
    """
    if not url.startswith(_SCHEMES):
        raise BadStoreUrl(f"`{url}` is no store", next="write sqlite:///PATH or postgresql://USER@HOST/DATABASE")
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else None
    if not create and not (root if file is None else file).exists():
        raise NoStore("there is no store here yet", where=str(root), next="`solvent init` or `solvent run` makes one")
    prepare_folder(root)
    if file is not None:
        prepare_folder(file.parent)
    database = _connect(url, root, patience)
    from solvent.store.facts import Facts

    return Store(Facts(database, project=project, actor=actor, clock=clock), root, durability, lender)


def _connect(url: str, root: Path, patience: float | None) -> Database:
    """The database behind the URL, at this version's schema."""
    from sqlalchemy.exc import DatabaseError, OperationalError

    from solvent.store.facts.database import Database
    from solvent.store.migrate import migrate, needs_migration

    try:
        database = Database(url) if patience is None else Database(url, patience)
    except ModuleNotFoundError as error:
        raise MissingDriver(f"{error.name} is not installed", next="pip install 'solvent[postgres]'") from error
    try:
        with database.engine.connect() as connection:
            behind = needs_migration(connection)
        if behind:
            with file_lease(root / "locks", "migration", wait=MIGRATION_WAIT), database.write() as connection:
                if needs_migration(connection):  # nobody else was first
                    migrate(connection)
    except OperationalError as error:
        database.close()
        raise Unreachable(
            str(error.orig).strip().splitlines()[0], where=_shown(url), next="is the server up and the URL right?"
        ) from error
    except DatabaseError as error:
        database.close()
        raise NotAStore(
            str(error.orig).strip(), where=_shown(url), next="the file was not written by Solvent"
        ) from error
    except BaseException:
        database.close()
        raise
    return database


def _shown(url: str) -> str:
    """A URL without its password."""
    from sqlalchemy import make_url

    return make_url(url).render_as_string(hide_password=True)
