"""Scores that say little: of rows that the model was fitted on, or that its settings were chosen by."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from solvent.debt.facts.file import FileFacts
from solvent.debt.finding import Found
from solvent.debt.flow.events import Escaped, Fitted, Scored, Split
from solvent.debt.flow.values import Model, Site
from solvent.debt.rules.base import rule
from solvent.debt.rules.judging import (
    found_at,
    held_out,
    judgements,
    named,
    overlapping,
    split_of,
    supervised,
    uses,
)

VALIDATION = ("val", "vl", "va_", "_va", "dev")  # in the name of rows that are meant for choosing


@rule(
    "DAT105",
    "scored-on-train",
    severity="E",
    principal="d",
    driver="V",
    source="Yang 2022, overlap leakage",
)
def scored_on_train(file: FileFacts) -> Iterator[Found]:
    """A model is judged on rows some of which it was fitted on: the test part after a fit on all, or all after a split.

    Why it costs: the figure passes for one of new rows, and a model that learns by heart looks perfect.
    Fix: fit on the training rows only, and judge on those that were kept back.
    Allow when: the figure is only to show that the model can fit at all.
    """
    seen = set()
    for judged in judgements(file):
        fitting = judged.model.fitting
        if judged.how not in {"score", "metric"} or fitting is None or not supervised(judged.model):
            continue
        if overlapping(fitting.rows, judged.rows) is not True or _judged_elsewhere(file, judged.model):
            continue
        if fitting.rows.part == judged.rows.part:
            continue  # how well the rows of the fit are fitted is a figure of its own, mostly meant as it stands
        if fitting.site[-1] not in seen and not _says_train(file, judged.site):
            seen.add(fitting.site[-1])
            yield found_at(file, judged.site, fitting.site, said="the rows are among those of the fit")


@rule(
    "DAT106",
    "tuned-on-test",
    severity="E",
    principal="d",
    driver="V",
    source="Yang 2022, multi-test leakage; Roth 2026",
)
def tuned_on_test(file: FileFacts) -> Iterator[Found]:
    """The rows of the final score also chose the settings, the moment to stop or the best checkpoint.

    Why it costs: the choice fits itself to these rows, and the more is tried, the more the score promises too much.
    Fix: choose by a validation part or by cross-validation, and open the test part once.
    """
    seen = set()
    for site, judged, said in (*_stopped_by_test(file), *_searched_on_test(file), *_looped_over_test(file)):
        if site[-1] not in seen and not named(file, judged.rows, VALIDATION):
            seen.add(site[-1])
            split = split_of(judged.rows.part)
            root = f"split:{split[-1][0]}" if split else ""
            yield found_at(file, site, split, judged.site, said=said, root=root)


def _judged_elsewhere(file: FileFacts, model: Model) -> bool:
    """Whether the model, or one of its class, may be judged on other rows: seen, or out of sight."""
    for use in uses(file):
        alike = use.model.site == model.site or (use.model.name == model.name != "")
        fitting = use.model.fitting
        cross_validated = isinstance(use, Scored) and use.how == "cv"
        if alike and (cross_validated or fitting is None or overlapping(fitting.rows, use.rows) is not True):
            return True
    escaped = (event.model for event in file.flow.events if isinstance(event, Escaped))
    return any(each.site == model.site for each in escaped)


def _says_train(file: FileFacts, site: Site) -> bool:
    """The line says itself that it is about training."""
    node = file.expression(site[-1])
    statement = file.statement(node) if node is not None else None
    return statement is not None and "train" in ast.unparse(statement).lower()


def _stopped_by_test(file: FileFacts) -> Iterator[tuple[Site, Scored, str]]:
    """Within cross-validation it moves each fold's score a little and is how the field does it: not told."""
    fits = [event for event in file.flow.events if isinstance(event, Fitted)]
    folds = _folds(file)
    for fitted in fits:
        watched = fitted.model.fitting.watched if fitted.model.fitting else None
        if watched is None or split_of(watched.part) in folds:
            continue
        reports = [each for each in judgements(file) if each.model.site == fitted.model.site and each.how != "cv"]
        same = [each for each in reports if (each.rows.origin, each.rows.part) == (watched.origin, watched.part)]
        if same and all(overlapping(each.rows, watched) or not held_out(each) for each in reports):
            yield fitted.site, same[0], "it stops by the rows that it is judged on"


def _searched_on_test(file: FileFacts) -> Iterator[tuple[Site, Scored, str]]:
    for judged in judgements(file):
        search = judged.model.tuned_by
        if search is None or search.fitting is None or judged.how == "cv" or not held_out(judged):
            continue
        if overlapping(search.fitting.rows, judged.rows):
            yield search.fitting.site, judged, "the search has seen the rows of the score"


def _looped_over_test(file: FileFacts) -> Iterator[tuple[Site, Scored, str]]:
    scores = judgements(file)
    told: set[ast.For] = set()
    folds = _folds(file)
    for judged in scores:
        if judged.loop is None or judged.how == "cv" or not held_out(judged):
            continue
        split = split_of(judged.rows.part)
        if not split or split in folds or _kept_apart(judged, scores):
            continue
        loop = _loop_around(file, judged.site, judged.loop)
        if loop is None or loop in told:
            continue
        if not _stands_in(loop, split) and _keeps(file, loop, judged.site):
            told.add(loop)
            yield judged.site, judged, "settings are compared by the rows of the score"


def _folds(file: FileFacts) -> set[Site]:
    """Places that divide rows into folds, not once into two parts."""
    once = ("train_test_split", "random_split", "sample")
    splits = [event for event in file.flow.events if isinstance(event, Split)]
    return {split.site for split in splits if not split.name.endswith(once)}


def _kept_apart(judged: Scored, scores: Sequence[Scored]) -> bool:
    """Whether there is a score on rows that neither the fit nor the loop has seen."""
    fitting = judged.model.fitting
    return fitting is not None and any(
        overlapping(each.rows, judged.rows) is False and overlapping(each.rows, fitting.rows) is False
        for each in scores
    )


def _loop_around(file: FileFacts, site: Site, loop: Site) -> ast.For | None:
    """The `for` whose settings are tried, where the score stands in its body."""
    node = file.expression(site[-1])
    if node is None:
        return None
    for above in file.parents(node):
        if isinstance(above, ast.For) and (above.iter.lineno, above.iter.col_offset) == loop[-1][:2]:
            return above
    return None


def _stands_in(loop: ast.For, site: Site) -> bool:
    return loop.lineno <= site[-1][0] <= (loop.end_lineno or loop.lineno)


def _keeps(file: FileFacts, loop: ast.For, site: Site) -> bool:
    """Whether the score is collected, or compared with the best so far."""
    node = file.expression(site[-1])
    statement = file.statement(node) if node is not None else None
    if node is None or statement is None:
        return False
    if _collected(file, node) or any(isinstance(above, ast.Compare) for above in file.parents(node)):
        return True
    if not isinstance(statement, ast.Assign):
        return False
    target = statement.targets[0]
    if isinstance(target, ast.Subscript):
        return True
    named = [each for each in ast.walk(loop) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)]
    mine = [each for each in named if isinstance(target, ast.Name) and each.id == target.id]
    return any(_collected(file, each) or isinstance(file.map.parent[each], ast.Compare) for each in mine)


def _collected(file: FileFacts, node: ast.AST) -> bool:
    for above in file.parents(node):
        if isinstance(above, ast.stmt):
            return False
        if isinstance(above, ast.Call) and isinstance(above.func, ast.Attribute) and above.func.attr == "append":
            return True
    return False
