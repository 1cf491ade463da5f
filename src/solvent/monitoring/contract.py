"""The first question of every window: is the data broken?"""

from __future__ import annotations

import polars as pl

from solvent.data.contracts import Violation, check_contract
from solvent.foundation.clock import to_micros
from solvent.monitoring.reference import Reference
from solvent.monitoring.settings import AlertDraft, Findings, Subject
from solvent.monitoring.state import MonitorState, Span

_LOG_COLUMNS = {"event_time", "output", "label"}


def watch_contract(
    frame: pl.DataFrame, reference: Reference, state: MonitorState, subject: Subject
) -> tuple[Findings, list[Violation]]:
    """Breaches of the version's contract in one window; the state remembers the span.

    frame: canonical. Returns: findings, and the violations that break. One alert per column, kind and episode:
        a breach that lasts from window to window is told once.
    """
    known = {column.name for column in reference.contract.columns}
    names = [name for name in frame.columns if name in known]
    violations = check_contract(reference.contract, frame.select(names))
    findings = Findings()
    findings.measurements.append(
        subject.measurement(
            "contract.breaches",
            float(len(violations)),
            "breaches",
            rows=frame.height,
            about={"violations": [{"column": v.column, "kind": v.kind, "cause": v.cause} for v in violations]},
        )
    )
    start, end = to_micros(subject.start), to_micros(subject.end)
    if violations:
        state.spans.append(Span("contract", start, end, "; ".join(v.cause for v in violations)))
    for violation in violations:
        episode = f"contract/{violation.column}/{violation.kind}"
        ongoing = state.episodes.get(episode) == start
        state.episodes[episode] = end
        if not ongoing:
            findings.drafts.append(_draft(violation, subject, frame.height))
    return findings, violations


def _draft(violation: Violation, subject: Subject, rows: int) -> AlertDraft:
    return subject.draft(
        "contract",
        "alert",
        violation.cause,
        key=f"{violation.column}:{violation.kind}",
        cause={
            "kind": "contract",
            "sentence": violation.cause,
            "column": violation.column,
            "breach": violation.kind,
        },
        evidence={
            "test": "contract inferred from the reference",
            "share": violation.share,
            "rows": rows,
            "observed": violation.observed,
            "expected": violation.expected,
        },
    )
