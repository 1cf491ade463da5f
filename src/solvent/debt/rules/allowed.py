"""Comments that allow a debt, and should not stand as they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from solvent.debt.finding import Found
from solvent.debt.rules.base import rule


class Allowed(msgspec.Struct, frozen=True):
    """A comment `# solvent: allow[CODES] reason`; unused: codes of rules that ran, for which it allowed nothing."""

    path: str
    line: int
    codes: list[str]
    reason: str
    unused: list[str]


@rule("LIV001", "unused-allow", severity="I", principal="a", driver="C", source="Ruff RUF100")
def unused_allow(allows: Sequence[Allowed]) -> Iterator[Found]:
    """A comment allows a debt that is not there.

    Why it costs: whoever reads it believes in a debt that is gone, and a new one would pass unseen.
    Fix: delete the comment.
    """
    for allow in allows:
        if allow.unused:
            said = f"{', '.join(allow.unused)} finds nothing here"
            yield Found(allow.line, (allow.line,), said, syntax=",".join(allow.unused), path=allow.path)


@rule("LIV002", "allow-without-reason", severity="W", principal="a", driver="C", source="ours")
def allow_without_reason(allows: Sequence[Allowed]) -> Iterator[Found]:
    """A comment allows a debt and does not say why, or does not say which; it allows nothing.

    Why it costs: the next reader cannot tell a decision from a shrug.
    Fix: `# solvent: allow[CODE] the reason`.
    """
    for allow in allows:
        if not allow.reason or not allow.codes:
            yield Found(allow.line, (allow.line,), syntax=",".join(allow.codes), path=allow.path)
