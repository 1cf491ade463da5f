"""From the gate into service: at once, after a trial beside the champion, or by a person's approval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from solvent.automation.promotion import LEAST_FRESH_ROWS, judge_version, refuse
from solvent.automation.scoring import Scorer
from solvent.automation.state import Trial
from solvent.automation.trial import figures, worse
from solvent.foundation.clock import parse_span
from solvent.foundation.settings import ModelSettings
from solvent.lineage.entities import Action, Actor, Decision, ModelVersion, NewDecision, NodeKind
from solvent.monitoring.paired import PairedVerdict
from solvent.registry.canary import begin_canary, withdraw_canary
from solvent.registry.gate import GateResult
from solvent.registry.references import CANARY, CHAMPION
from solvent.registry.versions import promote

if TYPE_CHECKING:
    from solvent.store import Store

CHALLENGER = "challenger"
USUAL = timedelta(weeks=2)  # where a person began a trial and no setting says how long
PATIENCE = 2  # times its span that a trial may last where rows are still missing


class Rollout:
    """One policy's moves of one model at one tick; occasion: makes each effect happen once."""

    def __init__(
        self,
        store: Store,
        champion: ModelVersion,
        settings: ModelSettings,
        scorer: Scorer,
        *,
        occasion: str,
        now: datetime,
    ) -> None:
        self.store, self.champion, self.scorer = store, champion, scorer
        self.model, self.occasion, self.now = champion.model, occasion, now
        self.policy, self.unit = settings.policy, settings.monitor.unit
        self.actor = Actor(kind="policy", name=self.policy.label)

    def offer(self, version: ModelVersion) -> Decision:
        """What becomes of a new challenger: refused, on trial, before a person, or in service."""
        gate = self._judged(version)
        if not gate.passed:
            return refuse(self.store, version, gate, **self._by(Action.REFUSE))
        if parse_span(self.policy.shadow):
            by = self._by(Action.PROMOTE, CANARY)
            return begin_canary(self.store, version, self.policy.canary, gate=gate, **by)
        return self._into_service(version, gate)

    def settle(self, trial: Trial, verdict: PairedVerdict | None) -> list[Decision]:
        """What becomes of the version on trial: nothing yet, withdrawn, or what its trial was for.

        verdict: of the paired test so far; None without rows.
        """
        version = self.store.facts.version(self.model, trial.new)
        if version is None:
            return []
        if verdict is not None and verdict.verdict == "worse":
            return [self._withdraw(worse(trial, verdict, self.unit), figures(trial, verdict))]
        span = parse_span(self.policy.shadow) or USUAL
        if self.now < trial.since + span:
            return []
        gate, rows = self._judged(version), verdict.rows if verdict else 0
        few = rows < LEAST_FRESH_ROWS
        if gate.passed and not few:
            return [self._into_service(version, gate)]
        if (few or gate.hold) and self.now < trial.since + PATIENCE * span:
            return []
        why = f"{rows} live outcomes, {LEAST_FRESH_ROWS} needed" if few else gate.reason
        return [self._withdraw(f"after its trial: {why}", gate.as_evidence())]

    def record(self, action: Action, reason: str, evidence: Mapping[str, Any], number: int | None) -> Decision:
        """A decision that moves nothing."""
        return self.store.facts.decide(
            NewDecision(
                action=action,
                reason=reason,
                model=self.model,
                number=number,
                evidence=dict(evidence),
                rests_on=[(NodeKind.VERSION, self.champion.name)],
                **self._by(action),
            )
        )

    def _judged(self, version: ModelVersion) -> GateResult:
        return judge_version(self.store, version, self.policy, self.scorer, now=self.now, unit=self.unit)

    def _into_service(self, version: ModelVersion, gate: GateResult) -> Decision:
        if not self.policy.approval:
            return promote(self.store, self.model, version.number, gate=gate, **self._by(Action.PROMOTE))
        promote(self.store, self.model, version.number, alias=CHALLENGER, **self._by(Action.PROMOTE, CHALLENGER))
        asked = f"`solvent models promote {self.model}@{CHALLENGER}`"
        waiting = f"{gate.reason}; waits for a person: {asked} approves it"
        return self.record(Action.HOLD, waiting, gate.as_evidence(), version.number)

    def _withdraw(self, reason: str, evidence: Mapping[str, Any]) -> Decision:
        return withdraw_canary(
            self.store, self.model, reason=reason, evidence=dict(evidence), **self._by(Action.REFUSE, CANARY)
        )

    def _by(self, action: Action, alias: str = CHAMPION) -> dict[str, Any]:
        effect = f"{action}:{self.model}@{alias}:{self.occasion}:{self.policy.label}"
        return {"actor": self.actor, "at": self.now, "policy": self.policy.label, "effect": effect}
