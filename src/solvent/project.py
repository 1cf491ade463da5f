"""A project: a folder with its settings, its store and its pipeline, each opened on first use."""

from __future__ import annotations

import getpass
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from solvent.foundation.errors import UsageError
from solvent.foundation.settings import Settings, load_settings

if TYPE_CHECKING:
    from solvent.lineage.entities import Actor
    from solvent.pipeline.spec import PipelineSpec
    from solvent.store import Store
    from solvent.store.quick import QuickStore
    from solvent.store.remotes import Remote

MARKERS = ("solvent.toml", ".solvent", "pipeline.py", "pipelines")


class NoProject(UsageError):
    code = "no-project"

    def __init__(self, start: Path) -> None:
        super().__init__(f"no Solvent project in {start} or above it", next="`solvent init` makes one here")


class Project:
    """root: the folder that holds `solvent.toml` or `pipeline.py`; state lives in `root/.solvent`.

    patience: seconds to wait for another writer of the store; None: as long as the store thinks right.
    """

    def __init__(self, root: Path, *, patience: float | None = None) -> None:
        self.root = root
        self.patience = patience
        self.settings: Settings = load_settings(root)

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The project of the working folder or of the nearest folder above it.

        Raises: NoProject, BadSettings.
        """
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if any((folder / marker).exists() for marker in MARKERS):
                return cls(folder)
        raise NoProject(start)

    @property
    def state(self) -> Path:
        return self.root / ".solvent"

    @property
    def database(self) -> Path:
        """The store's file, where it is SQLite's."""
        return self.state / "solvent.db"

    @property
    def store_url(self) -> str:
        url = self.settings.store.url
        return f"sqlite:///{self.database}" if url == "sqlite" else url

    def quick(self) -> QuickStore | None:
        """A way to quick answers, to be closed; None where only an opened store can answer."""
        from solvent.store.quick import open_quick

        return open_quick(self.database, self.settings.project.name) if self.settings.store.url == "sqlite" else None

    @cached_property
    def store(self) -> Store:
        from solvent.store import open_store
        from solvent.store.remotes import lender_for

        remote = self.settings.remote
        return open_store(
            self.store_url,
            root=self.state,
            project=self.settings.project.name,
            actor=current_actor(),
            durability=self.settings.store.durability,
            lender=lender_for(remote.url, root=self.root, endpoint=remote.endpoint, region=remote.region),
            patience=self.patience,
        )

    @cached_property
    def remote(self) -> Remote:
        """Where the project's facts and objects are shared. Raises: NoRemote, BadRemoteUrl, MissingExtra."""
        from solvent.store.remotes import open_remote

        remote = self.settings.remote
        return open_remote(remote.url, root=self.root, endpoint=remote.endpoint, region=remote.region)

    @cached_property
    def spec(self) -> PipelineSpec:
        from solvent.pipeline import load_spec

        return load_spec(self.root, self.settings)

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()


def current_actor() -> Actor:
    """The person at the keyboard: SOLVENT_ACTOR, else the login name."""
    from solvent.lineage.entities import Actor

    return Actor(kind="person", name=os.environ.get("SOLVENT_ACTOR") or getpass.getuser())
