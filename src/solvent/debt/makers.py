"""Which run made what another took: the lineage of runs, from runs alone. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from solvent.lineage.digests import Digest
from solvent.lineage.entities import Run, RunStatus


class Makers:
    """Over a set of runs; what ran outside of it is not known, and left out."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._made: dict[Digest, list[Run]] = {}
        ended = [(run.end.ended_at, run.start.key, run) for run in runs if run.end and run.status is RunStatus.DONE]
        for _, _, run in sorted(ended, key=lambda one: one[:2]):
            for artifact in run.end.outputs.values() if run.end else ():
                self._made.setdefault(artifact.digest, []).append(run)

    def of(self, run: Run) -> list[Run]:
        """The newest finished run that had made each input when the run began."""
        found = {}
        for digest in run.start.inputs.values():
            made = self._made.get(digest, [])
            at = bisect_right(made, run.start.started_at, key=_ended)
            if at and made[at - 1].start.key != run.start.key:
                found[made[at - 1].start.key] = made[at - 1]
        return list(found.values())

    def above(self, run: Run) -> dict[str, Run]:
        """The run and all that it came of, by key."""
        found = {run.start.key: run}
        frontier = [run]
        while frontier:
            for maker in self.of(frontier.pop()):
                if maker.start.key not in found:
                    found[maker.start.key] = maker
                    frontier.append(maker)
        return found


def _ended(run: Run) -> datetime:
    return run.end.ended_at if run.end is not None else run.start.started_at
