"""error[bad-declaration]: pipeline.py:9: <source data/rides.csv> is used but not assigned to a variable: give
it a name
"""

from solvent import source, step


@step
def count(rides: "pl.LazyFrame") -> int:  # noqa: F821
    return 1


counted = count.bind(rides=source("data/rides.csv"))
