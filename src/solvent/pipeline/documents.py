"""Code documents: what each step reached, kept beside the plan and with every run.

`symbols` by id: digest of the normal form, source, what it uses. `steps` by name: the id that it starts
from, its distributions, what is uncertain. The document of today lies in `.solvent/plan/code`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest, canonical, digest_of

Document = dict[str, Any]


def keep_document(root: Path, document: Document) -> Digest:
    """Write today's code document where the plan is kept; its digest."""
    data = canonical(document)
    digest = digest_of(data)
    place = _place(root, digest)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        for old in place.parent.iterdir():
            old.unlink(missing_ok=True)
        staged = place.with_suffix(f".{uuid7()}")
        staged.write_bytes(data)
        staged.replace(place)
    return digest


def read_document(root: Path, digest: str) -> bytes | None:
    """The code document that a plan names; None where it was removed."""
    place = _place(root, digest)
    return place.read_bytes() if digest and place.exists() else None


def parse_document(data: bytes) -> Document:
    return msgspec.json.decode(data, type=Document)


def _place(root: Path, digest: str) -> Path:
    return root / ".solvent" / "plan" / "code" / f"{digest}.json"


def facts_of(document: Document, step: str) -> Document:
    """What a document says of a step; the elements of a map share one entry."""
    steps: Document = document.get("steps", {})
    found: Document = steps.get(step) or steps.get(step.partition("[")[0]) or {}
    return found
