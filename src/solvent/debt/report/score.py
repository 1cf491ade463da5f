"""The score of a forecast for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import wrap

from solvent.debt.replay import Scored
from solvent.debt.report.terminal import WIDTH, Paint
from solvent.pages.words import plural


def render_score(found: Scored, *, paint: Paint) -> Iterator[str]:
    """Says it as plainly when the audit was of no more use than counting commits."""
    score = found.score
    yield paint(_sentence(found), "strong")
    yield from wrap(_which(found), WIDTH)
    yield ""
    ours, plain = score.crps["audit"], score.crps["past rate"]
    yield f"  commits of a file   {score.coverage:.0%} within their 80% interval"
    yield f"  error (CRPS)        {ours:.2f} commits; by the plain past rate {plain:.2f}"
    if score.lift is not None:
        yield f"  repairs             {score.repairs:,} commits that say they repair, by file"
        for name, lift in score.lift.items():
            yield f"    most {name:<14} the first tenth of the files got {lift:.1f} × its share of them"


def _which(found: Scored) -> str:
    score = found.score
    day = datetime.fromtimestamp(found.at, UTC).date().isoformat()
    at = f" at {found.commit[:9]}" if found.commit else ""
    made = {
        "stored": f"The forecast that the audit of {day}{at} stored",
        "file": f"The forecast of the file, made on {day}{at}",
        "replay": f"{found.why + ', so' if found.why else 'Replayed:'} what an audit of {day}{at} would have foretold",
    }[found.basis]
    return f"{made}, for {plural(score.files, 'file')} and {score.days:.3g} days."


def _sentence(found: Scored) -> str:
    score = found.score
    if score.lift is None:
        return "No commit since says that it repairs: only how often files change can be scored."
    if score.best == "interest":
        return "Interest pointed to more of the repairs that came than churn or length did."
    return f"The files with the most {score.best} got more of the repairs that came than those with the most interest."
