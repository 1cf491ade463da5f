"""A run in a process of its own: `python pipeline_runner.py ROOT [STORE_URL]` prints the state of each step.

Ahead of the run it leaves `ready.PID` in the project.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from solvent.foundation.settings import load_settings
from solvent.lineage.entities import Actor
from solvent.pipeline import load_spec, run_pipeline
from solvent.store import open_store


def main() -> None:
    root = Path(sys.argv[1])
    url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{root}/.solvent/solvent.db"
    with open_store(url, root=root / ".solvent", actor=Actor(kind="person", name="tester")) as store:
        spec = load_spec(root, load_settings(root, {}))
        (root / f"ready.{os.getpid()}").touch()
        run = run_pipeline(root, spec, store)
        print(json.dumps({step.label: step.state for step in run.steps}))


if __name__ == "__main__":
    main()
