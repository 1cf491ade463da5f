"""error[edge-types]: pipeline.py:11: `count` takes `rides` as `list[str]`, but `rides` (pipeline.py:7) makes a
source's table: make the two annotations agree
"""

from solvent import source, step

rides = source("data/rides.csv")


@step
def count(rides: list[str]) -> int:
    return len(rides)
