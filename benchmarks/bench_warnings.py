"""When Solvent, Evidently and NannyML would have warned of a model's decay, each as it comes, on real tables.

    python benchmarks/bench_warnings.py FOLDER [--evidently PYTHON] [--nannyml PYTHON] [--only NAME …]
        [--cuts SHARE …] [--keep FOLDER]

FOLDER holds the tables of `bench_foresight.py`. PYTHON is the interpreter of an environment that holds the peer;
without it the peer is left out, and the result says so. Each table is cut at three training shares into 30 windows, as
it is and with its rows shuffled in time, so that nothing ages. A model is trained once; the loss crosses where a
window's mean first lies above the threshold (`solvent backtest`'s own, halfway to a naive forecast). All see the same
rows: features of the training part by window (without functions of the clock, which Solvent leaves out by itself),
and for estimates the outputs and labels of its last quarter, which the model had not seen.

- Solvent: an alert of drift, or an estimate without labels above the threshold with its whole interval; apart, drift
  with what is only a note in the first year, when it may be a season, and the test on realised losses (labels at once).
- Evidently: its data drift preset's verdict is drift (half of the columns).
- NannyML: univariate drift alerts on any column; the estimated performance (CBPE: ROC AUC, accuracy; DLE: the metric)
  alerts to the worse side of its thresholds.

A warning comes at the first of a run of windows with one. It is *false* where the loss crosses neither in its window
nor in the next eight; counted over the windows more than eight before the first crossing, and over all where there is
none; every warning of a shuffled life is, whose crossings are chance.
*Lead*: windows from the first window with a warning to the crossing, among the eight before it; negative up to eight
after it, else the crossing is *missed*. A warning that begins among the eight before is one *anew*: one that is always
on announces nothing. Intervals are 90%: of shares Wilson's with tables as the unit, else by resampling tables and then
cuts within them, of counts no narrower than Poisson's.
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
LIVES = ("as it is", "shuffled")
WINDOWS, REACH, DRAWS = 30, 8, 2_000
METHODS = {
    "solvent": (
        "Solvent, without labels",
        "Solvent, drift",
        "Solvent, drift and notes of seasons",
        "Solvent, estimate",
        "Solvent, realised losses",
    ),
    "evidently": ("Evidently, drift preset",),
    "nannyml": ("NannyML, univariate drift", "NannyML, estimated performance"),
}
SHARES = ("warned before", "warned before, anew", "warned by then", "missed")
OURS, DRIFT, NOTED, ESTIMATE, PERFORMANCE = METHODS["solvent"]

Alerts = dict[str, list[int]]  # by method, the windows with a warning


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
    lives = [
        remembered(asked.folder, asked.keep, (name, kind, cut), pythons)
        for name in asked.only or TABLES
        for kind in LIVES
        for cut in asked.cuts
    ]
    result = {"machine": machine(pythons), "cuts": asked.cuts, "windows": WINDOWS, **told(lives)}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def remembered(folder: Path, keep: Path | None, life: tuple[str, str, float], pythons: dict[str, str | None]) -> Any:
    """What was written down of this life by these contenders, else what it is when lived."""
    name, kind, cut = life
    note = keep / f"{name}, {kind}, {cut:g}.json" if keep else None
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


def lived(folder: Path, room: Path, life: tuple[str, str, float]) -> dict[str, Any]:
    """One life of one model as `solvent backtest` lives it; leaves in `room` what the peers are shown."""
    import polars as pl
    from bench_foresight import TABLES

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
    from solvent.backtest.warnings import first_crossing, warnings_of

    name, kind, share = life
    time, target, drop = TABLES[name]
    table = pl.read_parquet(folder / f"{name}.parquet").sort(time)
    if kind == "shuffled":
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
    drift, estimated = watch(cases, course, reference, seed=0), estimate(cases, course, reference, windows)
    threshold, _ = threshold_of(cases, reference, options)
    warned = warnings_of(course, reference, windows, drift, estimated, threshold=threshold, delay=0)
    alerts: Alerts = {
        DRIFT: [one.window for one in warned if one.kind == "drift"],
        NOTED: [window.index for window, one in zip(windows, drift, strict=True) if one.named],
        ESTIMATE: [
            window.index
            for window, one in zip(windows, estimated, strict=True)
            if one.loss is not None and one.loss.lower > threshold
        ],
        PERFORMANCE: [one.window for one in warned if one.kind == "performance"],
    }
    alerts[OURS] = sorted({*alerts[DRIFT], *alerts[ESTIMATE]})
    show(room, cases, course, reference, windows)
    crossing = first_crossing(windows, threshold)
    about = {"table": name, "life": kind, "cut": share, "windows": course.windows}
    return {**about, "crossing": crossing, "alerts": alerts}


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
    """Figures of every method, pooled and by table, and where each was earlier than Solvent without labels."""
    asked = [method for names in METHODS.values() for method in names]
    known = [method for method in asked if all(method in life["alerts"] for life in lives)]
    scored = [{**life, "methods": {method: judged(life, method) for method in known}} for life in lives]
    tables = dict.fromkeys(life["table"] for life in lives)
    by_table = {table: [life for life in scored if life["table"] == table] for table in tables}
    return {
        "pooled": {method: with_intervals(scored, method) for method in known},
        "tables": {
            table: {method: rounded(figures(own, method)) for method in known} for table, own in by_table.items()
        },
        "against": {
            method: {table: against(own, method) for table, own in by_table.items()}
            for method in known
            if method != OURS
        },
        "crossings": {
            table: [life["crossing"] for life in own if life["life"] == LIVES[0]] for table, own in by_table.items()
        },
        "left out": [method for method in asked if method not in known],
        "lives": [
            {what: life[what] for what in ("table", "life", "cut", "crossing")}
            | {method: spans(life["alerts"][method]) for method in known}
            for life in scored
        ],
    }


def judged(life: dict[str, Any], method: str) -> dict[str, Any]:
    """Of one life and method: lead at the crossing, None where there is none or it is missed; false warnings.

    anew: a warning begins in the eight windows before the crossing, rather than having been on all the time. quiet:
    windows before the first crossing that are too far from it to announce it; on: those with a warning.
    """
    alerts, crossing = life["alerts"][method], life["crossing"] if life["life"] == LIVES[0] else None
    quiet = life["windows"] if crossing is None else max(crossing - REACH, 0)
    on = [at for at in alerts if at < quiet]
    near = [at for at in alerts if crossing is not None and abs(crossing - at) <= REACH]
    lead = crossing - near[0] if crossing is not None and near else None
    anew = any(at < crossing and at - 1 not in alerts for at in near)
    false = sum(at - 1 not in alerts for at in on)
    return {"crosses": crossing is not None, "lead": lead, "anew": anew, "false": false, "on": len(on), "quiet": quiet}


def figures(lives: list[dict[str, Any]], method: str) -> dict[str, float | None]:
    """Shares of crossings that were warned of and missed, the median lead of those not missed, false warnings."""
    own = [(life["life"], life["methods"][method]) for life in lives]
    crossings = [one for kind, one in own if kind == LIVES[0] and one["crosses"]]
    leads = sorted(one["lead"] for one in crossings if one["lead"] is not None)

    def share(count: int) -> float | None:
        return count / len(crossings) if crossings else None

    found = {
        "warned before": share(sum(lead > 0 for lead in leads)),
        "warned before, anew": share(sum(one["anew"] for one in crossings)),
        "warned by then": share(sum(lead >= 0 for lead in leads)),
        "missed": share(len(crossings) - len(leads)),
        "median lead": leads[len(leads) // 2] if leads else None,
    }
    for kind in LIVES:
        quiet = sum(one["quiet"] for life, one in own if life == kind)
        for what, key in (("false", "false"), ("windows under a false warning", "on")):
            count = sum(one[key] for life, one in own if life == kind)
            found[f"{what} per 100, {kind}"] = 100 * count / quiet if quiet else None
    return found


def against(lives: list[dict[str, Any]], method: str) -> list[int]:
    """Crossings of which a method warned earlier than Solvent without labels, in the same window, and later."""
    never = -math.inf
    pairs = [
        tuple(never if one["lead"] is None else one["lead"] for one in (life["methods"][m] for m in (method, OURS)))
        for life in lives
        if life["life"] == LIVES[0] and life["crossing"] is not None
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
    """The pooled figures, each with the ends of its 90% interval."""
    import numpy as np
    from bench_aging import share

    rng = np.random.default_rng(0)
    tables, cuts = (sorted({life[what] for life in lives}) for what in ("table", "cut"))
    by_cut = {(life["table"], life["cut"]): [] for life in lives}
    for life in lives:
        by_cut[life["table"], life["cut"]].append(life)
    drawn: dict[str, list[float]] = {}
    for _ in range(DRAWS):
        again = [
            (str(table), float(cut)) for table in rng.choice(tables, len(tables)) for cut in rng.choice(cuts, len(cuts))
        ]
        for what, value in figures([life for at in again for life in by_cut.get(at, [])], method).items():
            if value is not None:
                drawn.setdefault(what, []).append(value)
    crossed = len({life["table"] for life in lives if life["life"] == LIVES[0] and life["crossing"] is not None})
    crossings = sum(life["life"] == LIVES[0] and life["crossing"] is not None for life in lives)
    found: dict[str, list[float]] = {}
    for what, value in rounded(figures(lives, method)).items():
        if value is None:
            continue
        if what in SHARES:
            hits = round(value * crossings)
            found[what] = share([True] * hits + [False] * (crossings - hits), crossed)
        else:
            found[what] = [value, *np.quantile(drawn[what], [0.05, 0.95]).round(3).tolist()]
    for kind in LIVES:
        what = f"false per 100, {kind}"
        if what in found:
            windows = sum(life["methods"][method]["quiet"] for life in lives if life["life"] == kind)
            found[what] = widened(found[what], windows)
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
