"""Amounts of memory as people write them."""

from __future__ import annotations

import re

from solvent.foundation.errors import UsageError

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")
_UNITS = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip


class BadSize(UsageError):
    code = "bad-size"


def parse_size(text: str) -> int:
    """Bytes: `500MB`, `4GB`, `1.5GiB`.

    Raises: BadSize.

    >>> parse_size("4GB")
    4000000000
    """
    match = _SIZE.match(text.strip())
    if match is None:
        raise BadSize(f"`{text}` is no amount of memory", next="write it as 500MB, 4GB or 1.5GiB")
    return int(float(match[1]) * _UNITS[match[2]])


def size_text(count: float) -> str:
    """Bytes for people: `4.1 GB`.

    >>> size_text(4_120_000_000)
    '4.1 GB'
    """
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"
