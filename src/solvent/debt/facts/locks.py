"""What lock files fix: distributions and their versions. Pure; a lock that cannot be read fixes nothing."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from solvent.debt.facts.texts import parse_toml, parse_yaml

Locked = dict[str, str]  # canonical name → version

_TOML = frozenset({"uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"})


def is_lock(path: str) -> bool:
    """Whether a path's name is a lock's."""
    name = PurePosixPath(path).name
    pylock = name.startswith("pylock.") and name.endswith(".toml")
    conda = name.endswith("conda-lock.yml") or name == "conda-lock.yaml" or name == "pixi.lock"
    return (
        name in _TOML
        or name == "Pipfile.lock"
        or pylock
        or conda
        or name in {"requirements.lock", "conda-linux-64.lock"}
    )


def parse_lock(path: str, text: str) -> Locked:
    """Versions by distribution.

    >>> parse_lock("Pipfile.lock", '{"default": {"NumPy": {"version": "==1.26.4"}}}')
    {'numpy': '1.26.4'}
    """
    name = PurePosixPath(path).name
    if name == "Pipfile.lock":
        return _pipfile(text)
    if name.endswith((".yml", ".yaml")):
        return _packages(parse_yaml(text), "package")
    if name.endswith(".lock") and name not in _TOML:
        return {}  # an explicit list of URLs, or requirements: that it is there is enough
    document = parse_toml(text)
    return _packages(document, "packages") | _packages(document, "package")


def _packages(document: Any, key: str) -> Locked:
    entries = document.get(key) if isinstance(document, dict) else None
    found = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("version"), str):
            found[str(canonicalize_name(entry["name"]))] = entry["version"]
    return found


def _pipfile(text: str) -> Locked:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    found = {}
    for group in ("develop", "default"):
        entries = document.get(group) if isinstance(document, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else []:
            version = entry.get("version") if isinstance(entry, dict) else None
            if isinstance(version, str):
                found[str(canonicalize_name(name))] = version.lstrip("=")
    return found
