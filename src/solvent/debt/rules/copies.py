"""Code that stands twice, and code that no test runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from solvent.debt.facts import images
from solvent.debt.facts.repository import Repository, is_aside, is_exercise, is_test
from solvent.debt.facts.summary import Block, Summary
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule
from solvent.pages.words import plural

Placed = tuple[str, Block]


@rule(
    "PIP001",
    "copied-code",
    severity="W",
    principal="c",
    driver="C",
    source="Sculley 2015: glue code, pipeline jungles",
    preview=True,  # right as a fact, but half of the copies in public code stand where they cannot be shared
)
def copied_code(repository: Repository) -> Iterator[Found]:
    """A function, a cell or a whole file stands a second time, at most with other names of variables.

    Why it costs: each change and each mended bug must be made twice; one day it is made once.
    Fix: keep one, in a module that both import.
    """
    covered: set[tuple[str, int]] = set()
    told: dict[tuple[str, str], list[tuple[Placed, Placed]]] = {}
    for first, (path, block) in sorted(_copies(repository), key=_larger_first):
        lines = {(path, line) for line in range(block.line, block.last + 1)}
        if not lines & covered:
            covered |= lines
            told.setdefault((first[0], path), []).append((first, (path, block)))
    for pairs in told.values():
        yield _copy(*pairs[0], more=len(pairs) - 1)


def _copies(repository: Repository) -> Iterator[tuple[Placed, Placed]]:
    """Each copy after the first place where its code stands, if the two could share it."""
    groups: dict[tuple[str, str], list[Placed]] = {}
    for summary in repository.python_files():
        if not (is_test(summary.path) or is_exercise(summary.path) or _repeats(summary.path)):
            for block in summary.blocks:
                groups.setdefault((block.kind, block.digest), []).append((summary.path, block))
    for (kind, _), placed in groups.items():
        for at, other in enumerate(placed[1:], 1):
            near = [one for one in placed[:at] if not _stand_alone(kind, one[0], other[0])]
            if near:
                yield near[0], other


def _stand_alone(kind: str, one: str, other: str) -> bool:
    """Whether two files are meant to stand each alone: a notebook and another folder's or a module, which was made of
    it or is made for it; parts of two projects that lie side by side.
    """
    a, b = PurePosixPath(one), PurePosixPath(other)
    if a.suffix == b.suffix == ".ipynb":
        return a.parent != b.parent
    if _PROJECTS & set(a.parts) and a.parts[:2] != b.parts[:2]:
        return True
    return ".ipynb" in {a.suffix, b.suffix} or (
        kind != "file" and a.parts[0] != b.parts[0] and len(a.parts) > 1 < len(b.parts)
    )


_PROJECTS = frozenset({"projects", "case-studies", "challenges", "exercises", "assignments", "labs"})
_SET_ASIDE = re.compile(r"(^|/)(archived?|backups?|old|obsolete|legacy|deprecated)/|submission|(^|/)\d+-[^/]*$", re.I)
_LESSON = re.compile(
    r"colab|_sol\b|completed?|practice|explained|lesson|lecture|seminar|tutorial"
    r"|(week|day|chapter|lab|module|class|unit)[ _-]?\d",
    re.IGNORECASE,
)


def _repeats(path: str) -> bool:
    """Whether a file repeats others on purpose: an archive, a submission in one file, a numbered task, a lesson."""
    return bool(_SET_ASIDE.search(path)) or (path.endswith(".ipynb") and bool(_LESSON.search(path)))


def _larger_first(pair: tuple[Placed, Placed]) -> tuple[int, int, str, int]:
    """Files before cells before functions, the outer before the inner: the inner is told with the outer."""
    path, block = pair[1]
    return ("file", "cell", "function").index(block.kind), block.line - block.last, path, block.line


def _copy(first: Placed, copy: Placed, more: int) -> Found:
    path, block = copy
    what = {"file": "the file is", "function": f"`{block.scope}` is", "cell": "the cell is"}[block.kind]
    at = first[1].shown
    where = first[0] if block.kind == "file" else f"{first[0]} {at}" if " " in at else f"{first[0]}:{at}"
    others = f", and so {'are' if more > 1 else 'is'} {plural(more, 'other')}" if more else ""
    said = f"{what} also {where}{others}"
    lines = (block.line,) if block.kind == "file" else (block.line, block.last)
    return Found(block.line, lines, said, scope=block.scope, syntax=f"{block.kind} {block.digest}", path=path)


@rule(
    "PIP005",
    "untested-pipeline",
    severity="W",
    principal="e",
    driver="C",
    source="ML Test Score",
    preview=True,  # right as a fact, but a study that is done needs no tests, and looks like a program
)
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
    tested = any(_tests(repository, summary) for summary in repository.summaries.values())
    if trainers and not tested and _is_program(repository, trainers):
        first = trainers[0]
        others = len(trainers) - 1
        told = f"so do {others} other files" if others > 1 else "so does another file" if others else ""
        yield Found(first.fits[0], (first.fits[0],), told, syntax="untested", path=first.path)


def _is_program(repository: Repository, trainers: Sequence[Summary]) -> bool:
    """Whether the training is a part of something that is run again: a module among modules, a stage, a job, an image.

    Scripts that stand each alone, and collections of projects, are studies, which are done when they are done.
    """
    if len(trainers) > MOST_TRAINERS or len({summary.path.partition("/")[0] for summary in trainers}) > 2:
        return False
    if any(PurePosixPath(path).name in _RUN_AGAIN or images.is_dockerfile(path) for path in repository.files):
        return True
    if any(function.route for summary in repository.summaries.values() for function in summary.functions):
        return True
    own = repository.modules
    used = [one for trainer in trainers for one in trainer.imports]
    return any(one.level or one.name in own or one.name.rpartition(".")[0] in own for one in used)


MOST_TRAINERS = 7  # files; more are a collection
_RUN_AGAIN = frozenset({"dvc.yaml", "MLproject", "Makefile", "pyproject.toml", "setup.py", "solvent.toml", "Procfile"})


def _tests(repository: Repository, summary: Summary) -> bool:
    """Whether a file tests the project: it is a test and imports or runs code from here."""
    if not is_test(summary.path):
        return False
    runs = {"subprocess", "importlib", "runpy", "papermill", "nbformat", "testbook"}
    return any(one.level or one.name.partition(".")[0] in repository.own_names | runs for one in summary.imports)
