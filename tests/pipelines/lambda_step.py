"""error[not-importable]: pipeline.py:7: a lambda cannot be a step: a worker process could not import it: write
it as a function with `def`
"""

from solvent import step

double = step(lambda x: 2 * x)
