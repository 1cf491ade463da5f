"""error[bad-step]: pipeline.py:12: `small` has no positional parameter `trian` to bind: did you mean `train`?"""

from solvent import step


@step
def train() -> int:
    return 1


@step
def fit(train: int) -> int:
    return train


small = fit.bind(trian=train)
