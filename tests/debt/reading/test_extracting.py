"""Extraction of many files: in processes and alone alike, from the cache alike, never stopped by one file."""

import os
import time

import msgspec
import pytest

from solvent.debt.facts.document import Unreadable
from solvent.debt.reading import extracting
from solvent.debt.reading.cache import FILE, Cache, cache_folder, fingerprint_of, key_of
from solvent.debt.reading.extracting import _batch, extracts
from solvent.debt.rules.base import all_rules

RULES = [rule for rule in all_rules() if rule.code == "PIP008"]
FILES = {f"m{n}.py": f"import numpy as np\nx = {n} == np.nan\n".encode() for n in range(30)}


def read(path):
    if path == "gone.py":
        raise Unreadable("gone")
    return FILES[path]


def test_processes_find_what_one_process_finds(monkeypatch):
    alone = extracts([*FILES, "gone.py"], read, RULES)
    monkeypatch.setattr(extracting, "ALONE", 0)
    monkeypatch.setattr(extracting, "SLAB", 300)
    assert extracts([*FILES, "gone.py"], read, RULES) == alone
    assert alone["gone.py"].skipped == "gone"
    assert all(len(one.found) == 1 for path, one in alone.items() if path != "gone.py")


def test_the_cache_gives_the_same_and_is_asked_by_path_content_and_rules(tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    first = extracts(list(FILES), read, RULES, cache)
    monkeypatch.setattr(extracting, "extract", lambda *_: pytest.fail("extracted again"))
    assert extracts(list(FILES), read, RULES, cache) == first
    about = fingerprint_of(RULES)
    keys = {key_of("a", b"x", about), key_of("b", b"x", about), key_of("a", b"y", about), key_of("a", b"x", b"other")}
    assert len(keys) == 4
    assert fingerprint_of([*RULES, *RULES]) != about


def test_a_damaged_or_forbidden_cache_is_none(tmp_path):
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    assert len(extracts(list(FILES), read, RULES, Cache(tmp_path))) == len(FILES)
    assert not (tmp_path / FILE).exists()
    (tmp_path / "file").write_text("")
    assert len(extracts(list(FILES), read, RULES, Cache(tmp_path / "file" / "below"))) == len(FILES)


def test_the_cache_forgets_what_was_used_longest_ago(tmp_path, monkeypatch):
    monkeypatch.setattr("solvent.debt.reading.cache.MOST", 2)
    cache = Cache(tmp_path)
    cache.put({b"a": b"1", b"b": b"2"}, [], day=1)
    cache.put({b"c": b"3"}, [b"a"], day=2)
    assert cache.get([b"a", b"b", b"c"]) == {b"a": b"1", b"c": b"3"}


def test_where_the_cache_lies(tmp_path):
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "solvent"


def slow(file):
    end = time.process_time() + 30
    while file.path == "m3.py" and time.process_time() < end:
        pass
    return iter(())


def test_a_file_that_takes_too_long_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(extracting, "CAP", 0.2)
    rule = msgspec.structs.replace(RULES[0], check=slow)
    cache = Cache(tmp_path)
    found = extracts(list(FILES), read, [rule], cache)
    assert [path for path, one in found.items() if one.skipped] == ["m3.py"]
    assert found["m3.py"].skipped == "took over 0 s"
    assert not cache.get([key_of("m3.py", FILES["m3.py"], fingerprint_of([rule]))]), "it may go well another time"


def test_a_file_that_takes_its_process_down_costs_no_other(monkeypatch):
    monkeypatch.setattr(extracting, "ALONE", 0)
    monkeypatch.setattr(extracting, "_batch", deadly_batch)
    found = extracts(list(FILES), read, RULES)
    assert [path for path, one in found.items() if one.skipped] == ["m3.py"]


def deadly_batch(batch, codes):
    """In a process beside this one."""
    if any(path == "m3.py" for path, _ in batch):
        os._exit(1)
    return _batch(batch, codes)
