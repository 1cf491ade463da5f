"""The deciding half of a tick: make shadows, ask the policy, and take a challenger through the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from solvent.automation.before import decisions_before
from solvent.automation.promotion import register_shadow
from solvent.automation.rollout import Rollout
from solvent.automation.scoring import Scorer
from solvent.automation.shadows import Pools, make_shadows
from solvent.automation.state import LoopState, Shadow, Trial
from solvent.foundation.settings import ModelSettings
from solvent.lineage.entities import Action, Decision, ModelVersion
from solvent.monitoring.policy import Change, PolicyHistory, propose
from solvent.registry.references import CHAMPION

if TYPE_CHECKING:
    from solvent.pipeline.spec import ModelSpec
    from solvent.project import Project
    from solvent.store import Store

KEPT_SHADOWS = 12  # per span
_KINDS = {Action.RETRAIN: "retrain", Action.WAIVE: "promote", Action.ROLL_BACK: "roll-back"}


class Act:
    """One model's decisions at one tick. Every effect carries a name, so a repeated tick decides nothing twice."""

    def __init__(
        self,
        project: Project,
        model: ModelSpec,
        champion: ModelVersion,
        state: LoopState,
        scorer: Scorer,
        *,
        end: datetime,
        now: datetime,
    ) -> None:
        self.project = project
        self.store: Store = project.store
        self.model = model
        self.champion = champion
        self.state = state
        self.settings: ModelSettings = project.settings.model(model.name)
        self.end = end
        self.now = now
        occasion = end.isoformat()
        self.rollout = Rollout(self.store, champion, self.settings, scorer, occasion=occasion, now=now)

    def refresh(self, pools: Pools) -> tuple[list[Shadow], list[str]]:
        """Train this window's shadows, one a span; what failed is told and decides nothing."""
        outcomes = make_shadows(self.project, self.model, self.settings.policy.spans, self.end, pools)
        made = [outcome for outcome in outcomes if isinstance(outcome, Shadow)]
        problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
        keep = KEPT_SHADOWS * len(self.settings.policy.spans)
        older = [s for s in self.state.shadows if s.made_at < self.end]
        self.state.shadows = [*older, *made][-keep:]
        return made, problems

    def decide(self, shadows: Sequence[Shadow]) -> list[Decision]:
        """Ask the policy; where it would retrain, take the shadow of its span through the gate."""
        proposal = propose(self._history(), self.settings.policy, self.now)
        chosen = next((s for s in shadows if s.span == proposal.span), None)
        if proposal.action == "hold" or chosen is None:
            return [self.rollout.record(Action.HOLD, proposal.reason, proposal.evidence, self.champion.number)]
        retrain = self.rollout.record(Action.RETRAIN, proposal.reason, proposal.evidence, None)
        reason = f"retrained on {_span_words(chosen.span)}"
        version = register_shadow(self.project, self.model, chosen, actor=self.rollout.actor, reason=reason)
        return [retrain, self.rollout.offer(version)]

    def wait(self, trial: Trial) -> list[Decision]:
        """While a version is on trial nothing else is retrained."""
        reason = f"v{trial.new} is on trial beside v{trial.old} since {trial.since:%-d %b %Y}"
        return [self.rollout.record(Action.HOLD, reason, {"trial": trial.decision}, self.champion.number)]

    def _history(self) -> PolicyHistory:
        return PolicyHistory(
            version=self.champion.number,
            made_at=self.champion.created_at,
            windows=self.state.evidence,
            window_loss=self.state.window_loss or 0.0,
            changes=changes_of(decisions_before(self.store, self.model.name, self.now, self.settings.policy.label)),
            unit=self.settings.monitor.unit.partition("/")[0],
        )


def changes_of(decisions: Sequence[Decision]) -> list[Change]:
    """When the model in service changed, for the cool-down and the budget."""
    changes = []
    for made in decisions:
        what = made.decision
        by_person = what.action is Action.PROMOTE and what.policy is None and what.evidence.get("alias") == CHAMPION
        kind = "promote" if by_person else _KINDS.get(what.action)
        if kind is not None:
            changes.append(Change(at=what.at, kind=kind))
    return changes


def _span_words(span: str) -> str:
    return "all rows" if span == "all" else f"the last {span}"
