"""Write the generated pages: `docs/reference/commands.md` from the commands, `benchmarks.md` from their results.

    python docs/generate.py [--check]

`--check` writes nothing and exits 1 where a page is not what it would write.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"
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
        parts += ["", f"## {result.stem}", "", f"`python benchmarks/bench_{result.stem}.py`", ""]
        parts += ["```json", json.dumps(json.loads(result.read_text()), indent=1, ensure_ascii=False), "```"]
    return "\n".join(parts) + "\n"


INTRODUCTION = (
    "Last results of the scripts in `benchmarks/`, each with the machine that it ran on; peers run beside us in the "
    "same run. Ratios travel better than seconds."
)
PAGES = {"commands.md": commands, "benchmarks.md": benchmarks}


def main() -> int:
    stale = [name for name, make in PAGES.items() if _text(REFERENCE / name) != make()]
    if "--check" not in sys.argv:
        for name in stale:
            (REFERENCE / name).write_text(PAGES[name](), "utf-8")
    sys.stdout.write("".join(f"{name}\n" for name in stale))
    return 1 if stale and "--check" in sys.argv else 0


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
