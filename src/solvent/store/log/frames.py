"""The bytes of a log file: a header, then frames. Pure: bytes in, values out.

Layout and the reason for the sync mark: `docs/reference/format.md`.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import msgspec

from solvent.store.log.errors import NewerLog

MAGIC = b"SLVLOG"
VERSION = 1
MAX_PAYLOAD = 1 << 30  # bytes; a length above it is damage, and a batch above it is refused
_HEADER = struct.Struct("<6sH4sII")
_HEADER_START = struct.Struct("<6sH4sI")
_HEAD = struct.Struct("<4sII")
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Header:
    """How a log file begins. size: bytes before the first frame."""

    mark: bytes
    size: int
    id: str
    kind: str
    model: str


@dataclass(frozen=True)
class Frames:
    """What lies in a stretch of a log file; positions are offsets in the file.

    payloads: of the whole frames, in order. end: after the last whole frame; what follows is a torn tail.
    damage: stretches (start, end) before `end` that hold no whole frame.
    """

    payloads: list[bytes]
    end: int
    damage: list[tuple[int, int]]


class BrokenHeader(ValueError):
    """The bytes do not begin with a header of ours. cut_short: they are the beginning of one, or empty."""

    def __init__(self, *, cut_short: bool) -> None:
        super().__init__("cut short" if cut_short else "no log file's header")
        self.cut_short = cut_short


def new_header(id: str, kind: str, model: str, *, host: str, pid: int) -> tuple[bytes, bytes]:
    """The header of a new file with a random sync mark. Returns: mark, header bytes."""
    mark = os.urandom(4)
    text = msgspec.json.encode({"id": id, "kind": kind, "model": model, "host": host, "pid": pid})
    start = _HEADER_START.pack(MAGIC, VERSION, mark, len(text))
    return mark, start + _LENGTH.pack(crc32(text, crc32(start))) + text


def read_header(data: bytes, path: Path) -> Header:
    """The header at the start of a file's bytes; `path` is for the message.

    Raises: BrokenHeader, NewerLog.
    """
    if len(data) < _HEADER.size:
        raise BrokenHeader(cut_short=MAGIC.startswith(data[: len(MAGIC)]))
    magic, version, mark, length, checksum = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise BrokenHeader(cut_short=False)
    if version > VERSION:
        raise NewerLog(path, version, VERSION)
    size = _HEADER.size + length
    text = data[_HEADER.size : size]
    if crc32(text, crc32(data[: _HEADER_START.size])) != checksum:
        raise BrokenHeader(cut_short=len(data) < size)
    about = msgspec.json.decode(text)
    return Header(mark, size, about["id"], about["kind"], about["model"])


def pack(mark: bytes, payload: bytes) -> bytes:
    """One frame; the payload has at most MAX_PAYLOAD bytes."""
    length = _LENGTH.pack(len(payload))
    return mark + length + _LENGTH.pack(crc32(payload, crc32(length))) + payload


def unpack(data: bytes, mark: bytes, offset: int = 0) -> Frames:
    """All whole frames of `data`, which begins at `offset` of its file.

    Bad bytes before a whole frame are damage; bad bytes that nothing whole follows are a torn tail.

    >>> whole = pack(b"mark", b"one") + pack(b"mark", b"two")
    >>> unpack(whole[:-1], b"mark")
    Frames(payloads=[b'one'], end=15, damage=[])
    >>> unpack(b"?" + whole, b"mark")
    Frames(payloads=[b'one', b'two'], end=31, damage=[(0, 1)])
    """
    payloads: list[bytes] = []
    damage: list[tuple[int, int]] = []
    place = end = 0
    while place >= 0:
        payload = _frame_at(data, mark, place)
        if payload is None:
            place = data.find(mark, place + 1)
            continue
        if place > end:
            damage.append((offset + end, offset + place))
        payloads.append(payload)
        place = end = place + _HEAD.size + len(payload)
    return Frames(payloads, offset + end, damage)


def _frame_at(data: bytes, mark: bytes, place: int) -> bytes | None:
    """The payload of the frame that begins at `place`, None where no whole frame does."""
    if place + _HEAD.size > len(data):
        return None
    found, length, checksum = _HEAD.unpack_from(data, place)
    start = place + _HEAD.size
    if found != mark or length > MAX_PAYLOAD or start + length > len(data):
        return None
    payload = data[start : start + length]
    return payload if crc32(payload, crc32(data[place + 4 : place + 8])) == checksum else None
