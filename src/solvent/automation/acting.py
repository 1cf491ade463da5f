"""The deciding half of a tick: ask the policy, train what it asks for, and take a challenger through the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import to_builtins
from msgspec.structs import replace

from solvent.automation.before import decisions_before
from solvent.automation.leaving_out import look, try_without
from solvent.automation.planning import Planner
from solvent.automation.promotion import register_shadow
from solvent.automation.rollout import Rollout
from solvent.automation.shadows import Pools, make_shadows
from solvent.automation.state import Shadow, Trial
from solvent.foundation.settings import ModelSettings
from solvent.lineage.entities import Action, Decision
from solvent.monitoring.leaving_out import Tried
from solvent.monitoring.planning import plan
from solvent.monitoring.policy import Change, PolicyHistory, Proposal, propose, rows_of
from solvent.registry.references import CHAMPION

if TYPE_CHECKING:
    from solvent.pipeline.spec import ModelSpec
    from solvent.project import Project
    from solvent.store import Store

KEPT_SHADOWS = 12  # per span
_KINDS = {Action.RETRAIN: "retrain", Action.WAIVE: "promote", Action.ROLL_BACK: "roll-back"}


class Act:
    """One model's decisions at one tick. Every effect carries a name, so a repeated tick decides nothing twice.

    planner: of the same tick, when it has been measured.
    """

    def __init__(
        self,
        project: Project,
        model: ModelSpec,
        planner: Planner,
        pools: Pools,
        *,
        end: datetime,
    ) -> None:
        self.project = project
        self.store: Store = project.store
        self.model = model
        self.champion = planner.champion
        self.state = planner.state
        self.settings: ModelSettings = planner.settings
        self.pools = pools
        self.end = end
        self.now = planner.now
        self.problems: list[str] = []  # what could not be trained; it decides nothing
        occasion = end.isoformat()
        self.rollout = Rollout(
            self.store, self.champion, self.settings, planner.scorer, occasion=occasion, now=self.now
        )
        self.planner = planner

    def decide(self) -> list[Decision]:
        """Ask the policy by its rule; where it would retrain, take the model that it means through the gate."""
        if not self.settings.policy.enabled:
            return self._carry_out(propose(self._history(), self.settings.policy, self.now), [])
        if self.settings.policy.rule == "compare":
            fresh = self._train([*self.settings.policy.spans, *self.planner.fewer], self.end)
            return self._wait() or self._compare(fresh)
        return self._wait() or self._plan()

    def _compare(self, fresh: Sequence[Shadow]) -> list[Decision]:
        self._leave_out()
        return self._carry_out(propose(self._history(), self.settings.policy, self.now), fresh)

    def _plan(self) -> list[Decision]:
        """Train what the plan asks for, until it has decided."""
        self._leave_out()
        while not isinstance(
            answer := plan(self.planner.life(self._history()), self.settings.policy, self.now), Proposal
        ):
            self.planner.bought.append(answer)
            self.planner.score(self._train([answer.span], answer.at))
        self.planner.forget()
        return self._carry_out(answer, self._train([answer.span], self.end) if answer.span else [])

    def _leave_out(self) -> None:
        """Where the champion errs more than it did, see whether that is the fault of a feature that wanders."""
        if self.settings.policy.leave_out:
            self.problems += try_without(self.planner, self._train)
            look(self.planner)

    def _train(self, spans: Sequence[str], as_of: datetime) -> list[Shadow]:
        """Shadows as of an instant, one a span, kept for the windows to come."""
        hidden = self.state.hidden
        outcomes = make_shadows(self.project, self.model, spans, as_of, self.pools, hidden=hidden)
        made = [replace(outcome, trained_at=self.now) for outcome in outcomes if isinstance(outcome, Shadow)]
        self.problems += [outcome for outcome in outcomes if isinstance(outcome, str)]
        new = {(shadow.made_at, shadow.span) for shadow in made}
        others = [s for s in self.state.shadows if s.made_at <= self.end and (s.made_at, s.span) not in new]
        pairs = [] if self.state.wanders else self.state.tried[-1:]
        self.state.shadows = _newest(sorted([*others, *made], key=lambda shadow: shadow.made_at), pairs)
        return made

    def _carry_out(self, proposal: Proposal, shadows: Sequence[Shadow]) -> list[Decision]:
        proposal = self._with_what_wanders(proposal)
        chosen = next((s for s in shadows if s.span == proposal.span), None)
        if proposal.action == "hold" or chosen is None:
            return [self.rollout.record(Action.HOLD, proposal.reason, proposal.evidence, self.champion.number)]
        retrain = self.rollout.record(Action.RETRAIN, proposal.reason, proposal.evidence, None)
        reason = f"retrained on {rows_of(chosen.span)}"
        version = register_shadow(self.project, self.model, chosen, actor=self.rollout.actor, reason=reason)
        return [retrain, self.rollout.offer(version)]

    def _with_what_wanders(self, proposal: Proposal) -> Proposal:
        """Named when it is found, and again where it is why; its figures stand in the evidence ever since."""
        wanders = self.state.wanders
        if wanders is None:
            return proposal
        told = wanders.since == self.now or proposal.span == wanders.span
        reason = f"{proposal.reason}; {wanders.in_words()}" if told else proposal.reason
        return replace(proposal, reason=reason, evidence={**proposal.evidence, "wanders": to_builtins(wanders)})

    def _wait(self) -> list[Decision]:
        """While a version is on trial nothing else is retrained."""
        trial: Trial | None = self.state.canary
        if trial is None:
            return []
        reason = f"v{trial.new} is on trial beside v{trial.old} since {trial.since:%-d %b %Y}"
        return [self.rollout.record(Action.HOLD, reason, {"trial": trial.decision}, self.champion.number)]

    def _history(self) -> PolicyHistory:
        return PolicyHistory(
            version=self.champion.number,
            made_at=self.champion.created_at,
            windows=self.planner.windows,
            window_loss=self.state.window_loss or 0.0,
            changes=changes_of(decisions_before(self.store, self.model.name, self.now, self.settings.policy.label)),
            unit=self.settings.monitor.unit.partition("/")[0],
        )


def _newest(shadows: Sequence[Shadow], pairs: Sequence[Tried]) -> list[Shadow]:
    """Those that are kept of shadows in order of time: some of each span, and those whose pairs are still compared."""
    kept: list[Shadow] = []
    count: Counter[str] = Counter()
    for shadow in reversed(shadows):
        count[shadow.span] += 1
        if count[shadow.span] <= KEPT_SHADOWS or any(one.beside(shadow.made_at, shadow.span) for one in pairs):
            kept.append(shadow)
    return kept[::-1]


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
