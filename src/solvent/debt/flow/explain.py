"""What the flow believes, line by line, in words: `solvent audit --explain-flow FILE`."""

from __future__ import annotations

from collections.abc import Iterator

from solvent.debt.facts.file import FileFacts
from solvent.debt.flow.events import Event, Fitted, Predicting, Scored, Split
from solvent.debt.flow.parts import Between, Bound, Cut, Part
from solvent.debt.flow.values import (
    Divider,
    Fit,
    Folds,
    Grouped,
    Many,
    Model,
    Predicted,
    Record,
    Rows,
    Selector,
    Setting,
    Site,
    Statistic,
    Value,
)


def explain(file: FileFacts) -> list[str]:
    """A line of text for each line of the file that binds or does something: the line, then what is believed."""
    flow = file.flow
    said: dict[int, list[str]] = {}
    for (line, name), value in flow.beliefs.items():
        said.setdefault(line, []).append(f"{name} = {describe(value)}")
    for event in flow.events:
        said.setdefault(event.site[-1][0], []).append(_event(event))
    lines = list(_printed(file, said))
    return lines if flow.complete else [*lines, "too large to follow to its end"]


def _printed(file: FileFacts, said: dict[int, list[str]]) -> Iterator[str]:
    for number in sorted(said):
        place = file.document.place(number)
        where = f"cell {place.cell}, line {place.line}" if place.cell else f"{place.line}"
        yield f"{where}: {file.document.line(number)}"
        for text in dict.fromkeys(said[number]):
            yield f"    {text}"


def describe(value: Value) -> str:
    """A value in words."""
    if isinstance(value, Rows):
        return _rows(value)
    if isinstance(value, Model):
        return _model(value)
    if isinstance(value, Record):
        inside = ", ".join(f"{key}: {describe(each)}" for key, each in value.fields.items())
        return f"{value.of or 'record'}({inside})"
    if isinstance(value, Predicted):
        return f"predictions of {_model(value.model)} for {_rows(value.rows)}"
    if isinstance(value, Statistic):
        return f"{value.name or 'figure'} of rows" + _fits(value.fits)
    if isinstance(value, Many):
        return f"many of {describe(value.element)}"
    if isinstance(value, Selector):
        return f"the choice {_part(value.cuts)}"
    if isinstance(value, Grouped):
        return f"groups of {_rows(value.rows)}"
    if isinstance(value, Folds | Divider):
        return "folds"
    if isinstance(value, Setting):
        return "a setting that is tried" if value.loop else "what a search found"
    return {"Unknown": "unknown", "Constant": "a constant", "Named": "something imported"}.get(
        type(value).__name__, "a function of this file"
    )


def _rows(rows: Rows) -> str:
    table = "table" if rows.table else "rows"
    source = f"{rows.origin.name or 'what comes'}{rows.origin.field if rows.origin.field != rows.origin.name else ''}"
    text = f"{table} of {source} (line {_line(rows.origin.site)}), {_part(rows.part)}"
    if rows.column:
        text += f", column {rows.column}"
    elif rows.columns is not None and rows.columns.only is not None:
        text += f", only {', '.join(sorted(rows.columns.only))}"
    elif rows.columns is not None and rows.columns.without:
        text += f", without {', '.join(sorted(rows.columns.without))}"
    return text + _fits(rows.fits)


def _part(part: Part) -> str:
    return " > ".join(_cut(cut) for cut in part) if part else "all"


def _cut(cut: Cut) -> str:
    side = cut.side if isinstance(cut.side, str) else _between(cut.side)
    line = ""
    if isinstance(cut.division, tuple):
        last = cut.division[-1]
        if isinstance(last, tuple) and len(last) == 4 and isinstance(last[0], int):
            line = f" of line {last[0]}"
    return f"{side}{line}"


def _between(side: Between) -> str:
    return f"[{_bound(side.low)}:{_bound(side.high)}]"


def _bound(bound: Bound | None) -> str:
    return "" if bound is None else str(bound.constant) if bound.constant is not None else bound.written


def _fits(fits: frozenset[Fit]) -> str:
    learnt = sorted(f"{fit.name} on {_part(fit.part)} in line {_line(fit.site)}" for fit in fits)
    return f"; fixed by {', '.join(learnt)}" if learnt else ""


def _model(model: Model) -> str:
    name = model.name.rpartition(".")[2] or "a model"
    fitted = (
        f", fitted on {_part(model.fitting.rows.part)} in line {_line(model.fitting.site)}" if model.fitting else ""
    )
    return name + fitted


def _event(event: Event) -> str:
    if isinstance(event, Split):
        return f"* divides rows{'' if event.shuffles else ' in order'}"
    if isinstance(event, Fitted):
        fitting = event.model.fitting
        return f"* {event.model.name.rpartition('.')[2] or 'a model'} learns from " + (
            _rows(fitting.rows) if fitting else "rows"
        )
    if isinstance(event, Scored):
        return f"* {_model(event.model)} is judged on {_rows(event.rows)}"
    if isinstance(event, Predicting):
        return f"* {_model(event.model)} answers for {_rows(event.rows)}"
    return f"* {_model(event.model)} is used where it is not followed"


def _line(site: Site) -> int:
    return site[-1][0] if site else 0
