"""Identifiers for runs and events: UUIDv7 (RFC 9562) as 32 hex digits, sortable by time."""

from __future__ import annotations

import os
import time


def uuid7() -> str:
    """A new UUIDv7 as 32 hex digits: 48 bits of milliseconds, then 74 random bits."""
    millis = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big")
    value = (millis << 80) | (0x7 << 76) | ((tail >> 68) & 0xFFF) << 64 | (0b10 << 62) | (tail & ((1 << 62) - 1))
    return f"{value:032x}"
