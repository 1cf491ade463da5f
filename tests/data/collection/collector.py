"""A process that collects again and again, slowly, a few blobs at a time, until it is killed: collector.py ROOT.

It prints a line when it is ready, one for each collection, and one for each few blobs.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clones import clone
from solvent.data.collection import collect, collecting


def slowly(removed: int, _: int) -> None:
    print(removed, flush=True)
    time.sleep(0.02)


if __name__ == "__main__":
    collecting.TOGETHER = 2
    with clone(Path(sys.argv[1]), "") as store:
        print("ready", flush=True)
        while True:
            print("begins", flush=True)
            now = datetime.now(UTC)
            collect(store, keep_runs=0, grace=timedelta(0), now=now, progress=slowly)
