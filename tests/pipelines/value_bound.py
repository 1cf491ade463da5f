"""error[bad-declaration]: pipeline.py:13: `bind(weeks=…)` of `clean` got a value of type int: bind a step, a
source or an output like `split.train`; values are keyword-only parameters
"""

from solvent import step


@step
def clean(weeks: int) -> int:
    return weeks


short = clean.bind(weeks=2)
