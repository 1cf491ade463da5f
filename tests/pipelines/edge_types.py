"""error[edge-types]: pipeline.py:16: `total` takes `names` as `dict[str, float]`, but `names` (pipeline.py:11)
makes `list[str]`: make the two annotations agree
"""

from __future__ import annotations

from solvent import step


@step
def names() -> list[str]:
    return ["UA", "AA"]


@step
def total(names: dict[str, float]) -> float:
    return sum(names.values())
