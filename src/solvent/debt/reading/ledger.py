"""Everything that a project's store tells for the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from solvent.debt.ledger import MOST_RUNS, Ledger, Reader, ledger
from solvent.debt.makers import Makers
from solvent.debt.staleness import InUse, StaleUse, stale_in_use
from solvent.debt.thresholds import PastThreshold, past_threshold
from solvent.lineage.findings import FindingState
from solvent.store.facts import Facts

UNDECLARED = ("DAT001", "DAT003")
LOSS = "loss.realised"


def ledger_of(facts: Facts, threshold: Callable[[str], float | None], *, now: datetime) -> Ledger:
    """threshold: the loss of a model that must not be crossed, None where nobody set one."""
    runs = facts.runs(limit=MOST_RUNS)
    found = ledger(runs, facts.alerts(), facts.decisions())
    models = facts.models()
    in_use = [one for model in models for one in _in_use(facts, model, now)]
    stale = [_with_uses(facts, one) for one in stale_in_use(in_use, runs, Makers(runs))]
    past = [one for model in models if (one := _past(facts, model, threshold(model))) is not None]
    audited = facts.last_audit() is not None
    return msgspec.structs.replace(
        found,
        stale=stale,
        past=past,
        undeclared=_undeclared(facts) if audited else None,
        left_out=_left_out(found, len(runs), in_use, [m for m in models if threshold(m) is None], audited=audited),
    )


def _in_use(facts: Facts, model: str, now: datetime) -> list[InUse]:
    """Versions that an alias points at, or that an endpoint answers with."""
    aliases = {move.alias: move.number for move in facts.alias_moves(model)}
    pointing = [(f"@{alias}", number) for alias, number in aliases.items() if number is not None]
    pointing += [(one.endpoint, one.number) for one in facts.deployments(model, as_of=now)]
    known = {version.number: version for version in facts.versions(model)}
    return [InUse(model, number, by, known[number].run) for by, number in pointing if number in known]


def _with_uses(facts: Facts, stale: StaleUse) -> StaleUse:
    later = [s for s in facts.segments(stale.model, "predictions", since=stale.since) if s.first >= stale.since]
    mine = [segment for segment in later if stale.number in segment.about.get("versions", [])]
    return msgspec.structs.replace(stale, answered=sum(segment.rows for segment in mine) if mine else None)


def _past(facts: Facts, model: str, threshold: float | None) -> PastThreshold | None:
    return None if threshold is None else past_threshold(facts.measurements(model, LOSS), threshold)


def _undeclared(facts: Facts) -> list[Reader]:
    owed = facts.findings([FindingState.OPEN])
    return [Reader(one.rule, one.spot.path, one.spot.line, one.first_seen) for one in owed if one.rule in UNDECLARED]


def _left_out(found: Ledger, runs: int, in_use: list[InUse], unset: list[str], *, audited: bool) -> list[str]:
    said = []
    if runs == MOST_RUNS:
        said.append(f"runs older than the newest {MOST_RUNS:,}")
    if any(step.repeated.runs for step in found.steps):
        said.append("why a finished recipe ran again: no run records it")
    unknown = sorted({f"{one.model}/{one.number}" for one in in_use if one.run is None})
    if unknown:
        said.append(f"what {', '.join(unknown)} came of: no run is recorded for it")
    if unset:
        said.append(f"when {', '.join(unset)} passed its threshold: `monitor.threshold` is not set")
    if not audited:
        said.append("undeclared readers: no audit of this project is recorded")
    return said
