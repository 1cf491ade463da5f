"""error[cycle]: pipeline.py:7, pipeline.py:12: steps wait for each other: egg → hen → egg: break the circle"""

from solvent import step


@step
def egg(hen: str) -> str:
    return hen


@step
def hen(egg: str) -> str:
    return egg
