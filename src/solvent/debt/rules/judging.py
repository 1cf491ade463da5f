"""What the rules over the rows dataflow share: which judgements of models there are, and how a chain is told."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from solvent.debt.facts.file import FileFacts
from solvent.debt.finding import Found
from solvent.debt.flow.call import nested
from solvent.debt.flow.events import Predicting, Scored
from solvent.debt.flow.parts import Part, overlap
from solvent.debt.flow.values import Fit, Model, Rows, Site


def is_test(file: FileFacts) -> bool:
    """Tests of code fit and score on what is at hand; nobody reads their figures."""
    path = PurePosixPath(file.path)
    name = path.name.lower()
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py" or "tests" in path.parts[:-1]


def judgements(file: FileFacts) -> list[Scored]:
    return [] if is_test(file) else [event for event in file.flow.events if isinstance(event, Scored)]


def uses(file: FileFacts) -> list[Scored | Predicting]:
    """Judgements, and answers whose judgement is not seen."""
    return [] if is_test(file) else [event for event in file.flow.events if isinstance(event, Scored | Predicting)]


def overlapping(one: Rows, other: Rows) -> bool | None:
    """Whether rows are shared; None where it cannot be known, as of two origins."""
    return overlap(one.part, other.part) if one.origin == other.origin else None


def saw(fit: Fit, rows: Rows) -> bool | None:
    return overlap(fit.part, rows.part) if fit.origin == rows.origin else None


def shaped_by(judged: Scored | Predicting) -> Iterator[Fit]:
    """What fixed the numbers that a model learnt from or is judged on."""
    fitting = judged.model.fitting
    yield from sorted(judged.rows.fits | (fitting.rows.fits if fitting else frozenset()), key=lambda fit: fit.site)


def held_out(judged: Scored | Predicting) -> bool:
    """Whether a model is judged on rows that it surely did not learn from, of the table that it learnt from."""
    fitting = judged.model.fitting
    return fitting is not None and overlapping(fitting.rows, judged.rows) is False


def named(file: FileFacts, rows: Rows, words: Iterable[str]) -> bool:
    """Whether a variable that holds just these rows, or the file that they come from, has one of the words in its
    name: people say what they keep for validation, and what is for training only.
    """
    names = [rows.origin.name.lower()]
    for (_, name), value in file.flow.beliefs.items():
        if any((each.origin, each.part) == (rows.origin, rows.part) for each in nested(value, Rows)):
            names.append(name.lower())
    return any(word in name for word in words for name in names)


def supervised(model: Model) -> bool:
    return model.does == "supervised" or (model.does == "search" and any(supervised(each) for each in model.inner))


def split_of(part: Part) -> Site:
    """The place that divided a part last; empty where nothing did."""
    for cut in reversed(part):
        if isinstance(cut.division, tuple) and cut.division and isinstance(cut.division[-1], tuple):
            return cut.division if isinstance(cut.division[0], tuple) else cut.division[-1]
    return ()


def found_at(file: FileFacts, site: Site, *chain: Site, said: str = "", root: str = "") -> Found:
    """At the last place of a site; chain: further places of the evidence, and the calls that led to them."""
    place = site[-1]
    lines = {each[0] for one in (site, *chain) for each in one}
    node = file.expression(place)
    syntax = ast.unparse(node) if node is not None else ""
    scope = file.scope(node).name if node is not None else ""
    return Found(place[0], tuple(sorted(lines)), said, root, scope, syntax)
