"""Code that stands twice, and code that no test runs."""

from __future__ import annotations

from collections.abc import Iterator

from solvent.debt.facts.repository import Repository, is_aside, is_exercise, is_test
from solvent.debt.facts.summary import Block, Summary
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule

Placed = tuple[str, Block]


@rule(
    "PIP001", "copied-code", severity="W", principal="c", driver="C", source="Sculley 2015: glue code, pipeline jungles"
)
def copied_code(repository: Repository) -> Iterator[Found]:
    """A function, a cell or a whole file stands a second time, at most with other names of variables.

    Why it costs: each change and each mended bug must be made twice; one day it is made once.
    Fix: keep one, in a module that both import.
    """
    covered: set[tuple[str, int]] = set()
    for first, (path, block) in sorted(_copies(repository), key=_larger_first):
        lines = {(path, line) for line in range(block.line, block.last + 1)}
        if not lines & covered:
            covered |= lines
            yield _copy(first, (path, block))


def _copies(repository: Repository) -> Iterator[tuple[Placed, Placed]]:
    """Each copy after the first place where its code stands."""
    groups: dict[tuple[str, str], list[Placed]] = {}
    for summary in repository.python_files():
        if not is_test(summary.path) and not is_exercise(summary.path):
            for block in summary.blocks:
                groups.setdefault((block.kind, block.digest), []).append((summary.path, block))
    for first, *others in groups.values():
        yield from ((first, other) for other in others)


def _larger_first(pair: tuple[Placed, Placed]) -> tuple[int, int, str, int]:
    """Files before cells before functions, the outer before the inner: the inner is told with the outer."""
    path, block = pair[1]
    return ("file", "cell", "function").index(block.kind), block.line - block.last, path, block.line


def _copy(first: Placed, copy: Placed) -> Found:
    path, block = copy
    what = {"file": "the file is", "function": f"`{block.scope}` is", "cell": "the cell is"}[block.kind]
    at = first[1].shown
    where = first[0] if block.kind == "file" else f"{first[0]} {at}" if " " in at else f"{first[0]}:{at}"
    lines = (block.line,) if block.kind == "file" else (block.line, block.last)
    return Found(
        block.line, lines, f"{what} also {where}", scope=block.scope, syntax=f"{block.kind} {block.digest}", path=path
    )


@rule("PIP005", "untested-pipeline", severity="W", principal="e", driver="C", source="ML Test Score")
def untested_pipeline(repository: Repository) -> Iterator[Found]:
    """A model is trained by code that no test imports.

    Why it costs: each change is a risk that shows in the model's figures weeks later, or never.
    Fix: a test that runs the pipeline on a few rows; then one for each transformation.
    """
    trainers = [
        summary
        for summary in repository.python_files()
        if summary.fits and not summary.notebook and not is_test(summary.path) and not is_aside(summary.path)
    ]
    if trainers and not any(_tests(repository, summary) for summary in repository.summaries.values()):
        first = trainers[0]
        others = len(trainers) - 1
        told = f"so do {others} other files" if others > 1 else "so does another file" if others else ""
        yield Found(first.fits[0], (first.fits[0],), told, syntax="untested", path=first.path)


def _tests(repository: Repository, summary: Summary) -> bool:
    """Whether a file tests the project: it is a test and imports or runs code from here."""
    if not is_test(summary.path):
        return False
    runs = {"subprocess", "importlib", "runpy", "papermill", "nbformat", "testbook"}
    return any(one.level or one.name.partition(".")[0] in repository.own_names | runs for one in summary.imports)
