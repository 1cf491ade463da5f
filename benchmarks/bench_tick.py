"""What a tick costs: one model with a window of a million rows, and many models with small windows.

    python benchmarks/bench_tick.py [large|many ...] [--rows N] [--models N] [--windows N] [--folder FOLDER]

`large`: a row has 20 numbers and 5 categories; the window before was judged by an earlier tick, everything is sealed
and labelled. A process of its own ticks twice; the clock starts when it has imported what it needs. First with the
policy switched off; then with two shadows a tick, whose training is told apart, under a profiler.
`many`: each window has 500 rows of 10 columns; all models are ticked week after week by one `Loop`, first with the
policy switched off, then a tenth of them with one that trains two shadows a model and tick.
Prints figures and the machine; writes results/tick.json, where what was not asked for stays.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

RESULT = Path(__file__).parent / "results" / "tick.json"
BAR_SECONDS = 2.0
START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
WEEK = timedelta(weeks=1)
HISTORY = 8  # weeks
BATCH = 10_000
ON = 2  # windows of `many` that are lived with shadows: each costs a few pipeline runs a model

PIPELINE = """
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from solvent import model, source, step

history = source("history.parquet", time="time", known_at="time")


@step
def features(history: pl.LazyFrame) -> pl.DataFrame:
    return history.sort("time").collect()


@step
def train(features: pl.DataFrame) -> pl.DataFrame:
    return features.filter(pl.col("time") <= pl.col("time").max() - pl.duration(days=7))


@step
def test(features: pl.DataFrame) -> pl.DataFrame:
    return features.filter(pl.col("time") > pl.col("time").max() - pl.duration(days=7))


@step
def fit(train: pl.DataFrame) -> Pipeline:
    inputs = train.drop("id", "time", "label")
    coded = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), {categories}), remainder="passthrough")
    return make_pipeline(coded, Ridge()).fit(inputs, train["label"])


declared = dict(estimator=fit, evaluation=test, features=features, task="regression", target="label", metric="mae",
                time="time", id="id")
"""
SETTINGS = """
[monitor]
cycle = "0d"

[policy]
rule = "compare"
enabled = {enabled}
spans = ["all", "4w"]
"""


def table(week: int, rows: int, numbers: int, categories: int, seed: int = 0) -> pl.DataFrame:
    """One week, `week` weeks after START, rows evenly spread; the label is linear in the first columns, with noise."""
    rng = np.random.default_rng([seed, week])
    times = START + week * WEEK
    values = {f"n{at}": rng.normal(size=rows).round(6) for at in range(numbers)}
    texts = {f"c{at}": rng.choice([f"kind {k}" for k in range(3 + 4 * at)], size=rows) for at in range(categories)}
    step = int(WEEK / timedelta(microseconds=1)) // rows
    micros = int(times.timestamp() * 1e6) + step * np.arange(rows, dtype=np.int64)
    label = 10 + 2 * values["n0"] - values["n1"] + rng.normal(size=rows)
    return pl.DataFrame(
        {
            "id": pl.Series([f"{seed:03}-{week:03}-{row:07}" for row in range(rows)]),
            "time": pl.Series(micros).cast(pl.Datetime("us", "UTC")),
            **values,
            **texts,
            "label": label,
        }
    )


def project_at(root: Path, models: int, rows: int, numbers: int, categories: int, *, enabled: bool = True) -> Path:
    """A project whose models all learned from one history, each registered and in service since its end."""
    from solvent.automation.promotion import register_run
    from solvent.lineage.entities import Actor
    from solvent.pipeline import RunOptions, run_pipeline
    from solvent.project import Project

    root.mkdir(parents=True)
    texts = [f"c{at}" for at in range(categories)]
    names = [f'm{at:03} = model(name="m{at:03}", **declared)' for at in range(models)]
    (root / "pipeline.py").write_text(PIPELINE.format(categories=texts) + "\n".join(names) + "\n")
    (root / "solvent.toml").write_text(SETTINGS.format(enabled=str(enabled).lower()))
    history = [table(week, rows, numbers, categories, seed=999) for week in range(HISTORY)]
    pl.concat(history).write_parquet(root / "history.parquet")
    with closing(Project(root)) as project:
        at = START + HISTORY * WEEK
        run = run_pipeline(root, project.spec, project.store, RunOptions(as_of=at))
        if not run.ok:
            raise SystemExit(f"the pipeline failed: {run.document()}")
        register_run(project, run, at=at, actor=Actor(kind="person", name="bench"))
    return root


def serve(project: Any, model: str, week: pl.DataFrame) -> None:
    """Log a week's answers and outcomes, the label known an hour after the event."""
    log = project.store.log
    names = [name for name in week.columns if name not in ("id", "time", "label")]
    for part in week.iter_slices(BATCH):
        at, later = part["time"], part["time"] + timedelta(hours=1)
        answer = (10 + 2 * part["n0"] - part["n1"]).to_list()
        features = {f"f_{name}": part[name] for name in names}
        same = {"prediction_id": part["id"], "event_time": at, "answered_at": at, "version": [1] * part.height}
        log.append_predictions(model, {**same, "output": answer, **features})
        known = {"happened_at": at, "known_at": later, "recorded_at": later}
        log.append_outcomes(model, {"prediction_id": part["id"], "label": part["label"], **known})


