"""How much memory steps may take at once: what is free when a run starts, by what each is known to need.

A need is what a step declares (`memory="4GB"`), else the peak of its newest finished
run. Where neither is known, or the system does not say what is free, nothing is held back.
"""

from __future__ import annotations

from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


class MemoryBudget:
    """total: bytes that running steps may need together; None: no limit."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self._needs: dict[str, int] = {}

    def admits(self, need: int) -> bool:
        """Whether a step fits beside those that run; one that runs alone always does."""
        return self.total is None or not self._needs or sum(self._needs.values()) + need <= self.total

    def take(self, key: str, need: int) -> None:
        """A step starts."""
        self._needs[key] = need

    def give(self, key: str) -> None:
        """A step has ended."""
        self._needs.pop(key, None)


def available_bytes() -> int | None:
    """What the system, or this process's control group, has left; None where it does not say."""
    known = [left for left in (_of_machine(), _of_group()) if left is not None]
    return min(known, default=None)


def _of_machine() -> int | None:
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:  # no Linux
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(found) * 1024 if found else None


def _of_group() -> int | None:
    try:
        most, used = ((_GROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
    except OSError:  # no control group of the second version
        return None
    return max(0, int(most) - int(used)) if most.isdigit() else None
