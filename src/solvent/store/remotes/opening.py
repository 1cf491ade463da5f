"""A remote from its URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from solvent.store.remotes.errors import BadRemoteUrl, NoRemote
from solvent.store.remotes.folder import FolderRemote
from solvent.store.remotes.lender import Lender
from solvent.store.remotes.protocol import Remote


def open_remote(url: str, *, root: Path, endpoint: str = "", region: str = "") -> Remote:
    """The remote behind a URL; nothing is asked of it yet.

    url: `s3://BUCKET/PREFIX`, `file:///PATH` or a path, relative ones from the project's `root`.
    endpoint: of a server other than AWS. Raises: NoRemote, BadRemoteUrl, MissingExtra.
    """
    if not url:
        raise NoRemote
    scheme, mark, _ = url.partition("://")
    if not mark:
        return FolderRemote((root / Path(url).expanduser()).resolve(), url)
    parts = urlsplit(url)
    if scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return FolderRemote(Path(unquote(parts.path)), url)
    if scheme == "s3" and parts.netloc and not (parts.query or parts.fragment or "@" in parts.netloc):
        from solvent.store.remotes.s3 import S3Remote

        return S3Remote(parts.netloc, parts.path.strip("/"), url, endpoint=endpoint, region=region)
    raise BadRemoteUrl(url)


def lender_for(url: str, *, root: Path, endpoint: str = "", region: str = "") -> Lender | None:
    """Who fetches single objects from the remote behind a URL; None without one."""
    if not url:
        return None
    return Lender(lambda: open_remote(url, root=root, endpoint=endpoint, region=region))
