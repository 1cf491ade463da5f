"""Which outputs came as facts alone: a note beside the store, so that a quick look need not ask the remote.

One digest a line, appended when facts are taken in. What it says is a guess for
`solvent status`; a run asks the remote itself. Losing the file loses nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

NAME = "lent"


def note_lent(state: Path, digests: Iterable[str]) -> None:
    """Objects that the remote promises and that are not here."""
    with (state / NAME).open("a") as file:
        file.writelines(f"{digest}\n" for digest in digests)


def lent(state: Path) -> frozenset[str]:
    """What was noted in the `.solvent` folder so far."""
    try:
        return frozenset((state / NAME).read_text().split())
    except FileNotFoundError:
        return frozenset()
