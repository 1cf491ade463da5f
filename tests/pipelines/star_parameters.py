"""error[bad-step]: pipeline.py:7: `total` takes `*numbers`, so its inputs have no names: name each input"""

from solvent import step


@step
def total(*numbers: int) -> int:
    return sum(numbers)
