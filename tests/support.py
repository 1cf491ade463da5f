"""What tests of several rooms share: the installed program and a newcomer's environment."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

PROGRAM = Path(sys.executable).parent / "solvent"
HEAVY = {"polars", "sklearn", "scipy", "numpy", "sqlalchemy", "alembic", "pandas", "skops", "starlette", "pyarrow"}


@dataclass(frozen=True)
class Answer:
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment of a newcomer: no SOLVENT_* left over, no colour, a fixed actor."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOLVENT_")}
    return {**kept, "NO_COLOR": "1", "SOLVENT_ACTOR": "tester", **extra}


def run_solvent(*arguments: object, cwd: Path, timeout: float = 120, **extra: str) -> Answer:
    """Run the installed `solvent` in a process of its own."""
    done = subprocess.run(
        [str(PROGRAM), *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(**extra),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def imported_by(*arguments: str, cwd: Path) -> set[str]:
    """Top-level modules that a command line imports, by its own interpreter."""
    code = (
        "import sys\nfrom solvent.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())
