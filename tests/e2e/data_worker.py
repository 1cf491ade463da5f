"""A process that adds a dataset, or checks versions of it out, again and again until it is killed."""

import sys
from itertools import cycle
from pathlib import Path

from solvent.data.versions.adding import add
from solvent.data.versions.checkout import checkout
from solvent.data.versions.references import resolve
from solvent.foundation.clock import wall_clock
from solvent.project import Project

if __name__ == "__main__":
    project = Project(Path(sys.argv[2]))
    for turn in cycle((1, 2)):
        if sys.argv[1] == "add":
            for number in range(60):
                (project.root / "data" / str(number % 6) / str(number)).write_text(f"{turn} {number}")
            print("writing", flush=True)
            add(project.root, project.store, str(project.root / "data"), at=wall_clock())
        else:
            reference = resolve(f"data@{turn}", project.root, project.store.facts)
            print("writing", flush=True)
            checkout(reference.dataset, reference.digest, project.store)
        print(turn, flush=True)
