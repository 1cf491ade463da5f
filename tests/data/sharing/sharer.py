"""A process that pushes a store, or fetches into it, until it is killed: sharer.py push|fetch ROOT URL ENDPOINT."""

from __future__ import annotations

import sys
from pathlib import Path

from clones import clone
from solvent.data.sharing import fetch, push
from solvent.store.remotes import open_remote

if __name__ == "__main__":
    what, root, url, endpoint = sys.argv[1:]
    with clone(Path(root), url, endpoint=endpoint) as store:
        remote = open_remote(url, root=Path(root), endpoint=endpoint)
        print("ready", flush=True)
        if what == "push":
            push(store, remote)
        else:
            fetch(store, remote, [], everything=True)
