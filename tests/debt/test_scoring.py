"""Scores against closed forms and simulated repositories."""

import numpy as np
import pytest
from scipy import stats

from solvent.debt.pricing.churn import Exposure
from solvent.debt.scoring import REPAIR, Forecast, Seen, crps, score


def test_crps_of_a_normal_sample_is_its_closed_form():
    draws = np.random.default_rng(1).normal(size=200_000)
    z = 0.7
    wanted = z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi)
    assert crps(draws, z) == pytest.approx(wanted, abs=0.01)


def test_files_that_change_as_before_are_covered_and_fresh_knowledge_beats_stale():
    generator = np.random.default_rng(2)
    rates = generator.gamma(1.0, 2.0, 400)
    forecasts = [Forecast(f"{n}", 0.0, Exposure(generator.poisson(r * 8), 8), 10) for n, r in enumerate(rates)]
    seen = {f"{n}": Seen(int(generator.poisson(r * 3)), 0) for n, r in enumerate(rates)}
    found = score(forecasts, seen, 3 * 365.25 / 12)
    assert 0.8 <= found.coverage <= 0.95, "counts are whole, so intervals hold somewhat more"
    assert found.crps["audit"] < found.crps["past rate"]
    assert found.lift is None


def test_the_ranking_that_finds_the_repairs_wins_and_ties_are_shared():
    forecasts = [Forecast(f"{n}", 5.0 if n < 10 else 0.0, Exposure(1, 6), n) for n in range(100)]
    found = score(forecasts, {"3": Seen(2, 2)}, 30)
    assert found.best == "interest"
    assert found.lift == {"interest": 10.0, "churn": 1.0, "lines": 0.0}


def test_nothing_forecast_is_refused():
    with pytest.raises(ValueError, match="nothing was forecast"):
        score([], {}, 30)


@pytest.mark.parametrize("subject", ["Fix leak", "bugfix: x", 'Revert "y"', "fixes #3", "repaired"])
def test_repairs_are_known_by_their_words(subject):
    assert REPAIR.search(subject)


@pytest.mark.parametrize("subject", ["Prefix names", "Add fixture", "debug output"])
def test_other_commits_are_not(subject):
    assert not REPAIR.search(subject)
