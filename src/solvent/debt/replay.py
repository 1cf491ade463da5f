"""An audit's forecast, kept since then or replayed at an old commit, scored by what came after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from solvent.debt.audit import audit
from solvent.debt.forecasting import forecasts
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


class Scored(msgspec.Struct, frozen=True):
    """basis: the forecast was stored by an audit then, lay in a file, or is replayed now; why: no stored one could be
    taken; commit: that the audit stood at; at: its time, Unix seconds.
    """

    basis: Literal["stored", "file", "replay"]
    commit: str | None
    at: float
    score: Score
    why: str = ""


def replay(
    git: Git,
    rules: Sequence[Rule],
    days: float,
    *,
    ignore: Sequence[str] = (),
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Scored:
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

    def interest(at: int) -> float | None:
        paid = prices.interest(at)
        return None if paid is None else float(paid[0].mean())

    made = forecasts(found, past, interest)
    if not made:
        raise TooYoung("no Python stood here then", where=old.oid[:9], next="a smaller --days")
    return Scored("replay", old.oid, old.at, _score(git, made, old.at, old.at + days * 86_400))


def score_kept(
    git: Git, made: Sequence[Forecast], basis: Literal["stored", "file"], commit: str | None, at: float, now: float
) -> Scored:
    """Score a forecast made at a time by everything that came since. Times in Unix seconds. Raises: TooYoung."""
    if now <= at or not made or git.shallow():
        raise TooYoung("nothing of this forecast can be scored yet", where=str(git.folder), next="a full clone, later")
    return Scored(basis, commit, at, _score(git, made, at, now))


def _score(git: Git, made: Sequence[Forecast], after: float, until: float) -> Score:
    came: dict[str, Seen] = {}
    for change in git.changes():
        if after < change.at <= until:
            for path in change.paths:
                before = came.get(path, Seen(0, 0))
                came[path] = Seen(before.commits + 1, before.repairs + bool(REPAIR.search(change.subject)))
    return score(made, came, (until - after) / 86_400)
