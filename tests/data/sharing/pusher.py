"""A process that pushes a store, until it is killed: pusher.py ROOT URL ENDPOINT."""

from __future__ import annotations

import sys
from pathlib import Path

from clones import clone
from solvent.data.sharing import push
from solvent.store.remotes import open_remote

if __name__ == "__main__":
    root, url, endpoint = sys.argv[1:]
    with clone(Path(root), url, endpoint=endpoint) as store:
        remote = open_remote(url, root=Path(root), endpoint=endpoint)
        print("ready", flush=True)
        push(store, remote)
