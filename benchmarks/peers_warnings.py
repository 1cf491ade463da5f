"""What Evidently and NannyML say of the windows that `bench_warnings.py` left in a folder; run by their interpreters.

    PYTHON peers_warnings.py evidently|nannyml FOLDER

Prints, by method, the windows with a warning.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Alerts = dict[str, list[int]]


def of_evidently(room: Path) -> Alerts:
    from evidently import Report
    from evidently.metrics import DriftedColumnsCount

    table = read(room / "features.parquet")
    reference = table[table["window"] < 0].drop(columns="window")
    found = []
    for window in sorted(set(table["window"][table["window"] >= 0])):
        current = table[table["window"] == window].drop(columns="window")
        both = [name for name in current if current[name].notna().any() and reference[name].notna().any()]
        told = Report([DriftedColumnsCount()]).run(current[both], reference[both]).dict()["metrics"]
        if told[0]["value"]["share"] >= 0.5:
            found.append(int(window))
    return {"Evidently, drift preset": found}


def of_nannyml(room: Path) -> Alerts:
    import nannyml
    from nannyml.chunk import Chunk, Chunker

    class ByWindow(Chunker):
        """The same windows for everyone, by row number: single columns are chunked too."""

        def _split(self, data: Any) -> list[Any]:
            by_window = data.groupby(self.window[data.index], sort=True)
            return [Chunk(str(window), rows) for window, rows in by_window]

        def sides(self, table: Any) -> Iterator[Any]:
            """Reference rows and later ones, each with its windows known to the chunker."""
            for side in (table[table["window"] < 0], table[table["window"] >= 0]):
                self.window = side["window"].to_numpy()
                yield side.reset_index(drop=True)

    about = json.loads((room / "about.json").read_text())
    table, outputs = read(room / "features.parquet"), read(room / "outputs.parquet")
    names, chunker = [name for name in table if name != "window"], ByWindow()
    calculator, sides = nannyml.UnivariateDriftCalculator(column_names=names, chunker=chunker), chunker.sides(table)
    calculator.fit(next(sides))
    drift = calculator.calculate(next(sides)).to_df(multilevel=True)
    if about["task"] == "binary":
        outputs["guess"] = (outputs["output"] >= 0.5).astype(int)
        outputs["label"] = outputs["label"].astype(int)
        estimator = nannyml.CBPE(
            problem_type="classification_binary",
            y_pred_proba="output",
            y_pred="guess",
            y_true="label",
            metrics=["roc_auc", "accuracy"],
            chunker=chunker,
        )
        worse = {"roc_auc": -1, "accuracy": -1}
    else:
        estimator = nannyml.DLE(
            feature_column_names=about["features"],
            y_pred="output",
            y_true="label",
            metrics=[about["metric"]],
            chunker=chunker,
        )
        worse = {about["metric"]: 1}
    sides = chunker.sides(outputs)
    estimator.fit(next(sides))
    estimated = estimator.estimate(next(sides).drop(columns="label")).to_df(multilevel=True)
    return {
        "NannyML, univariate drift": drifted_windows(drift),
        "NannyML, estimated performance": worse_windows(estimated, worse),
    }


def read(path: Path) -> Any:
    """A table with texts as plain objects, the only ones that DLE bears."""
    import pandas as pd

    pd.set_option("future.infer_string", False)
    return pd.read_parquet(path)


def drifted_windows(told: Any) -> list[int]:
    """Windows in which any column alerts."""
    told = told[told[("chunk", "chunk", "period")] == "analysis"]
    alert = told.xs("alert", axis=1, level=-1).fillna(False).astype(bool).any(axis=1)
    return sorted(int(key) for key in told[("chunk", "chunk", "key")][alert])


def worse_windows(told: Any, worse: dict[str, int]) -> list[int]:
    """Windows in which an estimate alerts to the worse side."""
    told = told[told[("chunk", "period")] == "analysis"]
    found: set[int] = set()
    for metric, side in worse.items():
        value = told[(metric, "value")]
        bound = told[(metric, "upper_threshold" if side > 0 else "lower_threshold")]
        alert = told[(metric, "alert")].astype(bool) & (value > bound if side > 0 else value < bound)
        found |= {int(key) for key in told[("chunk", "key")][alert]}
    return sorted(found)


PEERS = {"evidently": of_evidently, "nannyml": of_nannyml}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(PEERS[sys.argv[1]](Path(sys.argv[2]))))
