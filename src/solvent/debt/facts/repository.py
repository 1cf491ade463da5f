"""A folder or a git checkout as a value: its files, their texts, the summaries of its Python files."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath

import msgspec

from solvent.debt.facts import dependencies, images, locks, pickles
from solvent.debt.facts.dependencies import Declaration
from solvent.debt.facts.summary import Summary


class Entry(msgspec.Struct, frozen=True):
    """A file: path relative, POSIX; size in bytes; tracked: by git (all are, outside git)."""

    path: str
    size: int
    tracked: bool


class Repository:
    """What rules over the repository are given.

    files: by path; summaries: of every Python file and notebook that could be read, by path; bytes_of: reads a
    file's content, at most the size that it is asked for; it never follows a link out of the repository.
    """

    def __init__(
        self,
        files: Mapping[str, Entry],
        summaries: Mapping[str, Summary],
        bytes_of: Callable[[str], bytes],
        *,
        git: bool,
    ) -> None:
        self.files, self.summaries, self.bytes_of, self.git = files, summaries, bytes_of, git
        self._globals: dict[str, frozenset[str]] = {}

    def pickled_globals(self, path: str) -> frozenset[str]:
        """What the pickles in a file import; read once."""
        if path not in self._globals:
            self._globals[path] = frozenset(pickles.pickled_globals(self.bytes_of(path)))
        return self._globals[path]

    def text(self, path: str) -> str | None:
        """A file as UTF-8 text; None where there is none or it is no text."""
        if path not in self.files:
            return None
        try:
            return self.bytes_of(path).decode("utf-8-sig")
        except (UnicodeDecodeError, OSError):
            return None

    @cached_property
    def declarations(self) -> list[Declaration]:
        """Of all dependency files, in order of paths; those of vendored code are left out."""
        found = []
        for path in sorted(self.files):
            if dependencies.kind_of(path) and not is_vendored(path):
                text = self.text(path)
                one = dependencies.parse_declaration(path, text) if text is not None else None
                if one is not None:
                    found.append(one)
        return found

    @cached_property
    def locked(self) -> dict[str, locks.Locked]:
        """What each lock file fixes, by its path."""
        paths = [path for path in self.files if locks.is_lock(path) and not is_vendored(path)]
        return {path: locks.parse_lock(path, self.text(path) or "") for path in paths}

    @cached_property
    def bases(self) -> dict[str, list[images.Image]]:
        """Base images of each Dockerfile, by its path."""
        paths = sorted(path for path in self.files if images.is_dockerfile(path) and not is_vendored(path))
        return {path: images.parse_images(self.text(path) or "") for path in paths}

    @cached_property
    def own_names(self) -> frozenset[str]:
        """First names under which the repository's own modules may be imported."""
        found = set()
        for path in self.files:
            pure = PurePosixPath(path)
            if pure.suffix in {".py", ".ipynb", ".pyx", ".pyi", ".so"}:
                found.add(pure.name.partition(".")[0])
                found.update(pure.parent.parts)
        return frozenset(found)

    @cached_property
    def folder_names(self) -> frozenset[str]:
        """Names of all folders, at any depth."""
        return frozenset(part for path in self.files for part in path.split("/")[:-1])

    @cached_property
    def modules(self) -> dict[str, list[str]]:
        """Paths of the repository's modules by each dotted name that may reach them (`a.b.c`, `b.c`, `c`)."""
        found: dict[str, list[str]] = {}
        for path, summary in self.summaries.items():
            parts = PurePosixPath(path).with_suffix("").parts
            if summary.notebook or not parts:
                continue
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            for start in range(len(parts)):
                found.setdefault(".".join(parts[start:]), []).append(path)
        return found

    def foreign(self, name: str) -> bool:
        """Whether an imported name comes from another distribution: neither Python's nor the repository's own."""
        first = name.partition(".")[0]
        return (
            bool(first)
            and first not in sys.stdlib_module_names
            and first not in self.own_names
            and first != "__future__"
        )

    def python_files(self) -> Iterator[Summary]:
        """Summaries of what is not vendored, in order of paths."""
        for path in sorted(self.summaries):
            if not is_vendored(path):
                yield self.summaries[path]


_VENDORED = re.compile(
    r"(^|/)(_?vendor(ed)?|_?third[-_]?party|3rd[-_]?party|extern(al|als)?|node_modules|site-packages|dist-packages|"
    r"\.?venv|\.?env|build|dist|\.ipynb_checkpoints|\.tox|\.eggs|bower_components|mlruns|mlartifacts|wandb|lightning_logs|"
    r"datasets?/(train|test|val(id(ation)?)?))/|_pb2(_grpc)?\.py$",
    re.IGNORECASE,
)
_TEST = re.compile(
    r"(^|/)(tests?|testing|test[-_]?(data|files|cases)|unit_?tests?|integration_?tests?|spec)/|(^|/)(test_[^/]*|[^/]*_tests?|conftest|tests?)\.(py|ipynb)$",
    re.I,
)
_ASIDE = re.compile(
    r"(^|/)(docs?|examples?|benchmarks?|tutorials?|samples?|demos?|templates?|fixtures?)/", re.IGNORECASE
)


def is_vendored(path: str) -> bool:
    """Whether a path holds somebody else's or generated code, or checkpoints of notebooks."""
    return bool(_VENDORED.search(path))


_EXERCISE = re.compile(r"solution|exercise|homework|assignment|starter", re.IGNORECASE)


def is_exercise(path: str) -> bool:
    """Whether a path is material to learn with: parts are left out or repeated on purpose."""
    return bool(_EXERCISE.search(path))


def is_test(path: str) -> bool:
    return bool(_TEST.search(path))


def is_aside(path: str) -> bool:
    """Whether a path stands beside the work: documentation, examples, benchmarks, templates."""
    return bool(_ASIDE.search(path))
