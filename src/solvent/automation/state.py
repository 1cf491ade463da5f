"""What the loop carries from tick to tick for one model: plain values, kept by the store with the tick's end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from solvent.lineage.digests import Digest
from solvent.monitoring.leaving_out import Tried, Wandering
from solvent.monitoring.paired import PairedState
from solvent.monitoring.policy import Window as Evidence
from solvent.monitoring.state import MonitorState
from solvent.registry.signature import Plain

NAME = "loop"
REMEMBERED = 160  # windows of evidence, about three years of weeks


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """What the pipeline, run as of `made_at` on one span, would put into service.

    trained_at: clock of the tick that did it, which may be a later one; None where no tick did. run: of the
    estimator's step; training: the table that it learned from; evaluation: rows that it did not. hidden: features that
    it does not know, each with the value that it is given instead.
    """

    span: str
    made_at: datetime
    run: str
    estimator: Digest
    training: Digest
    evaluation: Digest
    size: int
    trained_at: datetime | None = None
    hidden: dict[str, Plain] = msgspec.field(default_factory=dict)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A new version beside an older one on live outcomes: a champion and what it replaced, or a canary and the
    champion.

    decision: key of the one that began it; since: when.
    """

    decision: str
    new: int
    old: int
    since: datetime
    paired: PairedState | None = None


class LoopState(msgspec.Struct, kw_only=True):
    """until: end of the newest window that was assessed; begun: start of the first; seen: clock of the tick that did.

    evidence: per window and version, oldest first; shadows: the newest, by span and time; window_loss:
    of the first served window, the unit of prices. hidden: by span of models that do without a feature, what stands in
    its place; tried: versions beside which such models were trained, to see whether one wanders; wanders: the one
    that does.
    """

    monitor: MonitorState | None = None
    begun: datetime | None = None
    until: datetime | None = None
    seen: datetime | None = None
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    shadows: list[Shadow] = msgspec.field(default_factory=list)
    window_loss: float | None = None
    trial: Trial | None = None
    canary: Trial | None = None
    hidden: dict[str, dict[str, Plain]] = msgspec.field(default_factory=dict)
    tried: list[Tried] = msgspec.field(default_factory=list)
    wanders: Wandering | None = None

    @classmethod
    def of(cls, plain: Any) -> LoopState:
        """From the store's JSON; a fresh one for None."""
        return cls() if plain is None else msgspec.convert(plain, cls, str_keys=True)

    def settled(self, start: datetime) -> bool:
        """Whether every row that was served in the window from `start` on has its label."""
        return any(e.labelled >= e.rows for e in self.evidence if e.start == start)

    def plain(self) -> Any:
        """For the store; what is older than anybody asks for is left out."""
        self.evidence = self.evidence[-REMEMBERED:]
        return msgspec.to_builtins(self, str_keys=True)
