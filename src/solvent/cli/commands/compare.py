"""Say what drifted from one table to another beyond natural variation, and what is broken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from solvent.cli.program import Exit
from solvent.cli.show import next_step, show


def command(
    reference: str,
    current: str,
    *,
    time: str | None = None,
    drop: Annotated[list[str] | None, Parameter(negative="")] = None,
    level: float = 0.05,
    floor_number: float = 0.1,
    floor_category: float = 0.05,
    floor_missing: float = 0.01,
    joint: bool = True,
    seed: int = 0,
    html: Path | None = None,
    json: bool = False,
) -> Exit:
    """Say what drifted from one table to another beyond natural variation, and what is broken.

    Exits with 1 where a column drifted or the contract that the reference keeps is broken.

    Parameters
    ----------
    reference:
        A file, a folder of tables, or a version of a dataset: `NAME@2`, `NAME@GITREV`.
    current:
        The same, of what is compared with it.
    time:
        The column with each row's time, by which natural variation is read from blocks of the reference. Without it
        rows are taken as exchangeable, and only chance varies.
    drop:
        Columns to leave out; repeated, or with commas.
    level:
        Probability that any column of two like tables is said to have drifted.
    floor_number:
        Standard deviations below which a number's move is a trifle.
    floor_category:
        Jensen–Shannon distance below which a category's move is a trifle.
    floor_missing:
        Change of the share of missing values that is a trifle.
    joint:
        Also ask a classifier how well it tells the two apart, on at most 1,000 rows of each.
    seed:
        Same seed, same answer.
    html:
        Also write the self-contained page here.
    """
    from solvent.governance.comparison.drifttext import render
    from solvent.governance.comparison.handed import compare

    found = compare(
        reference,
        current,
        time=time,
        drop=[name for part in drop or [] for name in part.split(",") if name],
        level=level,
        floor_number=floor_number,
        floor_category=floor_category,
        floor_missing=floor_missing,
        joint=joint,
        seed=seed,
    )
    if html is not None:
        from solvent.cli.commands.runs import write_page
        from solvent.governance.comparison.driftpage import drift_page

        write_page(html, drift_page(found))
    todo = "`--html FILE` draws it" if html is None else "`solvent data diff` compares the rows themselves"
    if time is None:
        todo = f"`--time COLUMN` counts what varies in time · {todo}"
    show(found.to_dict(), [*render(found), next_step(todo)], json=json)
    return Exit.FINE if found.fine else Exit.FINDINGS
