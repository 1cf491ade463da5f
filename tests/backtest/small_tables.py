"""Small tables whose answer is known."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

START = datetime(2024, 1, 1)
TREE = """
from sklearn.tree import DecisionTreeRegressor, DecisionTreeClassifier

def regressor():
    return DecisionTreeRegressor(max_depth=3, random_state=0)

def classifier():
    return DecisionTreeClassifier(max_depth=3, random_state=0)

class NoFit:
    pass

def raises():
    class Raises(DecisionTreeRegressor):
        def fit(self, X, y):
            raise ValueError("too blue")
    return Raises()
"""


def sales(rows: int = 1200, *, seed: int = 0, drift: float = 0.0) -> pl.DataFrame:
    """Hourly sales. drift: by how much the price's weight has moved when the table ends."""
    rng = np.random.default_rng(seed)
    price, size = rng.uniform(5, 15, rows), rng.uniform(0, 1, rows)
    weight = 2 + drift * np.arange(rows) / rows
    return pl.DataFrame(
        {
            "time": [START + timedelta(hours=hour) for hour in range(rows)],
            "price": price,
            "size": size,
            "shop": rng.choice(["north", "south", "east"], rows),
            "units": 50 - weight * price + 10 * size + rng.normal(0, 1, rows),
        }
    )


def wandering(rows: int = 3000, *, seed: int = 0) -> pl.DataFrame:
    """Hourly sales of which a campaign's code tells much, until its meaning turns about for good; sizes keep theirs."""
    rng = np.random.default_rng(seed)
    size, code = rng.uniform(0, 1, (2, rows))
    meaning = np.where(np.arange(rows) < 0.4 * rows, 8.0, -8.0)
    return pl.DataFrame(
        {
            "time": [START + timedelta(hours=hour) for hour in range(rows)],
            "size": size,
            "code": code,
            "units": 50 + 10 * size + meaning * (code - 0.5) + rng.normal(0, 1, rows),
        }
    )
