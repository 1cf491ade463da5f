"""What the demo's two lives cost under each policy, and whether what must happen in them happened.

    python benchmarks/bench_lives.py [SEED ...]     (default: 7, four to ten minutes a seed)

Runs `solvent demo` for each seed, reads the figures from the project's store, prints them
with the bars that they are held to, and writes `benchmarks/results/lives.json`.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

RESULT = Path(__file__).parent / "results" / "lives.json"
PROGRAM = Path(sys.executable).parent / "solvent"


def main() -> None:
    seeds = [int(text) for text in sys.argv[1:]] or [7]
    lives = {str(seed): live(seed) for seed in seeds}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    for seed, life in lives.items():
        print(f"seed {seed}, {life['seconds']} s on {machine}")
        for model, told in life["models"].items():
            print(f"  {model}: {told['decisions']}, alerts {told['alerts']}")
            for policy, bill in sorted(told["costs"].items(), key=lambda item: -item[1]["cost"]):
                print(f"    {policy:10} {bill['cost']:12,.0f} {bill['unit']}, {bill['to_best']:.3f} x best")
    RESULT.write_text(json.dumps({"machine": machine, "seeds": lives}, indent=1) + "\n")


def live(seed: int) -> dict[str, object]:
    """One demo in an empty folder: seconds, and for each model its decisions, alerts and costs."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run([PROGRAM, "demo", folder, "--seed", str(seed)], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        report = json.loads(subprocess.check_output([PROGRAM, "-C", folder, "monitor", "report", "--json"]))
    return {"seconds": round(seconds), "models": {model["name"]: told(model) for model in report["models"]}}


def told(model: dict) -> dict[str, object]:
    bills = {bill["policy"]: bill for bill in model["bills"]}
    best = bills["hindsight"]["cost"]["value"]
    return {
        "decisions": dict(Counter(ruling["title"].split(" v")[0].split(" on ")[0] for ruling in model["rulings"])),
        "alerts": dict(Counter(warning["kind"] for warning in model["warnings"])),
        "costs": {
            name: {
                "cost": round(bill["cost"]["value"]),
                "unit": bill["unit"],
                "error": round(bill["error"], 3) if bill["error"] is not None else None,
                "retrained": bill["retrained"],
                "to_best": round(bill["cost"]["value"] / best, 4),
                "note": bill["note"],
            }
            for name, bill in bills.items()
        },
    }


if __name__ == "__main__":
    main()
