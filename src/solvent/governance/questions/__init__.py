"""Questions to the lineage graph, one module each: what it came of, what hangs on it, what was live, is it whole.

Each answers with plain values for `--json`, and `render_…` says the same in lines
of at most 80 columns.
"""

from solvent.governance.questions.asof import as_of, render_as_of
from solvent.governance.questions.decided import decisions, render_decisions
from solvent.governance.questions.lineage import impact_of, lineage_of, render_lineage
from solvent.governance.questions.verification import render_verification, verify

__all__ = [
    "as_of",
    "decisions",
    "impact_of",
    "lineage_of",
    "render_as_of",
    "render_decisions",
    "render_lineage",
    "render_verification",
    "verify",
]
