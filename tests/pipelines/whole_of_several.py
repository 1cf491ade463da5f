"""error[missing-input]: pipeline.py:21: nothing makes `split`, which `fit` takes: `split` has several outputs:
take `train` or `test`
"""

from typing import NamedTuple

from solvent import step


class Split(NamedTuple):
    train: int
    test: int


@step
def split() -> Split:
    return Split(1, 2)


@step
def fit(split: int) -> int:
    return split
