"""What the rule `plan` rests on: every model of a life with its losses, and shadows of earlier ticks scored since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from solvent.automation.before import decisions_before, moves_before
from solvent.automation.evidence import every_feature, window_evidence
from solvent.automation.rows import served_rows
from solvent.automation.scoring import Scorer
from solvent.automation.state import LoopState, Shadow
from solvent.foundation.clock import parse_instant, parse_span
from solvent.foundation.settings import ModelSettings
from solvent.lineage.entities import Action, ModelVersion
from solvent.monitoring.planning import Life, Made
from solvent.monitoring.policy import PolicyHistory, Window, parts_of
from solvent.registry.references import CHAMPION
from solvent.statistics.foresight import REMEMBERED

if TYPE_CHECKING:
    from solvent.store import Store


class Planner:
    """One model's life as its plan sees it. bought: models that this tick asked for, whether or not they were trained.

    bound: at which losses are clipped, asked for where a shadow is scored. The evidence in `state` is changed in place.
    """

    def __init__(
        self,
        store: Store,
        champion: ModelVersion,
        state: LoopState,
        scorer: Scorer,
        settings: ModelSettings,
        *,
        bound: Callable[[], float],
        now: datetime,
    ) -> None:
        self.store, self.champion, self.state, self.scorer = store, champion, state, scorer
        self.settings, self.bound, self.now = settings, bound, now
        self.bought: list[Made] = []

    def heard(self, span: str) -> bool:
        """Whether models of a span count: not those without a feature that is not known to wander."""
        return span in self.fewer or not parts_of(span)[1]

    @property
    def fewer(self) -> list[str]:
        """The span whose models do without the feature that wanders, if one does."""
        return [self.state.wanders.span] if self.state.wanders and self.settings.policy.leave_out else []

    @property
    def windows(self) -> list[Window]:
        """The evidence, with the shadows that count."""
        return [replace(one, shadows=[s for s in one.shadows if self.heard(s.span)]) for one in self.state.evidence]

    def life(self, history: PolicyHistory) -> Life:
        """A history with its models."""
        versions = self._versions()
        since = versions[0].about.get("trained_since")
        shadows = [Made(one.made_at, one.span) for one in self.state.shadows if self.heard(one.span)]
        return Life(
            version=history.version,
            made_at=history.made_at,
            windows=history.windows,
            window_loss=history.window_loss,
            changes=history.changes,
            unit=history.unit,
            width=parse_span(self.settings.monitor.window),
            learned_since=parse_instant(since) if since else None,
            versions={one.number: Made(one.created_at, str(one.about.get("span", "all"))) for one in versions},
            shadows=[*shadows, *self.bought],
            bought=self.bought,
            fewer=self.fewer,
        )

    def score(self, shadows: Sequence[Shadow]) -> None:
        """Their losses on the windows since they could have been made, beside what is known of them."""
        known = self.state.evidence
        own_last = sorted(range(len(known)), key=lambda at: known[at].version == self.champion.number)
        latest = {known[at].start: at for at in own_last}
        features = every_feature(self.champion)
        for at in sorted(latest.values())[-REMEMBERED:]:
            start, end = known[at].start, known[at].end
            asked = [shadow for shadow in shadows if shadow.made_at <= start]
            if not asked:
                continue
            rows = served_rows(self.store, self.champion.model, start, end, known_by=self.now, features=features)
            found = window_evidence(rows, self.champion, asked, self.scorer, self.bound(), start=start, end=end)
            share = known[at].labelled / max(found.labelled, 1)  # labels that came since are not in the sums beside it
            new = [replace(one, loss=share * one.loss) for one in found.shadows]
            known[at] = replace(known[at], shadows=[*known[at].shadows, *new])

    def forget(self) -> None:
        """Let go of shadows' losses that no plan looks at any more."""
        recent = sorted({one.start for one in self.state.evidence})[-REMEMBERED:]
        self.state.evidence = [
            one if one.start in recent or not one.shadows else replace(one, shadows=[]) for one in self.state.evidence
        ]

    def _versions(self) -> Sequence[ModelVersion]:
        """Those that were in service and tell how the pipeline's models do: none that was rolled back."""
        model, label = self.champion.model, self.settings.policy.label
        decisions = decisions_before(self.store, model, self.now, label)
        back = {made.key for made in decisions if made.decision.action is Action.ROLL_BACK}
        moves = [move for move in moves_before(self.store, model, self.now, label) if move.alias == CHAMPION]
        withdrawn = {old.number for old, new in pairwise(moves) if new.decision in back}
        served = {move.number for move in moves} - withdrawn | {self.champion.number}
        return [version for version in self.store.facts.versions(model) if version.number in served]
