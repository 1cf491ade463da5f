"""Digests of files."""

from __future__ import annotations

from pathlib import Path

from blake3 import blake3

from solvent.lineage.digests import Digest


def file_digest(path: Path) -> Digest:
    """BLAKE3 of a file, read through a map."""
    hasher = blake3()
    hasher.update_mmap(path)
    return Digest(hasher.hexdigest())
