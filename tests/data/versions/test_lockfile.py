import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.data.versions.lockfile import (
    BadLock,
    Entry,
    UnknownRevision,
    changing_lock,
    lock_of_revision,
    parse_lock,
    read_lock,
    render_lock,
    write_lock,
)
from solvent.lineage.digests import digest_of
from store.faults import deaths, disk_full, recorded

RIDES = Entry(blob=digest_of(b"rides"), size=5)
IMAGES = Entry(tree=digest_of(b"images"), size=9, files=2, url='https://example.org/a b?x="1"')

digests = st.binary(max_size=4).map(digest_of)
sizes = st.integers(0, 2**60)
text = st.text(st.characters(codec="utf-8"), min_size=1)
entries = st.builds(Entry, blob=digests, size=sizes, url=st.none() | text) | st.builds(
    Entry, tree=digests, size=sizes, files=sizes, url=st.none() | text
)


@given(st.dictionaries(text, entries, max_size=4))
def test_a_lock_reads_as_it_was_written_one_line_each(lock):
    rendered = render_lock(lock)
    assert parse_lock(rendered, "here") == lock
    assert rendered.count("\n") == 1 + len(lock)


def test_the_format_does_not_change_unnoticed():
    lines = render_lock({"data/rides.csv": RIDES, "data/images": IMAGES}).splitlines()
    assert lines[1:] == [
        f'"data/images" = {{ tree = "{IMAGES.tree}", size = 9, files = 2, url = "https://example.org/a b?x=\\"1\\"" }}',
        f'"data/rides.csv" = {{ blob = "{RIDES.blob}", size = 5 }}',
    ]


def test_without_a_lock_there_is_no_dataset(tmp_path):
    assert read_lock(tmp_path) == {}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a = 1", "`a` is no dataset"),
        (f'a = {{ blob = "{RIDES.blob}" }}', "needs its size"),
        ("a = { size = 1 }", "either a blob or a tree"),
        (f'a = {{ blob = "{RIDES.blob}", tree = "{RIDES.blob}", size = 1 }}', "either a blob or a tree"),
        ('a = { blob = "../../etc", size = 1 }', "no digest"),
        (f'a = {{ blob = "{RIDES.blob}", size = true }}', "`size` of `a` is no number"),
        (f'a = {{ blob = "{RIDES.blob}", size = 1, mode = 7 }}', "says `mode`"),
        ("<<<<<<< HEAD", "conflict marks"),
        ("a = ", "not valid TOML"),
    ],
)
def test_what_cannot_be_read_is_told(line, told):
    with pytest.raises(BadLock, match=told) as refused:
        parse_lock(line, "solvent.lock")
    assert refused.value.where == "solvent.lock"


def test_writers_at_once_lose_no_entry(tmp_path):
    def add(number):
        with changing_lock(tmp_path, tmp_path / ".solvent") as lock:
            lock[f"data/{number}"] = RIDES

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert len(read_lock(tmp_path)) == 24


@pytest.mark.parametrize("runs", [disk_full, deaths])
def test_a_write_that_fails_anywhere_leaves_the_old_lock_or_the_new_one(tmp_path, runs):
    for attempt in runs():
        root = tmp_path / str(attempt.n)
        root.mkdir()
        write_lock(root, {"a": RIDES})
        with attempt:
            write_lock(root, {"a": RIDES, "b": IMAGES})
        assert read_lock(root) in ({"a": RIDES}, {"a": RIDES, "b": IMAGES})
        if not attempt.struck:
            assert len(read_lock(root)) == 2


def test_the_text_is_synced_before_it_has_its_name(tmp_path):
    with recorded() as operations:
        write_lock(tmp_path, {"a": RIDES})
    assert [operation.name for operation in operations] == ["create", "write", "sync", "replace", "sync_folder"]


def git(root, *arguments):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def test_a_revision_has_the_lock_that_was_committed_with_it(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "note").write_text("before the first dataset")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "none")
    write_lock(tmp_path, {"a": RIDES})
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    write_lock(tmp_path, {"a": RIDES, "b": IMAGES})
    assert lock_of_revision(tmp_path, "HEAD") == {"a": RIDES}
    assert lock_of_revision(tmp_path, "HEAD~1") == {}
    for unknown in ("nowhere", "--help", "HEAD~9"):
        with pytest.raises(UnknownRevision):
            lock_of_revision(tmp_path, unknown)