def large(folder: Path, rows: int) -> dict[str, Any]:
    """Two ticks over one window of so many rows each."""
    from solvent.project import Project

    root, ends = project_at(folder / "large", 1, 5_000, 20, 5, enabled=False), []
    for number in range(2):
        ends.append(START + (HISTORY + number + 1) * WEEK + timedelta(hours=2))
        with closing(Project(root)) as project:
            serve(project, "m000", table(HISTORY + number, rows, 20, 5))
            for kind in ("predictions", "outcomes"):
                project.store.log.seal("m000", kind, now=ends[-1])
    copy = Path(f"{root}.copy")
    subprocess.run(["cp", "-r", "--reflink=auto", root, copy], check=True)
    first, second = ticks(root, ends)
    (copy / "solvent.toml").write_text(SETTINGS.format(enabled="true"))
    trained = ticks(copy, ends, "--parts")[1]
    held = second["seconds"] < BAR_SECONDS
    return {
        "rows": rows,
        "columns": 25,
        "first tick of a process, as cron starts it": first,
        "next window, the first judged, as solvent watch ticks": second,
        "the same with two shadows, profiled": trained,
        "bar": {"seconds": BAR_SECONDS, "held": held},
    }


def ticks(root: Path, ends: Sequence[datetime], *more: str) -> list[dict[str, Any]]:
    """Ticks in a process of its own."""
    command = [sys.executable, __file__, "--tick", str(root), *(end.isoformat() for end in ends), *more]
    found: list[dict[str, Any]] = json.loads(subprocess.check_output(command))
    return found


PARTS = {
    "read rows and labels": "served_rows",
    "contract": "watch_contract",
    "volume": "watch_volume",
    "estimate without labels": "watch_estimate",
    "drift by feature": "watch_drift",
    "drift jointly": "joint_drift",
    "realised loss": "_realised",
    "sequential test": "take_labels",
    "bad window": "watch_worse",
    "paired with shadows": "window_evidence",
    "reference, once a version": "build_reference",
    "loss model, once a version": "residuals",
    "training shadows": "_train",
}


def ticks_here(root: Path, ends: Sequence[datetime], parts: bool) -> list[dict[str, Any]]:
    """What `--tick` prints: seconds, peak memory and, with `parts`, seconds by part."""
    from solvent.automation.tick import Loop
    from solvent.project import Project

    with closing(Project(root)) as project, Loop(project) as loop:
        assert project.spec.models  # the child that reads the pipeline is no part of the tick
        return [measured(loop, end, parts) for end in ends]


