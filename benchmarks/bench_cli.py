"""How long a person waits for `solvent --version` and for `solvent status` on a store of 100,000 runs.

    python benchmarks/bench_cli.py

Median of twenty starts each, beside a bare `python -c pass`. Bars: 100 ms and 300 ms.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROUNDS = 20
RUNS = 100_000
RESULT = Path(__file__).parent / "results" / "cli.json"
PROGRAM = str(Path(sys.executable).parent / "solvent")
FILL = """
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {runs})
  SELECT 3 * i + (SELECT max(id) FROM node) AS i FROM n;
INSERT INTO node SELECT i + 1, 0, 'recipe', 'r' || i, '', 1, 1, 1 FROM n;
INSERT INTO node SELECT i + 2, 1, 'run', 'run' || i, 's', 1, 1, 1 FROM n;
INSERT INTO node SELECT i + 3, 0, 'artifact', 'a' || i, '', 1, 1, 1 FROM n;
INSERT INTO recipe SELECT i + 1, '', '', '{{}}', '{{}}' FROM n;
INSERT INTO artifact SELECT i + 3, 'c' || i, 'any', 'json', 9, '{{}}', NULL FROM n;
INSERT INTO run (node_id, project_id, recipe_id, step, host, pid, tags, started_at, status, ended_at, resources)
  SELECT i + 2, 1, i + 1, 's', 'h', 1, '{{}}', 1, 'done', 2, '{{}}' FROM n;
INSERT INTO edge (source_id, target_id, role, via) SELECT i + 2, i + 3, 'out', 1 FROM n;
"""
PIPELINE = """
from solvent import step

@step
def numbers() -> list:
    return [1, 2, 3]

@step
def total(numbers: list) -> float:
    return float(sum(numbers))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "pipeline.py").write_text(PIPELINE)
        subprocess.run([PROGRAM, "run"], cwd=root, check=True, capture_output=True)
        with closing(sqlite3.connect(root / ".solvent" / "solvent.db")) as connection:
            connection.executescript(FILL.format(runs=RUNS))
            connection.execute("ANALYZE")
            connection.commit()
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "solvent --version": [PROGRAM, "--version"],
            f"solvent status, {RUNS:,} runs": [PROGRAM, "status"],
            "solvent --help": [PROGRAM, "--help"],
        }
        measured = {name: median(command, root) for name, command in commands.items()}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    bare = measured["python -c pass"]
    print(machine)
    for name, milliseconds in measured.items():
        print(f"  {name:28} {milliseconds:7.1f} ms  {milliseconds / bare:5.1f} x bare Python")
    RESULT.write_text(json.dumps({"machine": machine, "median milliseconds": measured}, indent=1) + "\n")


def median(command: list[str], folder: Path) -> float:
    """Milliseconds from start to end."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        times.append(1e3 * (time.perf_counter() - began))
    return round(statistics.median(times), 1)


if __name__ == "__main__":
    main()
