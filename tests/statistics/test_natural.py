"""What natural variation allows: exceeded as rarely as promised, by blocks and by chance."""

import numpy as np
import pytest
from scipy.signal import lfilter

from solvent.statistics.drift import pool_distances
from solvent.statistics.merged import Merged
from solvent.statistics.natural import drawn_distances, natural_limit, rate_limit
from solvent.statistics.profiles import histogram

ROUNDS = 300


def mostly(exceeded, level):
    """Whether so many of the rounds are within three standard errors of the level, or fewer."""
    return exceeded <= ROUNDS * level + 3 * np.sqrt(ROUNDS * level)


@pytest.mark.parametrize("blocks", [8, 30])
@pytest.mark.parametrize("kind", ["independent", "dependent", "two values"])
def test_one_more_like_block_exceeds_the_limit_no_oftener_than_promised(kind, blocks):
    rng, level, exceeded = np.random.default_rng(3), 0.05, 0
    for _ in range(ROUNDS):
        noise = rng.normal(size=(blocks + 1) * 60)
        values = {
            "independent": noise,
            "dependent": lfilter([1], [1, -0.9], noise),
            "two values": (noise > 0.5).astype(float),
        }[kind]
        *before, last = np.split(values, blocks + 1)
        merged = Merged.of(np.concatenate(before), last)
        edges, gaps = merged.quantile_bins(50)
        own = pool_distances(np.stack([histogram(block, edges) for block in before]), gaps)
        exceeded += merged.distances()[0] > natural_limit(own, level)
    assert mostly(exceeded, level)


@pytest.mark.parametrize(("n", "m"), [(200, 200), (3000, 50), (50, 3000)])
def test_chance_alone_exceeds_its_limit_no_oftener_than_promised(n, m):
    rng, level, exceeded, rates = np.random.default_rng(4), 0.05, 0, 0
    for seed in range(ROUNDS):
        left, right = (rng.random(rows) < 0.3 for rows in (n, m))
        counts = (np.array([(~side).sum(), side.sum()]) for side in (left, right))
        own = drawn_distances(*counts, np.ones(1), draws=100, seed=seed)
        change = abs(left.mean() - right.mean())
        exceeded += change > natural_limit(own, level)
        rates += change > rate_limit((int(left.sum()), n), (int(right.sum()), m), level)
    assert mostly(exceeded, level) and mostly(rates, level)
    assert exceeded > 0 and rates > 0, "and the limit is no wider than it must be"


def test_drawn_distances_shrink_with_the_rows_and_repeat_with_the_seed():
    few, many = (
        drawn_distances(np.full(20, rows), np.full(20, rows), None, draws=50, seed=1).mean() for rows in (10, 1000)
    )
    assert few > 5 * many
    again = [drawn_distances(np.full(5, 9), np.full(5, 9), np.ones(4), draws=9, seed=2) for _ in range(2)]
    assert (again[0] == again[1]).all()
