"""Say what is installed and whether the project here is sound."""

from __future__ import annotations


def command(*, json: bool = False) -> int:
    """Check."""
    return 0
