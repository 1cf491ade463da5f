"""Content names: BLAKE3 digests as 64 hex digits, and the canonical form that JSON values are hashed in."""

from __future__ import annotations

from typing import Any, NewType

import msgspec
from blake3 import blake3

Digest = NewType("Digest", str)

_encoder = msgspec.json.Encoder(order="deterministic")


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: keys sorted, no spaces, UTF-8.

    >>> canonical({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return _encoder.encode(value)


def digest_of(data: bytes) -> Digest:
    """BLAKE3 of bytes."""
    return Digest(blake3(data).hexdigest())


def digest_value(value: Any) -> Digest:
    """BLAKE3 of a value's canonical JSON."""
    return digest_of(canonical(value))
