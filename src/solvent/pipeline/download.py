"""Sources behind a URL."""

from __future__ import annotations

from pathlib import Path

from solvent.data import download
from solvent.data.download import is_url
from solvent.pipeline.errors import BadSource

__all__ = ["fetch", "is_url"]


def fetch(url: str, folder: Path, place: str, *, refresh: bool) -> Path:
    """The local copy of a source's URL. place: its file and line, for errors. Raises: BadSource."""
    try:
        return download.fetch(url, folder, refresh=refresh)
    except download.BadDownload as error:
        raise BadSource(error.what, where=place) from error
