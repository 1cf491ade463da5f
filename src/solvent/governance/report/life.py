"""What a life report says, as values: no store, no HTML.

A report holds one `ModelLife` for each model: its windows in time order, the
versions that were in service, what was decided, what was alerted, what it cost.
Losses are in the model's own unit (`ModelLife.unit`), instants are UTC.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from solvent.lineage.entities import Action
from solvent.pages.figures import Figure


class Health(StrEnum):
    """The state of a model in one word; shown with a colour and a shape of its own."""

    HEALTHY = "healthy"
    AGEING = "ageing"
    BLIND = "blind"
    FAILING = "failing"
    SHADOW = "shadow"
    NEW = "not measured"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything in a report."""


class Window(Part, frozen=True, kw_only=True):
    """One monitoring window of one model.

    rows: predictions answered. labelled: share of them with an outcome, in [0, 1].
    realised: mean loss on the labelled rows. estimated: the loss expected without
    labels. never, monthly: what a model that was never retrained, or retrained
    each month, would have lost on the same rows.
    """

    start: datetime
    end: datetime
    rows: int = 0
    labelled: float | None = None
    realised: Figure | None = None
    estimated: Figure | None = None
    never: float | None = None
    monthly: float | None = None
    version: int | None = None


class Stretch(Part, frozen=True, kw_only=True):
    """One version in service from `start` until `end` (None: still)."""

    number: int
    start: datetime
    end: datetime | None = None


class Ruling(Part, frozen=True, kw_only=True):
    """A decision as the report tells it.

    title: `promoted v3`. by: the actor and the policy. position, hash: its place in the chain.
    """

    key: str
    at: datetime
    action: Action
    title: str
    by: str
    reason: str
    position: int
    hash: str
    number: int | None = None
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def crowned(self) -> int | None:
        """The version that this decision made champion, by promotion or by a waiver; None for any other."""
        move = self.evidence.get("move") or {}
        promoted = self.action is Action.PROMOTE or (self.action is Action.WAIVE and "to" in move)
        return move.get("to", self.number) if promoted and move.get("alias", "champion") == "champion" else None


class Warn(Part, frozen=True, kw_only=True):
    """An alert as the report tells it.

    note: told, not a warning (a season not seen before, a recovery). cause, held_to: pairs of (label, text):
    what made it, and which test at which false-alarm rate raised it.
    """

    key: str
    at: datetime
    window_start: datetime
    window_end: datetime
    kind: str
    title: str
    number: int | None = None
    note: bool = False
    cause: list[tuple[str, str]] = msgspec.field(default_factory=list)
    held_to: list[tuple[str, str]] = msgspec.field(default_factory=list)


class Joint(Part, frozen=True, kw_only=True):
    """How well a classifier tells the last judged window from the evaluation rows.

    auc: 0.5 not at all, 1 always. columns: those that it told them apart by, most useful first.
    """

    auc: float
    columns: list[str]


class Moved(Part, frozen=True, kw_only=True):
    """How far one column moved in the last judged window.

    effect: distance in `unit`. floors: the same in multiples of the smallest that would matter.
    matters: it is above that, unusual, and the model relies on the column. reliance: share, in [0, 1].
    """

    column: str
    effect: float
    unit: str
    floors: float = 1.0
    matters: bool = True
    reliance: float | None = None


class Bill(Part, frozen=True, kw_only=True):
    """What one policy cost over the whole life. error: mean loss a row; cost: loss and retrainings, in `unit`."""

    policy: str
    cost: Figure
    unit: str
    error: float | None = None
    retrained: int | None = None
    note: str = ""


class ModelLife(Part, frozen=True, kw_only=True):
    """The life of one model. Lists are in time order, bills from the dearest to the cheapest policy by convention.

    lower_is_better is implied: every metric here is a loss.
    """

    name: str
    metric: str = "loss"
    unit: str = ""
    task: str = ""
    champion: int | None = None
    live_since: datetime | None = None
    threshold: float | None = None
    windows: list[Window] = msgspec.field(default_factory=list)
    stretches: list[Stretch] = msgspec.field(default_factory=list)
    rulings: list[Ruling] = msgspec.field(default_factory=list)
    warnings: list[Warn] = msgspec.field(default_factory=list)
    moved: list[Moved] = msgspec.field(default_factory=list)
    moved_at: datetime | None = None
    joint: Joint | None = None
    bills: list[Bill] = msgspec.field(default_factory=list)
    false_alarms_per_year: float | None = None
    first_version: int = 1

    def count(self, action: Action) -> int:
        """How many decisions took this action."""
        return sum(ruling.action is action for ruling in self.rulings)

    @property
    def alarms(self) -> list[Warn]:
        """The warnings that are not mere notes."""
        return [warning for warning in self.warnings if not warning.note]

    @property
    def measured(self) -> list[Window]:
        """The windows whose loss is known."""
        return [window for window in self.windows if window.realised is not None]


class ChainState(Part, frozen=True, kw_only=True):
    """The decision chain of the project: how long, its newest hash, and what is wrong with it."""

    length: int = 0
    head: str = ""
    problems: list[str] = msgspec.field(default_factory=list)


class LifeReport(Part, frozen=True, kw_only=True):
    """The whole report. until: the newest fact in it (None: there is none); made_by: version of this program."""

    project: str
    models: list[ModelLife]
    chain: ChainState
    until: datetime | None = None
    made_by: str = ""
    about: str = ""  # a sentence for the reader that the caller adds, e.g. that faults were injected
