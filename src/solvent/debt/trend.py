"""The trend of a repository's debt, commit by commit, by today's rules; each content is read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from solvent.debt.audit import PYTHON, judge
from solvent.debt.facts.document import Unreadable
from solvent.debt.facts.extract import Extract
from solvent.debt.pricing.draws import Range
from solvent.debt.pricing.price import History, Prices
from solvent.debt.reading.cache import Cache
from solvent.debt.reading.extracting import Progress, extracts
from solvent.debt.reading.git import Blobs, Commit, Git
from solvent.debt.reading.sources import ABSENT, Revision
from solvent.debt.rules.base import Rule


class Point(msgspec.Struct, frozen=True):
    """What was owed at a commit; families: principal's mean in minutes by family; change: against the commit before;
    added, gone: findings that came and went, by rule; absent: files whose content a partial clone does not have.
    """

    commit: Commit
    principal: Range
    findings: int
    families: dict[str, float]
    change: float
    added: dict[str, int]
    gone: dict[str, int]
    absent: int = 0


def trend(
    git: Git,
    rules: Sequence[Rule],
    most: int,
    *,
    ignore: Sequence[str] = (),
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> list[Point]:
    """The newest commits of this branch, oldest first."""
    points: list[Point] = []
    before: set[str] = set()
    owed: dict[str, str] = {}
    with Blobs(git) as blobs:
        revisions = [(commit, Revision(git, commit.oid, blobs)) for commit in git.commits(most)]
        read = _read([revision for _, revision in revisions], blobs, rules, cache, progress)
        for commit, revision in revisions:
            entries = revision.entries()
            own = {path: read[revision.key(path)] for path in entries if path.endswith(PYTHON)}
            found = judge(revision, entries, own, rules, ignore=ignore)
            chosen = found.chosen("open")
            prices = Prices(found.findings, found.rules, History())
            now = {found.findings[at].fingerprint: found.findings[at].rule for at in chosen}
            families: dict[str, float] = {}
            for at in chosen:
                family = found.findings[at].rule[:3]
                families[family] = families.get(family, 0.0) + float(prices.principal(at).mean())
            principal = prices.sum(chosen).principal
            change = principal.mean - points[-1].principal.mean if points else 0.0
            added = _counted(now, now.keys() - before) if points else {}
            gone = _counted(owed, before - now.keys())
            absent = sum(each.skipped == ABSENT for each in own.values())
            points.append(Point(commit, principal, len(chosen), families, change, added, gone, absent))
            before, owed = set(now), now
    return points


def _read(
    revisions: Sequence[Revision],
    blobs: Blobs,
    rules: Sequence[Rule],
    cache: Cache | None,
    progress: Progress | None,
) -> dict[str, Extract]:
    """Extracts of all contents that any revision holds, by path and object id."""
    keys = {
        revision.key(path): revision.oids[path]
        for revision in revisions
        for path in revision.entries()
        if path.endswith(PYTHON)
    }

    def read(key: str) -> bytes:
        content = blobs.read(keys[key])
        if content is None:
            raise Unreadable(ABSENT)
        return content

    return extracts(list(keys), read, [rule for rule in rules if rule.scope == "file"], cache, progress)


def _counted(rules: Mapping[str, str], fingerprints: set[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for fingerprint in sorted(fingerprints):
        counts[rules[fingerprint]] = counts.get(rules[fingerprint], 0) + 1
    return counts
