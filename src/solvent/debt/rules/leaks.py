"""Rows that a model is judged on have helped to make what it learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from solvent.debt.facts.file import FileFacts
from solvent.debt.finding import Found
from solvent.debt.flow.events import Predicting, Scored
from solvent.debt.flow.parts import overlap
from solvent.debt.flow.values import Fit
from solvent.debt.rules.base import rule
from solvent.debt.rules.judging import (
    found_at,
    held_out,
    judgements,
    named,
    saw,
    shaped_by,
    split_of,
    uses,
)


@rule("DAT101", "fit-before-split", severity="W", principal="c", driver="V", source="Yang 2022, preprocessing leakage")
def fit_before_split(file: FileFacts) -> Iterator[Found]:
    """A scaler, imputer or the like learns from all rows, and the model is judged on some of them.

    Why it costs: the score is of rows that the preparation has seen, so it says too little about new ones. Scaling
    alone moves it little; imputing, projecting and weighting words can move it more.
    Fix: split first, fit on the training rows, only transform the rest; or put it into a `Pipeline`.
    Allow when: the figures are known beforehand (a physical range), or no decision rests on the score.
    """
    yield from _leaks(file, lambda _, fit: fit.kind == "statistics", "learns from the rows it is judged on")


@rule("DAT102", "select-before-split", severity="E", principal="d", driver="V", source="Yang 2022; Roth 2026")
def select_before_split(file: FileFacts) -> Iterator[Found]:
    """Features are chosen or encoded by the target of all rows, and the model is judged on some of them.

    Why it costs: the target of the test rows is in the features. With many features even noise scores well.
    Fix: split first and select or encode on the training rows; in cross-validation put it into the `Pipeline`.
    """
    yield from _leaks(file, _sees_target, "sees the target of the rows it is judged on")


@rule("DAT103", "resample-before-split", severity="E", principal="d", driver="V", source="Yang 2022; Roth 2026")
def resample_before_split(file: FileFacts) -> Iterator[Found]:
    """Rows are copied or invented before the split, so copies of one row stand on both sides.

    Why it costs: the model is asked about rows that it has learnt by heart; the score can be worthless.
    Fix: split first and resample the training rows; in cross-validation use the `Pipeline` of imbalanced-learn.
    """
    yield from _leaks(file, lambda _, fit: fit.kind == "resample", "copies rows before they are divided")


@rule("DAT104", "fit-on-test", severity="W", principal="c", driver="V", source="Yang 2022, preprocessing leakage")
def fit_on_test(file: FileFacts) -> Iterator[Found]:
    """A transformer is fitted anew on the test rows instead of being applied to them.

    Why it costs: train and test no longer mean the same numbers, and a single new row cannot be prepared at all.
    Fix: `fit_transform` on the training rows, `transform` on the others, with the same object.
    """
    seen = set()
    for judged in uses(file):
        fitting = judged.model.fitting
        if fitting is None or (judged.rows.origin == fitting.rows.origin and not held_out(judged)):
            continue
        for fit in sorted(judged.rows.fits, key=lambda each: each.site):
            apart = (
                saw(fit, fitting.rows) is False if fit.origin == fitting.rows.origin else _twin(fit, fitting.rows.fits)
            )
            if fit.kind == "statistics" and apart and saw(fit, judged.rows) and fit.site[-1] not in seen:
                if fit.name in {"mean", "median", "mode", "min", "std", "var", "quantile"}:
                    continue
                seen.add(fit.site[-1])
                yield found_at(file, fit.site, judged.site, said=f"{fit.name} learns from the test rows")


def _twin(fit: Fit, fits: frozenset[Fit]) -> bool:
    """Whether the training rows, of another table, had the like of it fitted too."""
    return any(other.name == fit.name and other.origin != fit.origin and other.site != fit.site for other in fits)


def _sees_target(judged: Scored, fit: Fit) -> bool:
    target = judged.model.fitting.target if judged.model.fitting else None
    by_group = fit.kind == "group" and target is not None and fit.column != "" and fit.column == target.column
    return fit.kind == "target" or by_group


def _leaks(file: FileFacts, concerns: Callable[[Scored, Fit], bool], said: str) -> Iterator[Found]:
    """Every fit of a kind that saw rows on which the model is judged, once, with the split and the judgement."""
    seen = set()
    all_uses = uses(file)
    for judged in judgements(file):
        cross_validated = judged.how == "cv"
        if not cross_validated and not held_out(judged):
            continue
        for fit in shaped_by(judged):
            if not concerns(judged, fit) or not saw(fit, judged.rows) or fit.site[-1] in seen:
                continue
            if fit.kind != "resample" and (_only_within_train(fit, all_uses) or _is_training(file, judged)):
                continue
            fitting = judged.model.fitting
            if not cross_validated and fitting is not None and saw(fit, fitting.rows) is False:
                continue  # on test rows alone: another rule's
            seen.add(fit.site[-1])
            split = split_of(judged.rows.part)
            root = f"split:{split[-1][0]}" if split else ""
            yield found_at(file, fit.site, split, judged.site, said=f"{fit.name} {said}", root=root)


def _is_training(file: FileFacts, judged: Scored) -> bool:
    """Cross-validation of what is called training rows: others are kept for the end, perhaps elsewhere."""
    return judged.how == "cv" and named(file, judged.rows, ("train",))


def _only_within_train(fit: Fit, all_uses: Sequence[Scored | Predicting]) -> bool:
    """Whether other rows were kept out of it and are used: then it touches validation only."""
    return any(use.rows.origin == fit.origin and overlap(use.rows.part, fit.part) is False for use in all_uses)
