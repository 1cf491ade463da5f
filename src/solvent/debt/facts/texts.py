"""Texts of configuration: YAML and TOML as plain values, and the line where something stands."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml

LARGEST = 4_000_000  # characters; a longer configuration is not read

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str | None) -> Any:
    """A document of safe YAML as plain values; None where it is none (several documents, templates, too large)."""
    if text is None or len(text) > LARGEST:
        return None
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, in C where there is one
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError):
        return None


def parse_toml(text: str | None) -> dict[str, Any]:
    """A TOML document; empty where it is none."""
    if text is None or len(text) > LARGEST:
        return {}
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def table(value: Any, *keys: str) -> dict[str, Any]:
    """The table under nested keys; empty where a step is missing or is no table."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def strings(value: Any) -> list[str]:
    """The strings of a list; a lone string is a list of one."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def line_of(text: str, word: str, start: int = 1) -> int:
    """First line, from `start` on, where a word stands by itself; `start` where it stands nowhere."""
    whole = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
    for number, line in enumerate(text.splitlines(), 1):
        if number >= start and whole.search(line):
            return number
    return start
