"""A folder or a git checkout as a value: its files, their texts, the summaries of its Python files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

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

    def text(self, path: str) -> str | None:
        """A file as UTF-8 text; None where there is none or it is no text."""
        if path not in self.files:
            return None
        try:
            return self.bytes_of(path).decode("utf-8-sig")
        except UnicodeDecodeError:
            return None
