"""Chance that nobody can repeat."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from solvent.debt.facts.file import FileFacts
from solvent.debt.finding import Found
from solvent.debt.flow.events import Fitted, Predicting, Scored, Split
from solvent.debt.flow.values import Model, Site
from solvent.debt.rules.base import rule
from solvent.debt.rules.judging import found_at, is_test


@rule("REP001", "unseeded", severity="W", principal="a", driver="V", source="Zhang 2022, smell 14")
def unseeded(file: FileFacts) -> Iterator[Found]:
    """A split or a model draws by chance without a seed, and its score or its answers are used.

    Why it costs: the next run gives another score, so nobody can tell a change of the code from luck.
    Fix: `random_state=7` at the split and the estimator, or one global seed at the start of the program.
    """
    if is_test(file):
        return
    first_seed = _first_seed(file)
    seen = set()
    for site, what, drawn in (*_splits(file), *_models(file)):
        if site[-1] not in seen and not (first_seed and first_seed <= drawn):
            seen.add(site[-1])
            yield found_at(file, site, said=f"{what} draws without a seed")


def _first_seed(file: FileFacts) -> int:
    """Line of the first call that sets a global seed, as its name says; 0 where there is none."""
    lines = [call.lineno for call in file.nodes(ast.Call) if "seed" in _last_name(call.func)]
    return min(lines, default=0)


def _last_name(func: ast.expr) -> str:
    return (func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else "").lower()


def _splits(file: FileFacts) -> Iterator[tuple[Site, str, int]]:
    """Place, name and line of the draw. Those whose parts a model learns from, or whose folds judge one."""
    used: set[object] = set()
    for event in file.flow.events:
        if isinstance(event, Fitted) and event.model.fitting is not None:
            used.update(cut.division for cut in event.model.fitting.rows.part)
        elif isinstance(event, Scored):
            used.update((event.site, *(cut.division for cut in event.rows.part)))
    for event in file.flow.events:
        if isinstance(event, Split) and event.shuffles and event.seeded is False and event.site in used:
            yield event.site, event.name.rpartition(".")[2], event.site[-1][0]


def _models(file: FileFacts) -> Iterator[tuple[Site, str, int]]:
    for event in file.flow.events:
        if isinstance(event, Scored | Predicting):
            fitting = event.model.fitting
            drawn = fitting.site if fitting is not None else event.site  # not where it is constructed
            for model in _drawing(event.model):
                yield model.site, model.name.rpartition(".")[2], drawn[-1][0]


def _drawing(model: Model) -> Iterator[Model]:
    """The model, or what draws within it."""
    within = [each for step in model.inner for each in _drawing(step)]
    yield from within
    if not within and model.seeded is False and model.name:
        yield model
