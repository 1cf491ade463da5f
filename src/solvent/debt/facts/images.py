"""Which interpreters and base images a repository names: Dockerfiles, CI files, runtime files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from solvent.debt.facts.texts import line_of, parse_yaml


class Image(msgspec.Struct, frozen=True):
    """A base image of a Dockerfile: name without tag; tag: empty where there is none; digest: whether one pins it;
    computed: an argument decides name or tag.
    """

    name: str
    tag: str
    digest: bool
    computed: bool
    line: int


class Interpreter(msgspec.Struct, frozen=True):
    """A version of Python that a file asks for, such as `3.7`, and where."""

    version: str
    line: int


def is_dockerfile(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return name in {"dockerfile", "containerfile"} or name.startswith("dockerfile.") or name.endswith(".dockerfile")


def is_ci(path: str) -> bool:
    pure = PurePosixPath(path)
    named = pure.name in {".gitlab-ci.yml", ".travis.yml", "azure-pipelines.yml", "appveyor.yml", ".appveyor.yml"}
    workflow = ".github/workflows" in path and pure.suffix in {".yml", ".yaml"}
    return named or workflow or path.endswith(".circleci/config.yml")


def parse_images(text: str) -> list[Image]:
    """Base images in order, without those that are an earlier stage, `scratch`, or defaults of an argument.

    >>> [(i.name, i.tag) for i in parse_images("FROM python AS base\\nFROM base\\nFROM a.b:5000/c:1@sha256:12")]
    [('python', ''), ('a.b:5000/c', '1')]
    """
    stages: set[str] = set()
    defaults: dict[str, str] = {}
    found: list[Image] = []
    for number, line in enumerate(text.splitlines(), 1):
        argument = re.match(r"\s*ARG\s+(\w+)=[\"']?([^\s\"']+)", line, re.IGNORECASE)
        if argument and not found:
            defaults[argument[1]] = argument[2]
        base = re.match(r"\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", line, re.IGNORECASE)
        if base is None:
            continue
        whole = re.sub(r"\$\{?(\w+)(?::-[^}]*)?\}?", lambda m: defaults.get(m[1], m[0]), base[1])
        if base[2]:
            stages.add(base[2].lower())
        if whole.lower() in stages - {(base[2] or "").lower()} or whole.lower() == "scratch":
            continue
        reference, _, digest = whole.partition("@")
        name, colon, tag = reference.rpartition(":")
        if not colon or "/" in tag:
            name, tag = reference, ""
        found.append(Image(name.lower(), tag, bool(digest), "$" in whole, number))
    return found


def parse_ci(text: str) -> list[Interpreter]:
    """Versions of Python that a CI file names literally (`python-version`, `python`, images `python:X`)."""
    document = parse_yaml(text)
    return [Interpreter(version, line_of(text, version)) for version in _versions(document, "", 0)]


def _versions(value: Any, key: str, depth: int) -> Iterator[str]:
    if depth > 12:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _versions(inner, str(name).lower(), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _versions(inner, key, depth + 1)
    elif key in {"python-version", "python", "python_version", "python-versions", "pythonversion", "python.version"}:
        text = str(value)
        if re.fullmatch(r"\d\.\d+(\.\d+)?(-dev)?", text):
            yield text
    elif key in {"image", "container"} and isinstance(value, str):
        image = re.search(r"(?:^|/)python:(\d\.\d+)", value)
        if image:
            yield image[1]


def parse_runtime(text: str) -> Interpreter | None:
    """`runtime.txt` (`python-3.8.12`) and `.python-version` (`3.8.12`); None where it names no CPython."""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r"^\s*(?:python-)?(\d\.\d+)(\.\d+)?\s*$", line)
        if found:
            return Interpreter(found[1], number)
    return None
