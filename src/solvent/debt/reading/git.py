"""Git, asked without running anything of the repository: no hooks, no monitors, no network, no locks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from solvent.foundation.errors import UsageError

_SAFE = (
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "log.showSignature=false",
    "-c", "core.quotePath=false",
)  # fmt: skip
_FILE = {"100644", "100755"}
YEARS = 4  # of history that count: after eight half-lives a commit weighs nothing


def shown(path: str) -> str:
    """A path as reports can write it: of a name that is no UTF-8, a question mark for each odd byte."""
    return os.fsencode(path).decode("utf-8", "replace")


class UnknownRevision(UsageError):
    code = "unknown-revision"


class Blob(msgspec.Struct, frozen=True):
    """A file of a tree: its name there and its object id."""

    path: str
    oid: str


class Commit(msgspec.Struct, frozen=True):
    """at: the committer's time in Unix seconds; subject: first line of its message."""

    oid: str
    at: int
    subject: str


class Change(msgspec.Struct, frozen=True):
    """A commit and the files that it touched."""

    at: int
    subject: str
    paths: list[str]


class Git:
    """A checkout, seen from one of its folders; paths are relative to that folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, folder: Path) -> Git | None:
        """None where the folder is in no checkout, or where git is missing or refuses to read it."""
        found = cls(folder)
        try:
            inside = found._run("rev-parse", "--is-inside-work-tree", check=False)
        except FileNotFoundError:
            return None
        return found if inside.strip() == b"true" else None

    def tracked(self) -> list[str]:
        """Files in the index that are files: no links, no submodules."""
        rows = self._run("ls-files", "-z", "--stage").split(b"\0")
        found = []
        for row in filter(None, rows):
            about, _, name = row.partition(b"\t")
            if about.split(b" ", 1)[0].decode() in _FILE:
                found.append(os.fsdecode(name))
        return sorted(set(found))

    def untracked(self) -> list[str]:
        """Files that git neither tracks nor ignores."""
        rows = self._run("ls-files", "-z", "--others", "--exclude-standard").split(b"\0")
        return sorted(os.fsdecode(row) for row in rows if row and not row.endswith(b"/"))

    def shallow(self) -> bool:
        return self._run("rev-parse", "--is-shallow-repository", check=False).strip() != b"false"

    def resolve(self, revision: str) -> str:
        """Object id of a commit. Raises: UnknownRevision."""
        found = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False)
        if not found.strip():
            raise UnknownRevision(f"no commit `{revision}`", where=str(self.folder), next="`git log` lists them")
        return found.strip().decode()

    def tree(self, commit: str) -> list[Blob]:
        """Files of a commit below this folder."""
        rows = self._run("ls-tree", "-r", "-z", commit).split(b"\0")
        found = []
        for row in filter(None, rows):
            about, _, name = row.partition(b"\t")
            mode, _, oid = about.decode().split(" ", 2)
            if mode in _FILE:
                found.append(Blob(shown(os.fsdecode(name)), oid))
        return found

    def commits(self, most: int) -> list[Commit]:
        """The newest commits of this folder's first-parent history, oldest first."""
        text = self._run("log", "--first-parent", f"-{most}", "-z", "--format=%H %ct %s", "--", ".", check=False)
        rows = [row.decode("utf-8", "replace").split(" ", 2) for row in text.split(b"\0") if row]
        return [Commit(row[0], int(row[1]), row[2] if len(row) > 2 else "") for row in reversed(rows)]

    def commit_before(self, at: float) -> Commit | None:
        """The last commit of the first-parent history that is not younger than a time; None where none is so old."""
        command = ("log", "--first-parent", "-1", f"--before={int(at)}", "-z", "--format=%H %ct %s", "HEAD")
        row = self._run(*command, check=False).rstrip(b"\0").decode("utf-8", "replace").split(" ", 2)
        return Commit(row[0], int(row[1]), row[2] if len(row) > 2 else "") if len(row) > 1 else None

    def tracks(self, name: str) -> bool:
        """Whether a file or folder, or something in it, is in the index."""
        return bool(self._run("ls-files", "-z", "--", name, check=False))

    def head(self) -> str | None:
        """Object id of the commit that is checked out; None before the first."""
        found = self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False).strip().decode()
        return found or None

    def author_of(self, path: str, number: int, text: str) -> str:
        """Who wrote a line as it was committed last, the one of this text nearest to its number; empty where it is
        not committed. The file on disk is not read: a filter that the repository names would run.
        """
        lines = self._run("cat-file", "blob", f"HEAD:./{path}", check=False).decode("utf-8", "replace").splitlines()
        alike = [at for at, line in enumerate(lines, 1) if line.strip() == text.strip()]
        if not alike:
            return ""
        at = min(alike, key=lambda one: abs(one - number))
        told = self._run("blame", "--porcelain", "--no-textconv", f"-L{at},{at}", "HEAD", "--", path, check=False)
        author = next((line for line in told.splitlines() if line.startswith(b"author ")), b"")
        return author.removeprefix(b"author ").decode("utf-8", "replace").strip()

    def changes(self) -> list[Change]:
        """The commits of the last YEARS with the files of this folder that they touched, newest first."""
        command = ("log", f"--since={YEARS} years ago", "-z", "--no-renames", "--name-only", "--relative")
        text = self._run(*command, "--format=%x01%ct %s%x02", "HEAD", check=False)
        found = []
        for part in text.split(b"\1")[1:]:
            head, _, names = part.partition(b"\2")
            stamp, _, subject = head.decode("utf-8", "replace").partition(" ")
            paths = [shown(os.fsdecode(name.strip(b"\n"))) for name in names.split(b"\0")]
            found.append(Change(int(stamp), subject, [path for path in paths if path]))
        return found

    def begun(self) -> float | None:
        """Time of the oldest root commit; None without one."""
        text = self._run("log", "--max-parents=0", "--format=%ct", "HEAD", check=False).split()
        return float(min(text, key=int)) if text else None

    def _run(self, *arguments: str, check: bool = True) -> bytes:
        done = subprocess.run(
            ["git", "--no-pager", *_SAFE, *arguments],
            cwd=self.folder,
            env=_environment(),
            capture_output=True,
            check=False,
        )
        if check and done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise UsageError(f"git: {said[-1] if said else 'failed'}", where=str(self.folder))
        return b"" if done.returncode else done.stdout


class Blobs:
    """Contents by object id, through one `git cat-file --batch`; missing ones (a partial clone) are None."""

    def __init__(self, git: Git) -> None:
        command = ["git", *_SAFE, "cat-file", "--batch"]
        self._process = subprocess.Popen(
            command,
            cwd=git.folder,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def read(self, oid: str) -> bytes | None:
        source, sink = self._process.stdout, self._process.stdin
        if source is None or sink is None:
            return None
        sink.write(oid.encode() + b"\n")
        sink.flush()
        about = source.readline().split()
        if len(about) < 3:
            return None
        content = source.read(int(about[2]))
        source.read(1)
        return content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
