"""How often files change and who uses them, from git and from imports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from solvent.debt.facts.summary import Summary
from solvent.debt.pricing.churn import exposure
from solvent.debt.pricing.price import History, Past
from solvent.debt.reading.git import YEARS, Git


def past_of(git: Git | None, summaries: Mapping[str, Summary], now: float) -> Past:
    """now: Unix seconds."""
    users = users_of(summaries)
    nothing = History({}, {path: len(files) for path, files in users.items()}, users)
    if git is None:
        return Past(nothing)
    begun = git.begun()
    if begun is None or git.shallow():
        return Past(nothing, 0 if begun is None else None, shallow=begun is not None)
    changes, times = git.changes()
    begun = max(begun, now - YEARS * 365.25 * 86_400)
    files = {path: seen for path in summaries if (seen := exposure(changes.get(path, ()), begun, now)) is not None}
    return Past(History(files, nothing.users, users), len(times))


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
