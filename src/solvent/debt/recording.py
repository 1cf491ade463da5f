"""What an audit of a project leaves in its store: findings without their evidence, and a forecast."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from solvent.debt.audit import Audit
from solvent.debt.facts.document import Unreadable
from solvent.debt.facts.secrets import masked
from solvent.debt.finding import Finding
from solvent.debt.reading.sources import Tree
from solvent.debt.rules.base import RULE_SET
from solvent.lineage.findings import FindingRecord, ProjectAudit, Sighting, Spot


def project_audit(
    found: Audit, source: Tree, known: Iterable[FindingRecord], *, at: datetime, forecast: dict[str, Any] | None
) -> ProjectAudit:
    """An audit of a whole project as it is recorded. known: findings that are allowed already; who allowed them for the
    same reason is not asked again.
    """
    allowed = {record.fingerprint: record.reason for record in known}
    return ProjectAudit(
        at=at,
        rule_set=RULE_SET,
        rules=frozenset(found.rules),
        sightings=[_sighting(finding, source, allowed) for finding in found.findings],
        unread=frozenset(skipped.path for skipped in found.not_analysed),
        git_commit=source.git.head() if source.git is not None else None,
        forecast=forecast,
    )


def _sighting(finding: Finding, source: Tree, known: dict[str, str]) -> Sighting:
    reason = masked(finding.reason) if finding.state == "allowed" else None
    new = reason is not None and known.get(finding.fingerprint) != reason
    return Sighting(
        fingerprint=finding.fingerprint,
        rule=finding.rule,
        spot=Spot(path=finding.place.path, cell=finding.place.cell, line=finding.place.line),
        allowed=reason,
        by=masked(_author(finding, source)) if new else "",
    )


def _author(finding: Finding, source: Tree) -> str:
    """Who committed the comment that allows a finding; empty where nobody did yet."""
    if source.git is None:
        return ""
    try:
        lines = source.read(finding.place.path).decode("utf-8", "replace").splitlines()
    except Unreadable:
        return ""
    at = finding.allowed_at
    return source.git.author_of(finding.place.path, at, lines[at - 1]) if 0 < at <= len(lines) else ""
