"""Score a file with a model, as the endpoint would: checked and logged."""

from __future__ import annotations

from pathlib import Path

from solvent.cli.program import Exit
from solvent.cli.show import next_step, show
from solvent.project import Project


def command(reference: str, file: Path, *, out: Path | None = None, json: bool = False) -> Exit:
    """Score a file with a model, as the endpoint would: checked and logged.

    Parameters
    ----------
    reference:
        `NAME@alias` or `NAME/3`.
    file:
        CSV or Parquet with the model's features. Its event times may have any age.
    out:
        Where the answers go; beside the file otherwise.
    """
    from solvent.serving.files import score_file

    report = score_file(Project.find().store, reference, file, output=out)
    lines = [f"{report.rows} rows scored by {report.model}: {report.output}"]
    lines += [f"{rows} rows flagged {code}" for code, rows in report.flags.items()]
    show(report, [*lines, next_step("`solvent log outcomes FILE` when you know what happened")], json=json)
    return Exit.FINE
