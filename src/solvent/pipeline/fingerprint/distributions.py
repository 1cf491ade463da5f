"""Which installed distribution a top-level module belongs to, and whether it ships machine code."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from solvent.pipeline.environment import distribution_of, site_folders
from solvent.pipeline.fingerprint.keeping import keep


class Installed(NamedTuple):
    """`name==version`, and whether it has compiled parts, so that the platform counts."""

    label: str
    native: bool


class _Kept(msgspec.Struct):
    folders: list[tuple[str, int]]
    tops: dict[str, list[Installed]]


class Distributions:
    """place: file that keeps the answer until something is installed; None for nowhere."""

    def __init__(self, place: Path | None = None, folders: Iterable[str] | None = None) -> None:
        self.place = place
        self.folders = list(folders if folders is not None else site_folders())
        self._tops: dict[str, list[Installed]] | None = None

    def of(self, top: str) -> list[Installed]:
        """Distributions that have a module `top`; several share a namespace package. Empty for the interpreter's."""
        if top in sys.stdlib_module_names:
            return []
        if self._tops is None:
            self._tops = self._load()
        return self._tops.get(top, [])

    def _load(self) -> dict[str, list[Installed]]:
        stamps = [(f, Path(f).stat().st_mtime_ns) for f in self.folders if Path(f).is_dir()]
        if self.place is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError, msgspec.ValidationError):
                kept = msgspec.json.decode(self.place.read_bytes(), type=_Kept)
                if kept.folders == stamps:
                    return kept.tops
        infos = [
            i for f, _ in stamps for i in sorted(Path(f).iterdir()) if i.name.endswith((".dist-info", ".egg-info"))
        ]
        contents = {distribution_of(info.name): _contents(info) for info in infos}
        native = _with_dependencies({label.partition("==")[0]: c for label, c in contents.items()})
        tops: dict[str, list[Installed]] = {}
        for label, found in contents.items():
            for name in sorted(found.tops):
                tops.setdefault(name, []).append(Installed(label, label.partition("==")[0] in native))
        if self.place is not None:
            keep(self.place, msgspec.json.encode(_Kept(stamps, tops)))
        return tops


class _Contents(NamedTuple):
    tops: set[str]
    native: bool
    needs: set[str]


def _contents(info: Path) -> _Contents:
    """Top-level modules of a distribution, whether it has compiled ones, and which distributions it needs."""
    record, listed = info / "RECORD", info / "top_level.txt"
    needs = _needs(info)
    if record.is_file():
        paths = [line.partition(",")[0] for line in record.read_text("utf-8", "replace").splitlines()]
        tops = {p.partition("/")[0] for p in paths if ".dist-info" not in p and not p.startswith(("..", "__pycache__"))}
        native = any(p.endswith((".so", ".pyd", ".dylib")) for p in paths)
        return _Contents({t.partition(".")[0] for t in tops if t and not t.endswith(".pth")}, native, needs)
    if listed.is_file():
        return _Contents(set(listed.read_text("utf-8").split()), True, needs)  # what is not listed may be compiled
    return _Contents({info.name.partition("-")[0].replace("-", "_")}, True, needs)


def _needs(info: Path) -> set[str]:
    """Names of the distributions that one needs in any case, not for an extra."""
    metadata = info / "METADATA"
    if not metadata.is_file():
        return set()
    head = metadata.read_text("utf-8", "replace").partition("\n\n")[0]
    lines = [line for line in head.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    return {re.split(r"[^A-Za-z0-9._-]", line.split(":", 1)[1].strip())[0].lower().replace("_", "-") for line in lines}


def _with_dependencies(contents: dict[str, _Contents]) -> set[str]:
    """Names of the distributions that have compiled parts, or need one that has."""
    native = {name for name, found in contents.items() if found.native}
    while more := {n for n, found in contents.items() if n not in native and found.needs & native}:
        native |= more
    return native
