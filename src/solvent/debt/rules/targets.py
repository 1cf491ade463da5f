"""What a model is asked and what it is given: the target among the features, the future among the past."""

from __future__ import annotations

from collections.abc import Iterator

from solvent.debt.facts.file import FileFacts
from solvent.debt.finding import Found
from solvent.debt.flow.events import Fitted, Split
from solvent.debt.flow.values import Rows
from solvent.debt.rules.base import rule
from solvent.debt.rules.judging import found_at, held_out, is_test, judgements, supervised


@rule(
    "DAT107",
    "target-in-features",
    severity="E",
    principal="d",
    driver="V",
    source="Zhang 2022, smell 21",
    preview=True,  # no right finding in real code has been read yet
)
def target_in_features(file: FileFacts) -> Iterator[Found]:
    """A model is fitted on a table that still holds the column that it shall predict.

    Why it costs: it copies the answer, scores perfectly, and has nothing to copy when it is used.
    Fix: `X = df.drop(columns=[target])`, before the fit.
    """
    seen = set()
    for event in file.flow.events:
        if not isinstance(event, Fitted) or not supervised(event.model):
            continue  # an encoder is told which columns it shall encode
        fitting = event.model.fitting
        if fitting is None or fitting.target is None or is_test(file) or event.site[-1] in seen:
            continue
        target = _column(fitting.target)
        if target and _holds(fitting.rows, fitting.target, target):
            seen.add(event.site[-1])
            origin = fitting.rows.origin.site
            yield found_at(file, event.site, origin, said=f"`{target}` is among the features")


@rule(
    "DAT108",
    "shuffled-time",
    severity="E",
    principal="d",
    driver="R",
    source="Roth 2026; Kapoor and Narayanan 2023",
)
def shuffled_time(file: FileFacts) -> Iterator[Found]:
    """Rows that follow each other in time, or carry lags and windows, are divided by chance.

    Why it costs: the model is tested on moments between those that it has learnt; in use it only has the past.
    Fix: cut by time (`shuffle=False`, a date, `TimeSeriesSplit`).
    Allow when: rows are independent of each other in spite of their dates.
    """
    used = {site for judged in judgements(file) if held_out(judged) for site in _divisions(judged.rows)}
    used |= {judged.site for judged in judgements(file) if judged.how == "cv"}
    seen = set()
    for event in file.flow.events:
        if not isinstance(event, Split) or not event.shuffles or event.site not in used or event.site[-1] in seen:
            continue
        for rows in event.rows[:1]:
            if rows.timed is not None and not any(cut.kind in {"split", "slice", "mask"} for cut in rows.part):
                seen.add(event.site[-1])
                where, what = rows.timed
                yield found_at(file, event.site, where, said=f"the rows have {what}", root=f"split:{event.site[-1][0]}")


def _column(target: Rows) -> str:
    """The one column that a target is, untouched since it was read."""
    if not target.plain:
        return ""
    only = target.columns.only if target.columns is not None else None
    return target.column or (next(iter(only)) if only is not None and len(only) == 1 else "")


def _holds(rows: Rows, target: Rows, column: str) -> bool:
    columns = rows.columns
    if columns is None or (rows.origin, rows.part) != (target.origin, target.part) or rows.column:
        return False
    born = dict(target.columns.born).get(column) if target.columns is not None else None
    if dict(columns.born).get(column) != born:
        return False  # one of them is older than the column
    return column in columns.only if columns.only is not None else column not in columns.without


def _divisions(rows: Rows) -> Iterator[object]:
    return (cut.division for cut in rows.part)
