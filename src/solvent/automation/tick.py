"""One tick: for each model measure, alert, decide, act. Idempotent, safe to kill, safe to start twice."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from solvent.automation.acting import Act
from solvent.automation.before import moves_before
from solvent.automation.evidence import bound_of
from solvent.automation.measuring import Measured, Measurer, Question
from solvent.automation.planning import Planner
from solvent.automation.report import ModelTick, TickReport
from solvent.automation.rollout import Rollout
from solvent.automation.scoring import Scorer
from solvent.automation.shadows import Pools, model_spec
from solvent.automation.side_by_side import SideBySide, worth
from solvent.automation.state import NAME, LoopState
from solvent.automation.telling import told
from solvent.automation.trial import continue_trial, current_canary, current_trial, roll_back
from solvent.automation.watching import alert_of
from solvent.foundation.clock import iso, parse_span
from solvent.lineage.entities import Actor, Decision, ModelVersion
from solvent.monitoring.reference import Reference
from solvent.pipeline.processes import LiveProcesses
from solvent.pipeline.workers import usable_cores
from solvent.registry.references import CHAMPION, require_model

if TYPE_CHECKING:
    from solvent.project import Project
    from solvent.store import Store
    from solvent.store.facts.monitoring import Tick

WAIT_SECONDS = 600.0  # for another tick on the same store
Progress = Callable[[str], None]
Notifier = Callable[[Sequence[dict[str, Any]]], list[str]]


class Loop:
    """Ticks of one project within one process: estimators, references and workers stay warm between them.

    Close it, or use it as a context manager: it owns worker processes.

    notifiers: called with every new alert and every decision but a hold; each returns the problems that it met.
    workers: processes that measure; 0: this one does; None: as many as there are models and cores for.
    """

    def __init__(
        self,
        project: Project,
        *,
        notifiers: Sequence[Notifier] = (),
        progress: Progress | None = None,
        workers: int | None = None,
    ) -> None:
        self.project = project
        self.store: Store = project.store
        self.pools = Pools(project)
        self.notifiers = notifiers
        self.progress = progress or (lambda _: None)
        self.scorer = Scorer(self.store)
        self.measurer = Measurer(self.store, self.scorer)
        self.processes = SideBySide(project.root, self.measurer)
        self.workers = workers

    def close(self) -> None:
        self.pools.close()
        self.processes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tick(self, now: datetime, models: Sequence[str] | None = None) -> TickReport:
        """Bring every model's measurements, alerts and decisions up to `now`.

        Raises: UnknownModel; ClockWentBack where a tick has already decided by a later clock; Busy where
        another tick does not end.
        """
        for name in models or ():
            require_model(self.store, name)
        with self.store.lease("tick", wait=WAIT_SECONDS):
            self.store.facts.mark_lost(socket.gethostname(), LiveProcesses())
            names = models or self.store.facts.models()
            done = [self._conclude(*one, now) for one in self._measured(names, now)]
        return TickReport(now=now, models=[m for m, _ in done], undelivered=[p for _, found in done for p in found])

    def _measured(self, names: Sequence[str], now: datetime) -> Iterator[tuple[Tick, Question | None, Measured | None]]:
        """Each model's tick with what was asked and found, in order; neither where it has no champion yet."""
        asked: deque[tuple[Tick, Question | None]] = deque()  # of what was not yet answered

        def questions() -> Iterator[Question]:
            for name in names:
                started, question = self._begin(name, now)
                asked.append((started, question))
                if question is not None:
                    yield question

        count = worth(len(names), usable_cores()) if self.workers is None else self.workers
        answers = self.processes.answers(questions(), count) if count else map(self.measurer, questions())
        for answer in answers:
            while asked[0][1] is None:
                yield *asked.popleft(), None
            yield *asked.popleft(), answer
        yield from ((started, question, None) for started, question in asked)

    def _begin(self, name: str, now: datetime) -> tuple[Tick, Question | None]:
        """Begin a model's tick: what is to be asked; nothing where it has no champion yet."""
        facts, settings = self.store.facts, self.project.settings.model(name)
        started = facts.start_tick(name, now, settings.policy.label)
        moves = moves_before(self.store, name, now, settings.policy.label)
        served = [move.number for move in moves if move.alias == CHAMPION]
        number = served[-1] if served else None
        champion = facts.version(name, number) if number is not None else None
        if champion is None:
            return started, None
        self.progress(f"{name}: measuring")
        self._keep_log(name, now)
        state = LoopState.of(facts.state(name, NAME, before=now))
        state.trial = current_trial(self.store, moves, state.trial)
        state.canary = current_canary(moves, champion.number, state.canary)
        before = facts.version(name, state.trial.old) if state.trial else None
        return started, Question(champion=champion, before=before, state=state, settings=settings, now=now)

    def _conclude(
        self, started: Tick, question: Question | None, measured: Measured | None, now: datetime
    ) -> tuple[ModelTick, list[str]]:
        """Decide on what was measured, tell it, and put the tick on record."""
        if question is None or measured is None:
            return ModelTick(model=started.model, champion=None, note="no champion yet: `solvent run`"), []
        done = self._decided(question.champion, measured, now)
        undelivered = self._tell(done, now)
        self.store.facts.end_tick(
            started,
            states=_states(measured.state, now),
            about={"windows": len(done.windows), "note": done.note},
            measurements=done.measurements,
            alerts=done.alerts,
        )
        return done, undelivered

    def _decided(self, champion: ModelVersion, measured: Measured, now: datetime) -> ModelTick:
        name, state, watched = champion.model, measured.state, measured.watched
        if watched is None:
            return ModelTick(model=name, champion=champion.number, note="its version has no evaluation rows")
        alerts = [alert_of(draft, name, champion.number, now) for draft in watched.drafts]
        decisions = self._try_rollback(champion, state, now) or self._try_canary(champion, state, now)
        note = ""
        if watched.windows and not decisions:
            decisions, note = self._decide(champion, state, watched.windows[-1].end, now)
        return ModelTick(
            model=name,
            champion=self.store.facts.alias(name, CHAMPION),
            windows=[(window.start, window.end) for window in watched.windows],
            measurements=watched.measurements,
            alerts=alerts,
            decisions=decisions,
            note=note,
        )

    def _try_rollback(self, champion: ModelVersion, state: LoopState, now: datetime) -> list[Decision]:
        """Feed the trial of a new champion; where it is worse than the one before, put that one back."""
        name, trial = champion.model, state.trial
        settings = self.project.settings.model(name)
        if trial is None or now > trial.since + parse_span(settings.policy.trial):
            return []
        reference = self._reference(champion)
        state.trial, verdict = continue_trial(self.store, name, trial, reference, self.scorer, settings.policy, now)
        if verdict is None or verdict.verdict != "worse" or not settings.policy.enabled:
            return []
        label, unit = settings.policy.label, settings.monitor.unit
        actor = Actor(kind="policy", name=label)
        return [roll_back(self.store, name, state.trial, verdict, actor=actor, now=now, policy=label, unit=unit)]

    def _try_canary(self, champion: ModelVersion, state: LoopState, now: datetime) -> list[Decision]:
        """Feed the trial of a version beside the champion, on all rows served since; end it when it is due."""
        name, trial = champion.model, state.canary
        settings = self.project.settings.model(name)
        if trial is None or not settings.policy.enabled:
            return []
        reference = self._reference(champion)
        state.canary, verdict = continue_trial(
            self.store, name, trial, reference, self.scorer, settings.policy, now, anyone=True
        )
        occasion = f"trial:{trial.decision}"
        rollout = Rollout(self.store, champion, settings, self.scorer, occasion=occasion, now=now)
        return rollout.settle(trial, verdict)

    def _decide(
        self, champion: ModelVersion, state: LoopState, end: datetime, now: datetime
    ) -> tuple[list[Decision], str]:
        name = champion.model
        declared = model_spec(self.project.spec, name)
        if declared is None:
            return [], f"the pipeline no longer declares {name}: nothing to retrain"
        self.progress(f"{name}: deciding")
        planner = Planner(
            self.store,
            champion,
            state,
            self.scorer,
            self.project.settings.model(name),
            bound=lambda: bound_of(self._reference(champion)),
            now=now,
        )
        act = Act(self.project, declared, planner, self.pools, end=end)
        return act.decide(), "; ".join(act.problems)

    def _reference(self, champion: ModelVersion) -> Reference | None:
        settings = self.project.settings.model(champion.model)
        return self.measurer.versions(champion.model, settings.monitor).reference(champion)

    def _keep_log(self, name: str, now: datetime) -> None:
        """Seal what writers have finished, and let go of what retention no longer keeps."""
        self.store.log.seal(name, "predictions", now=now)
        self.store.log.seal(name, "outcomes", now=now)
        self.store.log.expire(name, now - parse_span(self.project.settings.retention.log))

    def _tell(self, done: ModelTick, now: datetime) -> list[str]:
        settings = self.project.settings.notify
        quiet = parse_span(settings.quiet)
        before = self.store.facts.alerts(done.model, since=now - quiet) if done.alerts and self.notifiers else []
        messages = told(done.alerts, done.decisions, before, quiet=quiet, silences=settings.silence)
        return [problem for notify in self.notifiers for problem in notify(messages)]


def tick(
    project: Project,
    *,
    now: datetime,
    models: Sequence[str] | None = None,
    notifiers: Sequence[Notifier] = (),
    progress: Progress | None = None,
) -> TickReport:
    """One tick of a project. See `Loop.tick`; several in one process are quicker through one `Loop`."""
    with Loop(project, notifiers=notifiers, progress=progress) as loop:
        return loop.tick(now, models)


def _states(state: LoopState, now: datetime) -> dict[str, Any]:
    """What the tick carries on, and each of its shadows under a name of its own."""
    new = [shadow for shadow in state.shadows if shadow.trained_at == now]
    return {NAME: state.plain(), **{f"shadow:{iso(s.made_at)}:{s.span}": s for s in new}}
