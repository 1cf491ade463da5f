"""Looking: what every blob of a store is kept for, or why it could go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from solvent.data.versions.tree import BadTree, reachable
from solvent.lineage.digests import Digest
from solvent.store.facts.keeping import Needed
from solvent.store.objects import Corrupt, Kept, Missing
from solvent.store.sessions import oldest_session

if TYPE_CHECKING:
    from solvent.store import Store

SLACK = timedelta(minutes=15)  # clocks step, and a use is noted only every ten minutes
YOUNG, LINKED, UNSURE = "young", "checked out by hard link", "unsure"
SUPERSEDED, UNKNOWN, ERASED = "superseded", "of no fact", "erased"
GOES = (SUPERSEDED, UNKNOWN, ERASED)
TOGETHER = 10_000  # blobs that facts are asked about at once
STAGED_FOR = timedelta(days=1)
MEANING = {
    "alias": "versions that an alias means, and what they came of",
    "deployment": "versions that answer at an endpoint",
    "decision": "what decisions and alerts rest on, every version ever promoted included",
    "prediction log": "segments within retention, and the versions that answered",
    "dataset version": "files of `data add`, every version",
    "running": "runs that are under way",
    "newest runs": "what each step made last, and what that came of",
    YOUNG: "stored or used within the grace, or since a session began that still lives",
    LINKED: "removing them would free nothing",
    UNSURE: "a folder that is kept cannot be read here, and these may belong to it",
    SUPERSEDED: "outputs and logs of earlier runs, which nothing above came of",
    UNKNOWN: "files of folders that go, and what a killed process left",
    ERASED: "a decision erased them",
}


class Row(msgspec.Struct):
    """Blobs of one reason. bytes: of all of them."""

    reason: str
    objects: int = 0
    bytes: int = 0

    @property
    def meaning(self) -> str:
        return MEANING[self.reason]


class Survey(msgspec.Struct, kw_only=True):
    """bound: nothing that was stored or used since goes. left: sizes of what killed writers left in staging.

    candidates: what goes, with bytes. needed: what facts need, here or not. unreadable: kept folders whose
    tree is not here whole.
    """

    bound: datetime
    goes: list[Row]
    stays: list[Row]
    left: list[int]
    candidates: dict[Digest, int]
    needed: set[Digest]
    unreadable: list[Digest]


def left_before(bound: datetime, now: datetime) -> datetime:
    """Staged files that are older have no writer any more."""
    return min(bound, now - STAGED_FOR)


def bound_of(store: Store, grace: timedelta, now: datetime) -> datetime:
    """Blobs that were stored or used since then stay, whatever facts say."""
    oldest = oldest_session(store.root / "locks")
    since = now - grace
    return (since if oldest is None else min(since, datetime.fromtimestamp(oldest, UTC))) - SLACK


def survey(store: Store, *, keep_runs: int, grace: timedelta, now: datetime) -> Survey:
    """Give every blob a reason. Reads facts, trees and the stat of each blob; changes nothing.

    keep_runs: so many newest finished runs of each step keep what they made.
    """
    bound = bound_of(store, grace, now)
    rows: dict[str, Row] = {}
    candidates: dict[Digest, int] = {}
    blobs = store.objects.kept()
    with store.facts.database.read() as connection:
        reasons, unreadable = reasons_for(store, store.facts.needed(connection, keep_runs))
        erased = store.facts.erased_by_decision(connection)
        while some := list(islice(blobs, TOGETHER)):
            known = store.facts.known_blobs(connection, [blob.digest for blob in some])
            for blob in some:
                needed = None if blob.digest in erased else reasons.get(blob.digest)
                reason = _reason(blob, needed, bound, known=blob.digest in known, unsure=bool(unreadable))
                reason = ERASED if reason is SUPERSEDED and blob.digest in erased else reason
                row = rows.setdefault(reason, Row(reason))
                row.objects, row.bytes = row.objects + 1, row.bytes + blob.size
                if reason in GOES:
                    candidates[blob.digest] = blob.size
    ordered = [rows[reason] for reason in MEANING if reason in rows]
    return Survey(
        bound=bound,
        goes=[row for row in ordered if row.reason in GOES],
        stays=[row for row in ordered if row.reason not in GOES],
        left=list(store.objects.staged(left_before(bound, now))),
        candidates=candidates,
        needed=reasons.keys() - erased,
        unreadable=unreadable,
    )


def _reason(blob: Kept, needed: str | None, bound: datetime, *, known: bool, unsure: bool) -> str:
    """Why a blob stays, or why it goes. known: a fact knows it by name; unsure: a kept folder cannot be read."""
    if needed is not None:
        return needed
    if blob.linked:
        return LINKED
    if blob.used >= bound.timestamp():
        return YOUNG
    if known:
        return SUPERSEDED
    return UNSURE if unsure else UNKNOWN


def reasons_for(store: Store, needed: Iterable[Needed]) -> tuple[dict[Digest, str], list[Digest]]:
    """The reason of every blob that is needed, those of trees included, and the trees that cannot be read here."""
    reasons: dict[Digest, str] = {}
    unreadable: list[Digest] = []
    for need in needed:
        reasons.setdefault(need.digest, need.reason.value)
        if need.tree:
            try:
                for found in reachable(need.digest, store.objects.peek):
                    reasons.setdefault(found.digest, need.reason.value)
            except (Missing, Corrupt, BadTree):
                unreadable.append(need.digest)
    return reasons, unreadable
