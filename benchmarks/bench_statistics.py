"""Our change point and sketches beside ruptures and datasketches, on the same numbers.

    python benchmarks/bench_statistics.py

Needs both peers in the environment that runs it (PYTHONPATH=src elsewhere than in the project's own); without them
it says so and leaves the last results, `benchmarks/results/statistics.json`, as they are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from solvent.statistics.changepoint import date_change
from solvent.statistics.sketches import Distinct, Quantiles, hash_numbers

RESULT = Path(__file__).parent / "results" / "statistics.json"
PEERS = ("ruptures", "datasketches")
SERIES, ROWS, PARTS = 200, 200_000, 50


def main() -> None:
    absent = [name for name in PEERS if find_spec(name) is None]
    if absent:
        print(f"not installed: {', '.join(absent)}; nothing compared")
        return
    found = {
        "peers": {name: version(name) for name in PEERS},
        "python": sys.version.split()[0],
        "change point": change_points(),
        "sketches": sketches(),
    }
    print(json.dumps(found, indent=1))
    RESULT.write_text(json.dumps(found, indent=1) + "\n")


def change_points() -> dict[str, int]:
    """In how many series the place is the one that ruptures' exact search finds."""
    import ruptures

    rng, same = np.random.default_rng(0), 0
    for _ in range(SERIES):
        n = int(rng.integers(10, 80))
        values = rng.normal(size=n) + 2 * (np.arange(n) >= n // 2)
        theirs = ruptures.Dynp(model="l2", min_size=1, jump=1).fit(values).predict(n_bkps=1)[0]
        ours = date_change(values)
        same += ours is not None and ours.at == theirs
    return {"series": SERIES, "same place": same}


def sketches() -> dict[str, Any]:
    """Fifty parts of a long-tailed column, merged."""
    import datasketches

    values = np.random.default_rng(0).lognormal(size=ROWS)
    ours, kll = Quantiles(), datasketches.kll_doubles_sketch(350)
    distinct, hll = Distinct(), datasketches.hll_sketch(12)
    for part in np.array_split(values, PARTS):
        other = datasketches.kll_doubles_sketch(350)
        other.update(part)
        kll.merge(other)
        ours, distinct = ours + Quantiles.of(part), distinct + Distinct.of(hash_numbers(part))
    for value in values:
        hll.update(float(value))
    again = datasketches.kll_doubles_sketch(350)
    again.update(values)
    once = datasketches.kll_doubles_sketch(350)
    once.update(values)
    return {
        "rows": ROWS,
        "parts": PARTS,
        "rank error": {
            "ours": rank_error(ours.at, values),
            "ours, stated": ours.rank_error,
            "kll": rank_error(kll.get_quantile, values),
        },
        "bytes": {"ours": len(msgspec.msgpack.encode(ours)), "kll": len(kll.serialize())},
        "equal bytes for equal columns": {
            "ours": Quantiles.of(values) == Quantiles.of(values),
            "kll": again.serialize() == once.serialize(),
        },
        "distinct": {"ours": round(distinct.count), "hll": round(hll.get_estimate())},
    }


def rank_error(at: Callable[[float], float], values: np.ndarray) -> float:
    """Largest of the percentiles."""
    ordered, shares = np.sort(values), np.linspace(0.01, 0.99, 99)
    return round(max(abs(float(np.searchsorted(ordered, at(share))) / len(values) - share) for share in shares), 5)


if __name__ == "__main__":
    main()
