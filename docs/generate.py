"""Write the generated pages: commands from their help, benchmarks and the two lives from their last results.

    python docs/generate.py [--check]

`--check` writes nothing and exits 1 where a page is not what it would write.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import calibration_page
import warnings_page

DOCS = Path(__file__).parent
RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def commands() -> str:
    """The reference of all commands, from their own help."""
    from solvent.cli.program import build

    text: str = build().generate_docs(output_format="markdown", recursive=True)
    return f"<!-- made by docs/generate.py -->\n\n{text.strip()}\n"


def benchmarks() -> str:
    """Every benchmark's last result, as its script printed it."""
    parts = ["<!-- made by docs/generate.py -->", "", "# Benchmarks", "", INTRODUCTION]
    for result in sorted(RESULTS.glob("*.json")):
        if not (RESULTS.parent / f"bench_{result.stem}.py").exists():
            continue  # told on a page of its own
        parts += ["", f"## {result.stem}", "", f"`python benchmarks/bench_{result.stem}.py`", ""]
        parts += ["```json", json.dumps(json.loads(result.read_text()), indent=1, ensure_ascii=False), "```"]
    return "\n".join(parts) + "\n"


INTRODUCTION = (
    "Last results of the scripts in `benchmarks/`, each with the machine that it ran on; peers run beside us in the "
    "same run. Ratios travel better than seconds."
)
POLICIES = {
    "never": "never",
    "monthly": "every four weeks, on all rows",
    "hindsight": "the best in hindsight",
    "solvent": "**Solvent**",
    "oracle": "the oracle, which knows the future",
}


def two_lives() -> str:
    """The guide with the figures of the first seed."""
    lives = next(iter(json.loads((RESULTS / "lives.json").read_text())["seeds"].values()))["models"]
    bikes, flights = lives["bike-demand"]["costs"], lives["flight-delay"]["costs"]
    template = (DOCS / "templates" / "two-lives.md").read_text("utf-8")
    filled = template.format(
        bike_never_error=round(bikes["never"]["error"]),
        bike_rows=_rows(bikes, ".0f"),
        flight_rows=_rows(flights, ".3f"),
    )
    return f"<!-- made by docs/generate.py -->\n\n{filled}"


def _rows(costs: dict[str, Any], form: str) -> str:
    dearest_first = sorted(costs, key=lambda policy: -costs[policy]["cost"])
    return "\n".join(
        f"| {POLICIES[p]} | {costs[p]['retrained']} | {costs[p]['error']:{form}} | {costs[p]['to_best']:.2f} × |"
        for p in dearest_first
    )


def calibration(make: Callable[[dict[str, Any]], str]) -> Callable[[], str]:
    """A page or picture of the last calibration."""
    return lambda: make(json.loads((RESULTS / "calibration.json").read_text()))


def first_warnings() -> str:
    """Who warned first, from the last comparison."""
    return warnings_page.page(json.loads((RESULTS / "warnings.json").read_text()))


def rules() -> str:
    """A section a rule, from its own docstring."""
    from solvent.debt.report.rules import SEVERITIES, parts
    from solvent.debt.report.view import FAMILIES
    from solvent.debt.rules.base import all_rules

    lines = ["<!-- made by docs/generate.py -->", "", "# Rules of the audit", ""]
    lines += ["What each rule finds, why it costs, how to mend it. [How to use them](../guides/audit.md).", ""]
    family = ""
    for rule in all_rules():
        if rule.code[:3] != family:
            family = rule.code[:3]
            lines += [f"## {FAMILIES[family].capitalize()}", ""]
        lines += [f"### {rule.code} {rule.name}", "", f"*{SEVERITIES[rule.severity].capitalize()}.*", ""]
        for heading, text in parts(rule):
            lines += [f"**{heading}.** {text}" if heading else text, ""]
    return "\n".join(lines)


PAGES = {
    "reference/rules.md": rules,
    "reference/commands.md": commands,
    "reference/benchmarks.md": benchmarks,
    "guides/two-lives.md": two_lives,
    "statistics/calibration.md": calibration(calibration_page.page),
    "statistics/warnings.md": first_warnings,
    "images/calibration-coverage.svg": calibration(calibration_page.coverage_picture),
    "images/calibration-power.svg": calibration(calibration_page.power_picture),
}


def main() -> int:
    stale = [name for name, make in PAGES.items() if _text(DOCS / name) != make()]
    if "--check" not in sys.argv:
        for name in stale:
            (DOCS / name).write_text(PAGES[name](), "utf-8")
    sys.stdout.write("".join(f"{name}\n" for name in stale))
    return 1 if stale and "--check" in sys.argv else 0


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
