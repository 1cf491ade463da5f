"""Modules as read, kept between processes: a file with the same stat and settled clocks is not read again."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from solvent.lineage.digests import Digest, digest_of
from solvent.pipeline.fingerprint.keeping import keep
from solvent.pipeline.fingerprint.modules import read_module
from solvent.pipeline.fingerprint.stamps import Stamp
from solvent.pipeline.fingerprint.symbols import Module, Symbol


class _Kept(msgspec.Struct, array_like=True):
    stamp: Stamp
    seen_ns: int
    name: str
    digest: Digest
    module: msgspec.Raw


class _File(msgspec.Struct, array_like=True):
    version: str
    modules: dict[str, _Kept]


_VERSION = f"1 {sys.version}"


class ModuleCache:
    """Each file is read once. names: dotted name and package by path. place: where it is kept, None for nowhere."""

    def __init__(self, names: Mapping[str, tuple[str, str]], place: Path | None = None) -> None:
        self.names = names
        self.place = place
        self.read_files: dict[str, Module] = {}
        self._kept = self._load()
        self._changed = False

    def read(self, path: str) -> Module:
        """A file's symbols. Raises: SyntaxError, OSError."""
        module = self.read_files.get(path)
        if module is None:
            module = self.read_files[path] = self._read(path)
        return module

    def _read(self, path: str) -> Module:
        name, package = self.names.get(path, ("", ""))
        stamp, seen = Stamp.of(Path(path).stat()), time.time_ns()
        kept = self._kept.get(path)
        if kept and kept.stamp == stamp and kept.name == f"{name} {package}" and stamp.settled(kept.seen_ns):
            return msgspec.msgpack.decode(kept.module, type=Module)
        data = Path(path).read_bytes()
        module = _module(data, name, package, path)
        raw = msgspec.Raw(msgspec.msgpack.encode(module))
        self._kept[path] = _Kept(stamp, seen, f"{name} {package}", digest_of(data), raw)
        self._changed = True
        return module

    def bytes_digest(self, path: str) -> Digest:
        """Digest of the bytes of a file that was read."""
        return self._kept[path].digest

    def save(self) -> None:
        """Keep what was learnt."""
        if self.place is None or not self._changed:
            return
        kept = {path: k for path, k in self._kept.items() if path in self.read_files}
        keep(self.place, msgspec.msgpack.encode(_File(_VERSION, kept)))
        self._changed = False

    def _load(self) -> dict[str, _Kept]:
        if self.place is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError, msgspec.ValidationError):
                file = msgspec.msgpack.decode(self.place.read_bytes(), type=_File)
                if file.version == _VERSION:
                    return file.modules
        return {}


def _module(data: bytes, name: str, package: str, path: str) -> Module:
    """A file's symbols; one that is no Python of this version is a single piece that counts as it stands."""
    try:
        return read_module(data, name, package, path)
    except (SyntaxError, UnicodeDecodeError, ValueError):
        digest = digest_of(data)
        whole = Symbol(
            "effect", (), 1, "", digest, {}, (), (), (), ((1, "no Python that can be read"),), (), True, False
        )
        return Module(name, package, (whole,), {}, (), (), None, digest)
