"""The project that the demonstration writes, and when it may write over what is there."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from solvent.foundation.errors import UsageError
from solvent.lineage.digests import digest_of

MARK = ".solvent-demo"  # names the files that we wrote, with their digests
MADE = ("data", "contracts", ".solvent", "report.html", "notices.jsonl")  # what a life leaves behind
LIVES = ("bikes", "flights")
SEED = 7  # what the pipelines say themselves


class NotOurs(UsageError):
    code = "folder-not-empty"


def write_project(folder: Path, lives: Sequence[str] = LIVES, seed: int = SEED) -> None:
    """Write pipelines, settings and a README for the chosen lives; an earlier demo there starts afresh.

    seed: of every fit.

    Raises: NotOurs where the folder holds anything else, or a demo that somebody has edited.
    """
    refuse_strangers(folder)
    for name in MADE:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    texts = project_files(lives, seed)
    for name in written(folder):
        if name not in texts:
            (folder / name).unlink(missing_ok=True)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    mark = {name: digest_of(text) for name, text in texts.items()}
    (folder / MARK).write_bytes(msgspec.json.format(msgspec.json.encode(mark)))


def project_files(lives: Sequence[str], seed: int = SEED) -> dict[str, bytes]:
    """The project's own files, by their path in it."""
    template = files("solvent.demo") / "template"
    settings = [template / "solvent.toml", *(template / f"solvent.{life}.toml" for life in lives)]
    return {
        "README.md": (template / "README.md").read_bytes(),
        "solvent.toml": b"".join(part.read_bytes() for part in settings) + _seeds(lives, seed),
        "pipelines/__init__.py": b"",
        **{f"pipelines/{life}.py": _pipeline(template, life) for life in lives},
    }


def refuse_strangers(folder: Path) -> None:
    """Raises: NotOurs, naming the first file in the way."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise NotOurs(f"{folder} is a file", next="give a folder: `solvent demo DIR`")
    ours = written(folder)
    there = sorted(path for path in folder.iterdir() if path.name != MARK)
    if there and not ours:
        raise NotOurs(f"{folder} is not empty and holds no demo", next="give another folder: `solvent demo DIR`")
    for name, digest in ours.items():
        path = folder / name
        if path.exists() and digest_of(path.read_bytes()) != digest:
            raise NotOurs(f"{path} was edited since the demo wrote it", next="it is yours now: `solvent demo OTHER`")
    known = {Path(name).parts[0] for name in ours} | set(MADE)
    for path in there:
        if path.name not in known:
            raise NotOurs(f"{path} is not the demo's", next="move it away, or give another folder: `solvent demo DIR`")


def written(folder: Path) -> dict[str, str]:
    """The files that a demo wrote into this folder, with their digests; none where there was no demo."""
    mark = folder / MARK
    if not mark.is_file():
        return {}
    try:
        return msgspec.json.decode(mark.read_bytes(), type=dict[str, str])
    except msgspec.MsgspecError:
        return {}


def _pipeline(template: Traversable, life: str) -> bytes:
    return (template / "pipelines" / f"{life}.py").read_bytes()


def _seeds(lives: Sequence[str], seed: int) -> bytes:
    """Settings that override the pipelines' own seed; none where it is the same."""
    if seed == SEED:
        return b""
    return "".join(f'\n[parameters."pipelines.{life}.fit"]\nseed = {seed}\n' for life in lives).encode()
