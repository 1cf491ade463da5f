"""A process that collects again and again, slowly, a few blobs at a time, until it is killed: collector.py ROOT."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clones import clone
from solvent.data.collection import collect, collecting

if __name__ == "__main__":
    collecting.TOGETHER = 2
    with clone(Path(sys.argv[1]), "") as store:
        print("ready", flush=True)
        while True:
            now = datetime.now(UTC)
            collect(store, keep_runs=0, grace=timedelta(0), now=now, progress=lambda *_: time.sleep(0.02))
