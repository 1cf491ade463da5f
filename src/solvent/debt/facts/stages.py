"""Pipelines that a repository declares: dvc.yaml with its lock and params, MLproject. Pure."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import Any

import msgspec

from solvent.debt.facts.texts import line_of, parse_yaml, strings, table


class Stage(msgspec.Struct, frozen=True):
    """A stage of dvc.yaml. Paths are relative to the repository. cmd: its commands; templated: something in it is
    interpolated or expanded, so it cannot be compared; params: files of parameters that it names.
    """

    path: str
    name: str
    line: int
    cmd: list[str]
    deps: list[str]
    outs: list[str]
    params: list[str]
    folder: str
    templated: bool


class Lock(msgspec.Struct, frozen=True):
    """A stage of dvc.lock. deps: path → MD5; empty where DVC keeps another hash."""

    cmd: list[str]
    deps: dict[str, str]


def joined(folder: str, path: str) -> str:
    """A path below a folder, without `.` and `..`; absolute paths and URLs stay as they are.

    >>> joined("a/b", "../c.csv"), joined("", "./d"), joined("a", "/data/x")
    ('a/c.csv', 'd', '/data/x')
    """
    if path.startswith(("/", "~")) or "://" in path or re.match(r"^[A-Za-z]:[\\/]", path):
        return path
    parts: list[str] = []
    for part in (*PurePosixPath(folder).parts, *PurePosixPath(path.replace("\\", "/")).parts):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def parse_stages(path: str, text: str) -> list[Stage]:
    """Stages of a dvc.yaml in order; those of `foreach` and `matrix` are templated."""
    document = parse_yaml(text)
    found = []
    for name, entry in table(document, "stages").items():
        if not isinstance(entry, dict):
            continue
        body = entry.get("do") if isinstance(entry.get("do"), dict) else entry
        line = line_of(text, str(name))
        found.append(
            _stage(
                path, str(name), line, body if isinstance(body, dict) else {}, body is not entry or "matrix" in entry
            )
        )
    return found


def _stage(path: str, name: str, line: int, body: dict[str, Any], expanded: bool) -> Stage:
    folder = joined(str(PurePosixPath(path).parent), str(body.get("wdir") or "."))
    outs = [each for key in ("outs", "metrics", "plots") for each in _paths(body.get(key))]
    deps = _paths(body.get("deps"))
    cmd = strings(body.get("cmd"))
    templated = expanded or any("${" in each for each in [*outs, *deps, *cmd])
    params = ["params.yaml"] if "params" in body else []
    for each in body["params"] if isinstance(body.get("params"), list) else []:
        params += [str(key) for key in each] if isinstance(each, dict) else []
    return Stage(
        path,
        name,
        line,
        cmd,
        [joined(folder, each) for each in deps],
        [joined(folder, each) for each in outs],
        [joined(folder, each) for each in params],
        folder,
        templated,
    )


def _paths(value: Any) -> list[str]:
    """Of a list whose entries are paths, or tables of one path with its settings."""
    found = []
    for each in value if isinstance(value, list) else []:
        found += [each] if isinstance(each, str) else [str(key) for key in each] if isinstance(each, dict) else []
    return found


def parse_dvc_lock(text: str) -> dict[str, Lock]:
    """Stages of a dvc.lock by name; empty where it is of another format."""
    document = parse_yaml(text)
    stages = table(document, "stages") if isinstance(document, dict) and "schema" in document else table(document)
    found = {}
    for name, entry in stages.items():
        if not isinstance(entry, dict) or "cmd" not in entry:
            continue
        entries = entry.get("deps")
        deps = {
            each["path"]: str(each.get("md5") or "")
            for each in (entries if isinstance(entries, list) else [])
            if isinstance(each, dict) and isinstance(each.get("path"), str)
        }
        found[str(name)] = Lock(strings(entry["cmd"]), deps)
    return found


class Script(msgspec.Struct, frozen=True):
    """A Python script that a command runs. path: relative to the repository; arguments: literal, from 1."""

    path: str
    arguments: list[str]


def scripts(stage: Stage) -> list[Script]:
    """Scripts of the stage's commands; a command that is more than `python FILE ARGUMENTS` yields none."""
    found = []
    for command in stage.cmd:
        if re.search(r"[|;&<>`$]", command):
            continue
        try:
            words = shlex.split(command)
        except ValueError:
            continue
        while words and words[0] in {"uv", "poetry", "pipenv", "run"}:
            words = words[1:]
        if len(words) >= 2 and re.fullmatch(r"python[\d.]*", words[0]):
            flags = 1 + len([word for word in words[1:3] if word in {"-u", "-O", "-B"}])
            if flags < len(words) and words[flags].endswith(".py"):
                found.append(Script(joined(stage.folder, words[flags]), words[flags + 1 :]))
    return found


def parse_mlproject(text: str) -> list[str]:
    """Commands of an MLproject's entry points."""
    points = table(parse_yaml(text), "entry_points")
    return [command for point in points.values() for command in strings(table(point).get("command"))]
