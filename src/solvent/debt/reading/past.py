"""How often files change and who uses them, from git and from imports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from solvent.debt.facts.repository import Repository
from solvent.debt.facts.summary import Summary
from solvent.debt.pricing.churn import exposure
from solvent.debt.pricing.price import History, Past
from solvent.debt.reading.git import YEARS, Git


def past_of(git: Git | None, repository: Repository, now: float) -> Past:
    """What is known at a time (Unix seconds) of how often files change; commits after it do not count."""
    users = users_of(repository.summaries)
    counts = {path: len(files) for path, files in users.items()}
    if git is None:
        return Past(History({}, counts, users))
    begun = git.begun()
    if begun is None or git.shallow():
        return Past(History({}, counts, users), 0 if begun is None else None, shallow=begun is not None)
    begun = max(begun, now - YEARS * 365.25 * 86_400)
    times: dict[str, list[float]] = {}
    commits = 0
    for change in git.changes():
        if change.at <= now:
            commits += 1
            for path in change.paths:
                times.setdefault(path, []).append(change.at)
    files = {path: seen for path in repository.files if (seen := exposure(times.get(path, ()), begun, now)) is not None}
    return Past(History(files, counts, users), commits)


def users_of(summaries: Mapping[str, Summary]) -> dict[str, list[str]]:
    """Files of the project that import each file, by path; an import counts where one file only can be meant."""
    by_name: dict[str, list[str]] = {}
    for path in summaries:
        parts = PurePosixPath(path).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        for start in range(len(parts)):
            by_name.setdefault(".".join(parts[start:]), []).append(path)
    users: dict[str, set[str]] = {}
    for path, summary in summaries.items():
        for imported in summary.imports:
            for name in (imported.name, imported.name.rpartition(".")[0]):
                meant = by_name.get(name, [])
                if len(meant) == 1 and meant[0] != path:
                    users.setdefault(meant[0], set()).add(path)
    return {path: sorted(files) for path, files in users.items()}
