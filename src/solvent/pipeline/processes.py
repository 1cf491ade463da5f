"""Which processes of this machine are alive, and what dead ones left behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path


class LiveProcesses(Collection[int]):
    """The ids of all living processes of this machine, asked one by one."""

    def __contains__(self, pid: object) -> bool:
        if not isinstance(pid, int) or pid <= 0:
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # someone else's, so alive
            return True
        return True

    def __iter__(self) -> Iterator[int]:
        raise TypeError("living processes are asked for one by one")

    def __len__(self) -> int:
        raise TypeError("living processes are asked for one by one")


def sweep_scratch(folder: Path) -> None:
    """Remove the scratch folders (`PID-KEY`) of processes that are gone."""
    alive = LiveProcesses()
    for place in folder.iterdir() if folder.is_dir() else ():
        pid = place.name.partition("-")[0]
        if not pid.isdigit() or int(pid) not in alive:
            shutil.rmtree(place, ignore_errors=True)
