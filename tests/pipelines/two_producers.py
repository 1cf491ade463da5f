"""error[two-producers]: pipeline.py:21: `train` is made twice: in pipeline.py:16 and in pipeline.py:21: rename
one of them
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
def train() -> int:
    return 1
