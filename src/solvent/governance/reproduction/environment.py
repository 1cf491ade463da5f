"""A fresh environment with the recorded version of every package, built by uv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import solvent
from solvent.foundation.errors import Refusal

OURS = "solvent"
_NOT_THERE = re.compile(r"(?:Because|because|and) ([A-Za-z0-9._-]+) was not found in the (?:package registry|provided)")
_NO_VERSION = re.compile(r"there is no version of ([A-Za-z0-9._-]+)==")

_MOST_LEFT_OUT = 8


class NoFreshEnvironment(Refusal):
    code = "no-fresh-environment"


def build(folder: Path, interpreter: str, distributions: Sequence[str]) -> tuple[Path, list[str]]:
    """A virtual environment with exactly these versions, and Solvent as it is now. Returns: its Python, and remarks.

    interpreter: as recorded, `cpython-3.11-…`. distributions: `name==version`. What the registry does not
    have is left out, with a remark. Raises: NoFreshEnvironment.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise NoFreshEnvironment("a fresh environment needs uv, which is not installed", next=_OTHERWISE)
    version = "-".join(interpreter.split("-")[:2])
    _uv(uv, ["venv", "--quiet", "--no-project", "--python", version, str(folder)])
    python = folder / "bin" / "python"
    wanted = [text for text in distributions if text.partition("==")[0] != OURS]
    notes = _install(uv, python, wanted)
    _add_ourselves(python)
    return python, notes


_OTHERWISE = "`--same-env` repeats it in the present one and says what differs"


def _install(uv: str, python: Path, wanted: list[str]) -> list[str]:
    """Install without resolving: the list is the whole environment."""
    notes: list[str] = []
    for _ in range(_MOST_LEFT_OUT):
        if not wanted:
            return notes
        done = subprocess.run(
            [uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python), *wanted],
            capture_output=True, text=True, check=False, env=_environment(),
        )  # fmt: skip
        if not done.returncode:
            return notes
        said = " ".join(done.stderr.split())
        missing = {_normal(name) for name in (*_NOT_THERE.findall(said), *_NO_VERSION.findall(said))}
        left_out = [text for text in wanted if _normal(text.partition("==")[0]) in missing]
        if not left_out:
            raise NoFreshEnvironment(f"uv cannot install the recorded versions: {said[-300:]}", next=_OTHERWISE)
        wanted = [text for text in wanted if text not in left_out]
        notes.append(f"the registry does not have {', '.join(left_out)}")
    raise NoFreshEnvironment("the registry has too few of the recorded versions", next=_OTHERWISE)


def _normal(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _uv(uv: str, arguments: list[str]) -> None:
    done = subprocess.run([uv, *arguments], capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        raise NoFreshEnvironment(" ".join(done.stderr.split())[-300:], next=_OTHERWISE)


def _environment() -> dict[str, str]:
    """Ours, without what would point uv at another environment."""
    return {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH")}


def _add_ourselves(python: Path) -> None:
    """Link the Solvent that runs here, with its record of what is installed, into the new environment."""
    found = list((python.parents[1] / "lib").glob("python*/site-packages"))
    site = found[0]
    (site / OURS).symlink_to(Path(solvent.__file__).resolve().parent)
    record = next((f for f in metadata.distribution(OURS).files or [] if f.name == "METADATA"), None)
    if record is not None:
        folder = Path(str(metadata.distribution(OURS).locate_file(record))).parent
        (site / folder.name).symlink_to(folder.resolve())
