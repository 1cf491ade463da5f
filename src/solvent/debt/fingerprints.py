"""Names of findings that survive moves, renamed files and formatting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from blake3 import blake3

from solvent.debt.finding import Finding


def fingerprints(findings: Sequence[Finding]) -> list[Finding]:
    """Each finding with its fingerprint: the rule, the normalised syntax, the name around it, and which one it is among
    those that are alike in all three, in the order given. The file's path is no part of it.
    """
    seen: Counter[str] = Counter()
    named = []
    for finding in findings:
        alike = "\0".join((finding.rule, finding.syntax, finding.scope))
        seen[alike] += 1
        digest = blake3(f"{alike}\0{seen[alike]}".encode()).hexdigest(length=10)
        named.append(msgspec.structs.replace(finding, fingerprint=digest))
    return named
