"""What was read before is read again as soon as it could have changed."""

from __future__ import annotations

import os
import time

import pytest

from solvent.pipeline.fingerprint.cache import ModuleCache
from solvent.pipeline.fingerprint.stamps import SETTLED_NS, Stamp


def test_an_edit_that_restores_size_and_time_is_seen(tmp_path):
    path = tmp_path / "m.py"
    path.write_text("X = 1\n")
    old = path.stat()
    os.utime(path, ns=(1, 1))
    before = Stamp.of(path.stat())
    time.sleep(0.02)
    path.write_text("X = 2\n")
    os.utime(path, ns=(1, 1))
    assert old.st_size == path.stat().st_size
    assert Stamp.of(path.stat()) != before


def test_a_file_that_changed_just_now_is_not_trusted():
    stamp = Stamp(size=1, mtime_ns=5, ctime_ns=10, inode=3)
    assert not stamp.settled(10 + SETTLED_NS)
    assert stamp.settled(11 + SETTLED_NS)


@pytest.fixture
def names(tmp_path):
    return {str(tmp_path / "m.py"): ("m", "")}


def test_symbols_are_kept_between_processes_and_read_anew_after_an_edit(tmp_path, names):
    path = tmp_path / "m.py"
    path.write_text("X = 1\n")
    first = ModuleCache(names, tmp_path / "modules.msgpack")
    before = first.read(str(path))
    first.save()
    second = ModuleCache(names, tmp_path / "modules.msgpack")
    assert second.read(str(path)) == before
    path.write_text("X = 2\n")
    third = ModuleCache(names, tmp_path / "modules.msgpack")
    assert third.read(str(path)).digest != before.digest


def test_a_broken_cache_is_as_good_as_none(tmp_path, names):
    (tmp_path / "m.py").write_text("X = 1\n")
    (tmp_path / "modules.msgpack").write_bytes(b"\x00garbage")
    assert ModuleCache(names, tmp_path / "modules.msgpack").read(str(tmp_path / "m.py")).bindings == {"X": ("#0",)}
