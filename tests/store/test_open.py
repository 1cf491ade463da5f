import errno
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from solvent.store import filesystem, open_store
from solvent.store.filesystem import NetworkFileSystem, ReadOnlyFolder, kind_of_file_system
from solvent.store.migrate import StoreTooNew
from solvent.store.open import BadStoreUrl, MissingDriver, NoStore, NotAStore, Unreachable
from store_samples import ANN, add_version


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/.solvent/solvent.db"


def test_a_store_opened_again_holds_what_it_held(open_again):
    with open_again() as store:
        add_version(store.facts)
    assert open_again().facts.models() == ["bikes"]


def test_a_new_folder_keeps_itself_out_of_git(tmp_path):
    open_store(sqlite_url(tmp_path), root=tmp_path / ".solvent", actor=ANN).close()
    assert (tmp_path / ".solvent" / ".gitignore").read_text() == "*\n"


def test_commits_are_synced_and_readers_do_not_wait(tmp_path):
    with open_store(sqlite_url(tmp_path), root=tmp_path / ".solvent", actor=ANN) as store:
        with store.facts.database.read() as connection:
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        with store.facts.database.write(), store.facts.database.read():
            pass
    assert pragmas == ["wal", 2, 1, 60_000]


def test_opening_a_store_of_this_version_imports_no_alembic(tmp_path):
    opened = f"""
import sys
from pathlib import Path
from solvent.lineage.entities import Actor
from solvent.store import open_store
me = Actor(kind="person", name="ann")
open_store({sqlite_url(tmp_path)!r}, root=Path({str(tmp_path)!r}) / ".solvent", actor=me).close()
print(sorted({{"alembic", "polars", "psycopg"}} & set(sys.modules)))
"""
    answers = [subprocess.run([sys.executable, "-c", opened], capture_output=True, text=True, check=True) for _ in "ab"]
    assert [answer.stdout for answer in answers] == ["['alembic']\n", "[]\n"]


def test_a_store_of_a_newer_solvent_is_refused(open_again):
    with open_again().facts.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match=r"newer Solvent \(schema 9999.*upgrade"):
        open_again()


def test_without_leave_to_create_a_missing_store_is_an_error_that_names_the_way(tmp_path):
    with pytest.raises(NoStore, match="no store here yet: `solvent init`"):
        open_store(sqlite_url(tmp_path), root=tmp_path / ".solvent", actor=ANN, create=False)
    assert not (tmp_path / ".solvent").exists()


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / ".solvent").mkdir()
    (tmp_path / ".solvent" / "solvent.db").write_text("these are notes, and not a database at all\n" * 100)
    with pytest.raises(NotAStore, match=r"solvent\.db: file is not a database"):
        open_store(sqlite_url(tmp_path), root=tmp_path / ".solvent", actor=ANN)


def test_a_url_of_no_store_is_named(tmp_path):
    with pytest.raises(BadStoreUrl, match="`mysql://x` is no store"):
        open_store("mysql://x", root=tmp_path, actor=ANN)


def test_an_unreachable_database_is_named_without_its_password(tmp_path):
    with pytest.raises(Unreachable) as raised:
        open_store(f"postgresql://ann:secret@/db?host={tmp_path}", root=tmp_path / ".solvent", actor=ANN)
    assert "ann:***@" in raised.value.where
    assert "secret" not in str(raised.value)


def test_a_missing_driver_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingDriver, match=r"pip install 'solvent\[postgres\]'"):
        open_store("postgresql://ann@/db", root=tmp_path / ".solvent", actor=ANN)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch, number):
    def refuse(**_):
        raise OSError(number, "no")

    monkeypatch.setattr(filesystem.tempfile, "TemporaryFile", refuse)
    with pytest.raises(ReadOnlyFolder, match=f"{tmp_path}.*cannot write here"):
        open_store(sqlite_url(tmp_path), root=tmp_path / ".solvent", actor=ANN)


def test_a_network_file_system_is_refused_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(filesystem, "mounts", lambda: [(Path("/"), "ext4"), (tmp_path, "nfs4")])
    with pytest.raises(NetworkFileSystem, match=r"SQLite loses commits on a network file system \(nfs4\)"):
        open_store(sqlite_url(tmp_path), root=tmp_path / ".solvent", actor=ANN)


def test_the_innermost_and_newest_mount_counts():
    mounted = [(Path("/"), "ext4"), (Path("/mnt"), "nfs"), (Path("/mnt/disk"), "xfs"), (Path("/mnt/disk"), "cifs")]
    assert kind_of_file_system(Path("/home/ann"), mounted) == "ext4"
    assert kind_of_file_system(Path("/mnt/share/x"), mounted) == "nfs"
    assert kind_of_file_system(Path("/mnt/disk/x"), mounted) == "cifs"
    assert kind_of_file_system(Path("/mntother"), mounted) == "ext4"
    assert kind_of_file_system(Path("/home"), filesystem.mounts()) not in filesystem.NETWORK


def open_and_close(url, root):
    open_store(url, root=root, actor=ANN).close()


def test_several_processes_may_be_the_first_to_open_a_store(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    arguments = (sqlite_url(tmp_path), tmp_path / ".solvent")
    openers = [spawn.Process(target=open_and_close, args=arguments) for _ in range(3)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    assert [opener.exitcode for opener in openers] == [0, 0, 0]


def test_a_migration_that_fails_half_way_leaves_nothing(store_url, monkeypatch, postgres, tmp_path):
    url = store_url if store_url.startswith("sqlite") else postgres.url(postgres.create())
    monkeypatch.setattr("alembic.op.execute", lambda *_: 1 / 0)  # the last step of the first migration
    with pytest.raises(ZeroDivisionError):
        open_store(url, root=tmp_path / ".solvent", actor=ANN)
    monkeypatch.undo()
    with open_store(url, root=tmp_path / ".solvent", actor=ANN) as store:
        assert "node" in inspect(store.facts.database.engine).get_table_names()
