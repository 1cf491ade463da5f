"""What was extracted before, in one file of the user's cache folder: never needed, never trusted to be whole."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from blake3 import blake3

from solvent.debt.rules.base import RULE_SET, Rule

FILE: Final = "audit.db"
MOST: Final = 200_000  # entries; the ones used longest ago go first
_ASKED: Final = 500  # keys in one question


class Cache:
    """Values by key. A file that cannot be opened or is damaged is as good as none."""

    def __init__(self, folder: Path) -> None:
        self._connection: sqlite3.Connection | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(folder / FILE, timeout=2, isolation_level=None)
            self._connection.execute("PRAGMA synchronous=OFF")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS extracts (key BLOB PRIMARY KEY, value BLOB, used INTEGER) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error):
            self._give_up(folder)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Those that are known."""
        found: dict[bytes, bytes] = {}
        if self._connection is None:
            return found
        try:
            for start in range(0, len(keys), _ASKED):
                some = keys[start : start + _ASKED]
                marks = ",".join("?" * len(some))
                found.update(
                    self._connection.execute(f"SELECT key, value FROM extracts WHERE key IN ({marks})", some)  # noqa: S608
                )
        except sqlite3.Error:
            return {}
        return found

    def put(self, values: Mapping[bytes, bytes], seen: Iterable[bytes], day: int) -> None:
        """Keep values; seen: keys that were of use again. day: a count of days that only grows."""
        if self._connection is None:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            rows = ((key, value, day) for key, value in values.items())
            self._connection.executemany("INSERT OR REPLACE INTO extracts VALUES (?, ?, ?)", rows)
            old = ((day, key, day) for key in seen)
            self._connection.executemany("UPDATE extracts SET used = ? WHERE key = ? AND used < ?", old)
            (count,) = self._connection.execute("SELECT count(*) FROM extracts").fetchone()
            if count > MOST:
                self._connection.execute(
                    "DELETE FROM extracts WHERE key IN (SELECT key FROM extracts ORDER BY used LIMIT ?)",
                    (count - MOST,),
                )
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _give_up(self, folder: Path) -> None:
        """Without a cache everything still works; a damaged one is removed for the next time."""
        self.close()
        if (folder / FILE).exists() and os.access(folder, os.W_OK):
            (folder / FILE).unlink()


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's cache folder by the XDG rules, macOS's own there."""
    if environ.get("XDG_CACHE_HOME"):
        return Path(environ["XDG_CACHE_HOME"], "solvent")
    home = Path.home()
    return (home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache") / "solvent"


def key_of(path: str, content: bytes, about: bytes) -> bytes:
    """Of one file; about: of what extracts it."""
    return blake3(b"\0".join((about, os.fsencode(path), blake3(content).digest()))).digest(length=20)


def fingerprint_of(rules: Sequence[Rule]) -> bytes:
    """Of everything that decides what is extracted: the code of this room, of the rules and the interpreter."""
    texts = [_room(), RULE_SET.encode(), repr(sys.version_info[:2]).encode()]
    for rule in rules:
        spec = find_spec(rule.check.__module__)
        texts += [rule.code.encode(), Path(spec.origin).read_bytes() if spec and spec.origin else b""]
    return blake3(b"\0".join(texts)).digest()


@cache
def _room() -> bytes:
    folder = Path(__file__).parents[1]
    places = sorted(place for room in ("facts", "flow", "rules") for place in folder.glob(f"{room}/**/*.py"))
    places.append(folder / "finding.py")
    return blake3(b"\0".join(place.read_bytes() for place in places)).digest()
