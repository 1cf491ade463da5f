"""The deciding half of a tick: make shadows, ask the policy, and take a challenger through the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from solvent.automation.before import decisions_before
from solvent.automation.promotion import judge_version, refuse, register_shadow
from solvent.automation.scoring import Scorer
from solvent.automation.shadows import Pools, make_shadows
from solvent.automation.state import LoopState, Shadow
from solvent.foundation.settings import ModelSettings
from solvent.lineage.entities import Action, Actor, Decision, ModelVersion, NewDecision, NodeKind
from solvent.monitoring.policy import Change, PolicyHistory, Proposal, propose
from solvent.registry.references import CHAMPION
from solvent.registry.versions import promote

if TYPE_CHECKING:
    from solvent.pipeline.spec import ModelSpec
    from solvent.project import Project
    from solvent.store import Store

CHALLENGER = "challenger"
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
        self.scorer = scorer
        self.end = end
        self.now = now
        self.actor = Actor(kind="policy", name=self.settings.policy.label)

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
            return [self._record(Action.HOLD, proposal.reason, proposal, self.champion.number)]
        retrain = self._record(Action.RETRAIN, proposal.reason, proposal, None)
        version = register_shadow(
            self.project, self.model, chosen, actor=self.actor, reason=f"retrained on {_span_words(chosen.span)}"
        )
        return [retrain, self._pass_or_refuse(version)]

    def _pass_or_refuse(self, version: ModelVersion) -> Decision:
        policy = self.settings.policy
        unit = self.settings.monitor.unit
        gate = judge_version(self.store, version, policy, self.scorer, now=self.now, unit=unit)
        if not gate.passed:
            return refuse(
                self.store,
                version,
                gate,
                actor=self.actor,
                at=self.now,
                policy=policy.label,
                effect=self._effect(Action.REFUSE),
            )
        if policy.approval:
            self._name_challenger(version)
            asked = f"`solvent models promote {self.model.name}@{CHALLENGER}`"
            waiting = f"{gate.reason}; waits for a person: {asked} approves it"
            proposal = Proposal(action="hold", reason=waiting, evidence=gate.as_evidence())
            return self._record(Action.HOLD, waiting, proposal, version.number)
        return promote(
            self.store,
            self.model.name,
            version.number,
            actor=self.actor,
            at=self.now,
            gate=gate,
            policy=policy.label,
            effect=self._effect(Action.PROMOTE),
        )

    def _record(self, action: Action, reason: str, proposal: Proposal, number: int | None) -> Decision:
        return self.store.facts.decide(
            NewDecision(
                action=action,
                actor=self.actor,
                at=self.now,
                reason=reason,
                model=self.model.name,
                number=number,
                policy=self.settings.policy.label,
                evidence=proposal.evidence,
                rests_on=[(NodeKind.VERSION, self.champion.name)],
                effect=self._effect(action),
            )
        )

    def _name_challenger(self, version: ModelVersion) -> None:
        promote(
            self.store,
            self.model.name,
            version.number,
            actor=self.actor,
            at=self.now,
            alias=CHALLENGER,
            policy=self.settings.policy.label,
            effect=self._effect(Action.PROMOTE, CHALLENGER),
        )

    def _effect(self, action: Action, alias: str = CHAMPION) -> str:
        return f"{action}:{self.model.name}@{alias}:{self.end.isoformat()}:{self.settings.policy.label}"

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
