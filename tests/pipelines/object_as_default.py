"""error[bad-step]: pipeline.py:11: the default of `since` in `clean` is a date, which is no JSON value: use
text, numbers, truth values, lists and dicts, and build the rest inside
"""

from datetime import date

from solvent import step


@step
def clean(*, since: date = date(2012, 1, 1)) -> str:
    return since.isoformat()
