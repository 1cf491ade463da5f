"""error[bad-step]: pipeline.py:7: `clean` has no default for `weeks`: write `weeks=…`"""

from solvent import step


@step
def clean(*, weeks: int) -> int:
    return weeks
