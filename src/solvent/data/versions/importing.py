"""`data import-url`: a file behind a URL becomes a dataset that remembers where it came from."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from solvent.data.download import fetch, is_url
from solvent.data.versions.adding import Added, add
from solvent.data.versions.checkout import LocalChanges
from solvent.data.versions.lockfile import read_lock
from solvent.data.versions.naming import BadDataset, find_dataset, name_of, refuse_overlap
from solvent.data.versions.state import status

if TYPE_CHECKING:
    from solvent.store import Store


def import_url(
    root: Path, store: Store, url: str, text: str | None, *, message: str = "", at: datetime, force: bool = False
) -> Added:
    """Download a URL into the project and add it. Again, it takes what is there now as the next version.

    text: where to put it; without, the URL's last part in the folder the caller stands in.
    force: overwrite a file that is no unchanged dataset.
    Raises: BadDownload, BadDataset, LocalChanges, OSError.
    """
    if not is_url(url):
        raise BadDataset(f"`{url}` is no http(s) URL", next="`solvent data add` takes what lies here already")
    name = name_of(text or PurePosixPath(urlsplit(url).path).name or "download", root)
    place = root / name
    if place.is_dir():
        raise BadDataset(
            f"`{name}` is a folder", next=f"name the file: `{name}/{PurePosixPath(urlsplit(url).path).name}`"
        )
    entries = read_lock(root)
    refuse_overlap(name, entries)
    if place.exists() and not force:
        entry = entries.get(name)
        if entry is None or status(find_dataset(name, root), entry, store.root).state != "unchanged":
            raise LocalChanges(name, [place.name])
    place.parent.mkdir(parents=True, exist_ok=True)
    fetched = fetch(url, store.root / "downloads", refresh=True)
    shutil.move(fetched, place)
    shutil.rmtree(fetched.parent, ignore_errors=True)
    return add(root, store, str(place), message=message, at=at, url=url)
