"""Recall and precision of the rules over rows, by rule, on seeded programs; and how many plants are real by running.

Writes `results/debt.json`. `--rate N` draws N plants a rule (default 200).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "debt.json"


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.debt.measure import findings, tally, variants  # found only now, where this runs as a script
    from benchmarks.debt.prove import leaks, real
    from benchmarks.debt.seeded import PLANTS, drawn

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="plants a rule")
    rate = parser.parse_args().rate
    programs = list(drawn(seed=11, per_rule=rate))
    counted = tally(programs)
    r = random.Random(5)
    changed: dict[str, int] = {}
    for program in programs:
        expected = findings(program.text, notebook=program.notebook)
        for name, (text, notebook, moved) in variants(program, r).items():
            same = {(rule, moved[line]) for rule, line in expected} == findings(text, notebook=notebook)
            changed[name] = changed.get(name, 0) + (not same)
    proved = [(program.rule, real(program)) for program in drawn(seed=12, per_rule=8) if program.rule]
    clean = [leaks(program) for program in drawn(seed=13, per_rule=4) if not program.rule]
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "programs": len(programs),
        "rules": counted.table(),
        "clean_programs_accused": sum(not program.rule for program, _ in counted.wrong),
        "changed_by_spelling": changed,
        "plants_shown_real_by_running": {
            rule: f"{sum(bool(shown) for name, shown in proved if name == rule)} of 8"
            for rule in PLANTS
            if any(shown is not None for name, shown in proved if name == rule)
        },
        "clean_programs_that_leak_when_run": f"{sum(clean)} of {len(clean)}",
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
