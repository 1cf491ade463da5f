"""Which steps may be looked at now: those whose producers are done with, in the order of declaration. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping


class Agenda:
    """The steps of one run that are not done with. order: their names; needs: whom each waits for."""

    def __init__(self, order: list[str], needs: Mapping[str, Collection[str]]) -> None:
        self._place = {name: place for place, name in enumerate(order)}
        self._waits = {name: len(set(needs[name])) for name in order}
        self._for: dict[str, list[str]] = {name: [] for name in order}
        for name in order:
            for needed in set(needs[name]):
                self._for[needed].append(name)
        self._ready = [(place, name) for name, place in self._place.items() if not self._waits[name]]
        self._later: list[tuple[float, str]] = []
        self._done: set[str] = set()

    def __bool__(self) -> bool:
        return len(self._done) < len(self._place)

    def take(self) -> list[str]:
        """The steps that became ready since the last time."""
        taken = [name for _, name in sorted(self._ready)]
        self._ready.clear()
        return taken

    def done(self, name: str) -> None:
        """The step is settled, in whatever way; those that waited only for it are ready."""
        if name in self._done:
            return
        self._done.add(name)
        for other in self._for[name]:
            self._waits[other] -= 1
            if not self._waits[other]:
                self._ready.append((self._place[other], other))

    def postpone(self, name: str, until: float) -> None:
        """Look at the step again at an instant of the monotonic clock."""
        heapq.heappush(self._later, (until, name))

    def due(self, now: float) -> list[str]:
        """Postponed steps whose instant has come."""
        found = []
        while self._later and self._later[0][0] <= now:
            found.append(heapq.heappop(self._later)[1])
        return found

    @property
    def next_due(self) -> float | None:
        """When the next postponed step is to be looked at."""
        return self._later[0][0] if self._later else None
