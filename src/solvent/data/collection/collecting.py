"""Taking away: facts say first that bytes are gone, then each blob goes under the lock that users share.

The order is what makes it safe. What is needed is asked again inside the write that
marks, so no fact comes between; and a blob goes only when, under the lock, nobody has
used it since the bound. Killed anywhere, the next collection ends the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from solvent.data.collection.surveying import Survey, left_before, reasons_for, survey
from solvent.lineage.digests import Digest

if TYPE_CHECKING:
    from solvent.store import Store

TOGETHER = 256  # blobs that go under one hold of the lock, for which users wait
Progress = Callable[[int, int], None]  # (blobs removed so far, bytes so far)


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What went. staged: half-written files; kept: blobs that someone needed or used in the meantime."""

    objects: int
    bytes: int
    staged: int
    kept: int


def collect(
    store: Store, *, keep_runs: int, grace: timedelta, now: datetime, progress: Progress | None = None
) -> tuple[Survey, Collected]:
    """Remove every blob that no kept fact needs and that nobody uses. Raises: Busy, where another one collects.

    Returns: what was found before, and what went.
    """
    with store.lease("gc"):
        found = survey(store, keep_runs=keep_runs, grace=grace, now=now)
        going = _marked(store, found, keep_runs)
        removed: set[Digest] = set()
        count = 0
        for batch in _batches(going):
            for digest in store.objects.collect(batch, found.bound):
                removed.add(digest)
                count += found.candidates[digest]
            if progress is not None:
                progress(len(removed), count)
        store.facts.bytes_returned([digest for digest in going if digest not in removed])
        _revive(store, found)
        staged = store.objects.sweep(left_before(found.bound, now))
    return found, Collected(objects=len(removed), bytes=count, staged=staged, kept=len(found.candidates) - len(removed))


def _marked(store: Store, found: Survey, keep_runs: int) -> list[Digest]:
    """The candidates that still nobody needs, after facts said that their bytes go."""
    with store.facts.writing() as w:
        new = (need for need in store.facts.needed(w.connection, keep_runs) if need.digest not in found.needed)
        reasons, unreadable = reasons_for(store, new)
        erased = store.facts.erased_by_decision(w.connection)
        going = [digest for digest in found.candidates if digest not in reasons or digest in erased]
        if unreadable:  # a folder that became needed and may hold any blob that no fact knows by name
            known = store.facts.known_blobs(w.connection, going)
            going = [digest for digest in going if digest in known]
        store.facts.mark_collected(w, going)
    return going


def _revive(store: Store, found: Survey) -> None:
    """What a killed collection marked and did not remove, and what is needed again since, is there."""
    marked = store.facts.collected() & found.needed
    store.facts.bytes_returned([digest for digest in marked if store.objects.exists(digest)])


def _batches(digests: list[Digest]) -> Iterator[list[Digest]]:
    waiting = iter(digests)
    while batch := list(islice(waiting, TOGETHER)):
        yield batch
