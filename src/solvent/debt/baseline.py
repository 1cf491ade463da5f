"""A baseline: the findings that are known, as a file in git."""

from __future__ import annotations

from pathlib import Path

import msgspec

from solvent.debt.audit import Audit
from solvent.debt.rules.base import RULE_SET
from solvent.foundation.errors import UsageError


class BadBaseline(UsageError):
    code = "bad-baseline"


class Known(msgspec.Struct, frozen=True):
    """rule, path and line are for people; the fingerprint counts."""

    fingerprint: str
    rule: str
    path: str
    line: int


class Baseline(msgspec.Struct, frozen=True):
    rule_set: str
    findings: list[Known]


def write_baseline(found: Audit, file: Path) -> int:
    """Write what is owed now; returns how many findings. Raises: OSError."""
    known = [
        Known(finding.fingerprint, finding.rule, finding.place.path, finding.place.physical)
        for finding in found.findings
        if finding.state != "allowed"
    ]
    text = msgspec.json.format(msgspec.json.encode(Baseline(RULE_SET, known)), indent=1)
    file.write_bytes(text + b"\n")
    return len(known)


def read_baseline(file: Path) -> list[str]:
    """Fingerprints. Raises: BadBaseline."""
    again = f"`solvent audit --write-baseline {file}` writes it"
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Baseline)
    except OSError as error:
        raise BadBaseline(f"cannot be read: {error.strerror}", where=str(file), next=again) from None
    except msgspec.MsgspecError as error:
        raise BadBaseline(f"is no baseline: {error}", where=str(file), next=again) from None
    if found.rule_set != RULE_SET:
        raise BadBaseline(
            f"comes from rule set {found.rule_set}, this is {RULE_SET}: they cannot be compared",
            where=str(file),
            next=again,
        )
    return [known.fingerprint for known in found.findings]
