"""Sketches: partitions together say what one pass says, within what each promises."""

from __future__ import annotations

import math
from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.statistics.sketches import Distinct, HeavyHitters, Quantiles, hash_numbers, hash_texts

numbers = st.lists(st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, math.inf, math.nan])), max_size=60).map(
    lambda v: np.array(v, dtype=float)
)
words = st.lists(st.sampled_from("abcdefghij"), max_size=40)
SHARES = np.linspace(0, 1, 41)


def parts_of(values: np.ndarray, count: int) -> list[np.ndarray]:
    return np.array_split(values, count)


def worst_rank_error(sketch: Quantiles, values: np.ndarray) -> float:
    """Largest distance of a told rank from what is true; ties span a range of ranks."""
    ordered = np.sort(values)
    told = np.array([sketch.at(share) for share in SHARES])
    low = np.searchsorted(ordered, told, side="left") / len(values)
    high = np.searchsorted(ordered, told, side="right") / len(values)
    return float(np.max(np.maximum(low - SHARES, SHARES - high)))


@given(numbers, numbers, numbers)
def test_small_quantile_sketches_are_exact_and_merge_like_sets(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    x, y, z = (Quantiles.of(part, 4096) for part in (a, b, c))
    assert x + y == y + x and (x + y) + z == x + (y + z) == Quantiles.of(np.concatenate([a, b, c]), 4096)
    assert x + Quantiles(size=4096) == x and x.rank_error == 0


@pytest.mark.parametrize("order", ["random", "sorted", "zigzag", "ties"])
@pytest.mark.parametrize("pieces", [1, 7, 60])
def test_ranks_stay_within_the_stated_error_however_the_parts_are_merged(order: str, pieces: int) -> None:
    rng = np.random.default_rng(3)
    values = rng.lognormal(size=20_000)
    if order == "sorted":
        values = np.sort(values)
    elif order == "zigzag":
        values = np.sort(values)[np.argsort(np.arange(len(values)) % 2, kind="stable")]
    elif order == "ties":
        values = np.round(values)
    sketches = [Quantiles.of(part, 256) for part in parts_of(values, pieces)]
    left = sketches[0]
    for one in sketches[1:]:
        left = left + one
    while len(sketches) > 1:  # a tree of merges
        pairs = [sketches[at : at + 2] for at in range(0, len(sketches), 2)]
        sketches = [pair[0] + pair[1] if len(pair) == 2 else pair[0] for pair in pairs]
    for merged in (left, sketches[0]):
        assert worst_rank_error(merged, values) <= merged.rank_error + 1e-9 < 0.05
        assert (merged.rows, merged.low, merged.high) == (len(values), values.min(), values.max())
        assert sum(len(level) for level in merged.levels) <= 257 * len(merged.levels)
        assert merged.rank(float(np.median(values))) == pytest.approx(0.5, abs=0.05 if order != "ties" else 0.3)


def test_a_quantile_of_nothing_and_an_impossible_share() -> None:
    assert math.isnan(Quantiles.of(np.array([math.nan])).at(0.5)) and math.isnan(Quantiles().rank(1.0))
    with pytest.raises(ValueError, match="outside"):
        Quantiles.of(np.array([1.0])).at(1.5)


@given(numbers, numbers)
def test_distinct_merges_exactly_and_in_any_order(a: np.ndarray, b: np.ndarray) -> None:
    x, y = Distinct.of(hash_numbers(a), 6), Distinct.of(hash_numbers(b), 6)
    assert x + y == y + x == Distinct.of(hash_numbers(np.concatenate([a, b])), 6) and x + x == x


@pytest.mark.parametrize("count", [0, 1, 50, 3_000, 40_000, 1_000_000])
def test_distinct_counts_within_four_standard_errors(count: int) -> None:
    sketch = Distinct.of(hash_numbers(np.arange(count, dtype=float) * 1.1))
    assert sketch.count == pytest.approx(count, rel=4 * 1.04 / 64, abs=0.5)


def test_hashes_know_one_zero_one_missing_and_no_collision_of_near_numbers() -> None:
    assert len(np.unique(hash_numbers(np.array([0.0, -0.0])))) == 1
    assert len(np.unique(hash_numbers(np.array([math.nan, -math.nan])))) == 1
    assert len(np.unique(hash_numbers(np.arange(100_000) / 7))) == 100_000
    assert len(np.unique(hash_texts(str(i) for i in range(10_000)))) == 10_000
    assert Distinct.of(hash_texts(str(i) for i in range(20_000))).count == pytest.approx(20_000, rel=0.065)
    with pytest.raises(ValueError, match="precision"):
        Distinct() + Distinct.of(hash_numbers(np.ones(1)), 5)


@given(words, words, words)
def test_heavy_hitters_keep_their_promise_through_any_merge(a: list[str], b: list[str], c: list[str]) -> None:
    x, y, z = (HeavyHitters.of(Counter(part), 4) for part in (a, b, c))
    true = Counter(a + b + c)
    for merged in ((x + y) + z, x + (y + z), (z + y) + x):
        assert len(merged.counts) <= 4 and x + y == y + x
        for value, rows in true.items():
            assert rows - merged.lost <= merged.counts.get(value, 0) <= rows
        assert merged.lost <= sum(true.values()) / 5 or merged.lost == 0
    big = [HeavyHitters.of(Counter(part), 20) for part in (a, b, c)]
    assert (big[0] + big[1] + big[2]).counts == dict(true) and (big[0] + big[1]).lost == 0


def test_rare_values_are_not_told() -> None:
    kept = HeavyHitters.of({"Ann": 1, "Bo": 30}).above(20)
    assert (kept.counts, kept.lost) == ({"Bo": 30}, 1) and kept.above(20) == kept


def test_sketches_travel_as_bytes() -> None:
    values = np.random.default_rng(0).normal(size=5000)
    for sketch in (Quantiles.of(values), Distinct.of(hash_numbers(values)), HeavyHitters.of({"a": 3})):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(sketch), type=type(sketch)) == sketch
