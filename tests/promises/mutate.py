"""`make mutate`: the whole mutation suite; prints its figures, and exits 1 where a promise is broken."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutations import Tally, mutate
from solvent.foundation.errors import SolventError

MOST = 12  # mutations of one project, beside the one that is executed


def one(seed: int) -> Tally:
    """What came of one project; a project that does not run is a fault of the generator, and told as one."""
    with tempfile.TemporaryDirectory(prefix="mutated-") as folder:
        try:
            return mutate(seed, Path(folder).resolve(), most=MOST)
        except (AssertionError, KeyError, SolventError, subprocess.CalledProcessError) as error:
            return Tally(broken=[f"seed {seed}: {type(error).__name__}: {error}"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    tally, started = Tally(), time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for done, found in enumerate(pool.imap_unordered(one, range(given.first, given.first + given.projects)), 1):
            tally.add(found)
            print(f"{done} of {given.projects} projects, {sum(tally.mutations.values()):,} mutations", file=sys.stderr)
    figures = {
        "projects": given.projects,
        "mutations": sum(tally.mutations.values()),
        "verdicts": tally.judged,
        "executed": tally.executed,
        "false_hits": len(tally.false_hits),
        "needless_reruns": len(tally.needless),
        "broken_projects": len(tally.broken),
        "reruns_where_uncertain": sum(tally.over.values()),
        "seconds": round(time.perf_counter() - started),
        "by_kind": dict(sorted(tally.mutations.items())),
    }
    for line in [*tally.false_hits, *tally.needless, *tally.broken]:
        print(line)
    print(json.dumps(figures, indent=2))
    return 1 if tally.false_hits or tally.needless or tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
