"""A process that stores blobs and prints each digest once it is acknowledged, until it is killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from solvent.store.objects import FolderObjects

if __name__ == "__main__":
    objects = FolderObjects(Path(sys.argv[1]), Path(sys.argv[2]))
    while True:
        for digest in [objects.put_bytes(os.urandom(20_000)), *objects.put_many([os.urandom(99), os.urandom(99)])]:
            print(digest, flush=True)
