"""Recorded findings, joined to the steps whose files they stand in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from solvent.lineage.findings import FindingRecord


class FileDebts(msgspec.Struct, frozen=True):
    """What is owed in one file."""

    path: str
    findings: list[FindingRecord]


def files_of_steps(steps: Iterable[str], paths: Iterable[str]) -> dict[str, str]:
    """The file of each step, where it is one of the paths: a step's module names it.

    >>> files_of_steps(["pipelines.train.fit", "report"], ["pipelines/train.py", "notes.py"])
    {'pipelines.train.fit': 'pipelines/train.py'}
    """
    modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in paths}
    named = {step: step.rpartition(".")[0] for step in steps}
    return {step: modules[module] for step, module in named.items() if module in modules}


def debts_of_steps(steps: Iterable[str], owed: Sequence[FindingRecord]) -> list[FileDebts]:
    """What is owed in the files of steps, by path."""
    files = set(files_of_steps(steps, {finding.spot.path for finding in owed}).values())
    by_file: dict[str, list[FindingRecord]] = {path: [] for path in sorted(files)}
    for finding in owed:
        if finding.spot.path in by_file:
            by_file[finding.spot.path].append(finding)
    return [FileDebts(path, mine) for path, mine in by_file.items()]
