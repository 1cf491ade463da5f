"""The bikes, and the same rows shuffled in time: what ages is told from what does not."""

import numpy as np
import pytest

from real_tables import bikes
from solvent.backtest.options import Options
from solvent.backtest.policies import AHEAD, NEVER, SOLVENT
from solvent.backtest.run import backtest

ASK = {"time": "time", "target": "count", "windows": 20, "windows_given": True, "prices": (0.02, 0.3, 3.0)}


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """Both tables' backtests, by name."""
    folder, table = tmp_path_factory.mktemp("bikes"), bikes()
    order = np.random.default_rng(0).permutation(table.height)
    twin = table.select("time", *(table[name][order] for name in table.columns if name != "time"))
    found = {}
    for name, frame in {"bikes": table, "twin": twin}.items():
        frame.write_parquet(folder / f"{name}.parquet")
        found[name] = backtest(Options(path=folder / f"{name}.parquet", **ASK), lambda _: None)
    return found


def test_bikes_age_and_are_worth_retraining(lived):
    found = lived["bikes"]
    assert found.lifetime.aging.verdict == "gradual" and found.lifetime.month.lower > 0
    for priced in found.curve:
        for name in (SOLVENT, AHEAD):
            assert priced.named(name).cost < (1.0 if priced.relative > 1 else 0.8) * priced.named(NEVER).cost
    assert any(one.kind == "drift" for one in found.asked.named(SOLVENT).retrainings)


def test_shuffled_bikes_do_not_age_nobody_is_warned_and_more_rows_are_the_only_reason(lived):
    found = lived["twin"]
    assert found.lifetime.aging.verdict == "stable" and found.warnings == []
    for priced in found.curve:
        for name in (SOLVENT, AHEAD):
            assert priced.named(name).cost <= 1.02 * priced.named(NEVER).cost
            assert "drift" not in {one.kind for one in priced.named(name).retrainings}
