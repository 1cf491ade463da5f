"""The audit's forecast replayed at an old commit, and scored by what came after it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from solvent.debt.audit import audit
from solvent.debt.pricing.churn import Exposure
from solvent.debt.pricing.price import Prices
from solvent.debt.reading.cache import Cache
from solvent.debt.reading.extracting import Progress
from solvent.debt.reading.git import Blobs, Git
from solvent.debt.reading.past import past_of
from solvent.debt.reading.sources import Revision
from solvent.debt.rules.base import Rule
from solvent.debt.scoring import REPAIR, Forecast, Score, Seen, score
from solvent.foundation.errors import UsageError


class TooYoung(UsageError):
    code = "too-young"


class Replay(msgspec.Struct, frozen=True):
    """commit: that the audit stood at; at: its time, Unix seconds."""

    commit: str
    at: int
    score: Score


def replay(
    git: Git,
    rules: Sequence[Rule],
    days: float,
    *,
    ignore: Sequence[str] = (),
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Replay:
    """Audit the last commit that lies so many days before the newest one. Raises: TooYoung."""
    newest = git.commits(1)
    old = git.commit_before(newest[0].at - days * 86_400) if newest else None
    if old is None or git.shallow():
        raise TooYoung(
            f"the history here does not reach {days:g} days back",
            where=str(git.folder),
            next="a smaller --days, or a full clone",
        )
    with Blobs(git) as blobs:
        found = audit(Revision(git, old.oid, blobs), rules, ignore=ignore, cache=cache, progress=progress)
    past = past_of(git, found.repository, old.at)
    prices = Prices(found.findings, found.rules, past.history)
    interest: dict[str, float] = {}
    for at in found.chosen("open"):
        paid = prices.interest(at)
        path = found.findings[at].place.path
        interest[path] = interest.get(path, 0.0) + (float(paid[0].mean()) if paid is not None else 0.0)
    summaries = found.repository.summaries
    nothing = Exposure(0.0, 1.0)
    forecasts = [
        Forecast(path, interest.get(path, 0.0), past.history.files.get(path, nothing), one.lines)
        for path, one in summaries.items()
    ]
    if not forecasts:
        raise TooYoung("no Python stood here then", where=old.oid[:9], next="a smaller --days")
    until = old.at + days * 86_400
    came: dict[str, Seen] = {}
    for change in git.changes():
        if old.at < change.at <= until:
            for path in change.paths:
                before = came.get(path, Seen(0, 0))
                came[path] = Seen(before.commits + 1, before.repairs + bool(REPAIR.search(change.subject)))
    return Replay(old.oid, old.at, score(forecasts, came, days))
