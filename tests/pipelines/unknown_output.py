"""error[bad-declaration]: pipeline.py:25: `pipeline.split` has several outputs, and `tets` is none of them:
known: split.train, split.test
"""

from typing import NamedTuple

from solvent import model, step


class Split(NamedTuple):
    train: int
    test: int


@step
def split() -> Split:
    return Split(1, 2)


@step
def fit(train: int) -> int:
    return train


bikes = model(
    estimator=fit, evaluation=split.tets, features=split.train, task="regression", target="y", metric="mae", time="t"
)
