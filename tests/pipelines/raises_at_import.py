"""error[broken-module]: pipeline.py:5: `pipeline` cannot be imported: ZeroDivisionError: division by zero"""

from solvent import step

rate = 1 / 0


@step
def one() -> int:
    return 1