def measured(loop: Any, now: datetime, parts: bool) -> dict[str, Any]:
    import cProfile
    import pstats

    before, profile, trained = peak_memory(), cProfile.Profile(), training_seconds()
    wall, processor = time.perf_counter(), time.process_time()
    if parts:
        profile.enable()
    report = loop.tick(now)
    profile.disable()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    (done,) = report.models
    assert len(done.windows) == 1, done
    told: dict[str, Any] = {"seconds": round(wall - sum(trained), 3), "measurements": len(done.measurements)}
    if trained:
        return told | {"training, s": round(sum(trained), 3)} | (parts_of(pstats.Stats(profile)) if parts else {})
    told |= {"processor, s": round(processor, 3), "peak memory, MB": peak_memory() // 1000}
    return told | {"of it before the tick, MB": before // 1000}


def parts_of(stats: Any) -> dict[str, Any]:
    """Seconds of the calls of each part, those of what they call included."""
    spent = {name: sum(s[3] for key, s in stats.stats.items() if key[2] == part) for name, part in PARTS.items()}
    return {"parts, s": {name: round(seconds, 3) for name, seconds in spent.items() if seconds >= 0.001}}


def training_seconds() -> list[float]:
    """From now on, seconds of each training of shadows in this process."""
    from solvent.automation.acting import Act

    whole, seconds = Act._train, list[float]()  # the program keeps no such clock

    def train(self: Act, spans: Sequence[str], as_of: datetime) -> Any:
        began = time.perf_counter()
        try:
            return whole(self, spans, as_of)
        finally:
            seconds.append(time.perf_counter() - began)

    Act._train = train  # type: ignore[method-assign]
    return seconds


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB on Linux


def many(folder: Path, models: int, windows: int) -> dict[str, Any]:
    """So many models, ticked week after week; a tenth of them with shadows too."""
    fewer = max(models // 10, 1)
    off = lived(project_at(folder / "off", models, 500, 8, 2, enabled=False), models, windows)
    on = lived(project_at(folder / "on", fewer, 500, 8, 2), fewer, ON)
    return {
        "models": models,
        "rows a window": 500,
        "columns": 10,
        "policy switched off": off,
        "two shadows a tick": on,
        "peak memory of the loop, MB": peak_memory() // 1000,
        "of one that measures, MB": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000,
    }


def lived(root: Path, models: int, windows: int) -> dict[str, Any]:
    """What the ticks of so many weeks over all models took."""
    from solvent.automation.tick import Loop
    from solvent.project import Project

    each, processor = list[float](), -children_seconds()
    with closing(Project(root)) as project, Loop(project) as loop:
        for number in range(windows):
            for at in range(models):
                serve(project, f"m{at:03}", table(HISTORY + number, 500, 8, 2, seed=at))
            wall, own = time.perf_counter(), time.process_time()
            loop.tick(START + (HISTORY + number + 1) * WEEK + timedelta(hours=2))
            each.append(time.perf_counter() - wall)
            processor += time.process_time() - own
            print(f"{root.name}: window {number + 1}, {each[-1]:.1f} s", file=sys.stderr, flush=True)
    processor += children_seconds()  # known once the loop has ended them
    return {
        "models": models,
        "windows": windows,
        "seconds": round(sum(each), 1),
        "a model and window, ms": round(1000 * sum(each) / windows / models, 1),
        "of the processor, ms": round(1000 * processor / windows / models, 1),
        "first tick, s": round(each[0], 1),
        "last tick, s": round(each[-1], 1),
    }


def children_seconds() -> float:
    """Of the processor, by processes that this one began and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["large", "many"], help="large, many; both without")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder beside this script)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder or Path(__file__).parent) as folder:
        results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        results["machine"] = machine()
        if "many" in options.parts:  # first: peaks of memory are of a process's whole life
            results["many"] = many(Path(folder), options.models, options.windows)
        if "large" in options.parts:
            results["large"] = large(Path(folder), options.rows)
    print(json.dumps(results, indent=1))
    RESULT.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    if "--tick" in sys.argv:
        _, _, folder, *instants = sys.argv
        asked = [datetime.fromisoformat(text) for text in instants if text != "--parts"]
        print(json.dumps(ticks_here(Path(folder), asked, "--parts" in instants)))
    else:
        main()
