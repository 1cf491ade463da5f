"""error[not-importable]: pipeline.py:9: `make.<locals>.inner` is not at the top level of its module, so a
worker process could not import it: move it to the top level
"""

from solvent import step


def make() -> object:
    @step
    def inner() -> int:
        return 1

    return inner


inner = make()
