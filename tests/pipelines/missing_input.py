"""error[missing-input]: pipeline.py:12: nothing makes `flight`, which `count` takes: did you mean `flights`?"""

from solvent import step


@step
def flights() -> list[str]:
    return ["UA1545"]


@step
def count(flight: list[str]) -> int:
    return len(flight)
