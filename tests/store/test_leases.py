import subprocess
import sys
import threading
import time

import pytest

from solvent.store import Busy, leases
from store_samples import ANN

HOLDER = """
import sys, time
from pathlib import Path
from solvent.lineage.entities import Actor
from solvent.store import open_store
store = open_store(sys.argv[1], root=Path(sys.argv[2]), actor=Actor(kind="person", name="bob"))
with store.lease("tick bikes"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lease_is_one_holders_and_free_afterwards(store, open_again):
    other = open_again()
    with store.lease("tick bikes"):
        with pytest.raises(Busy, match="is doing"), other.lease("tick bikes"):
            pass
        with other.lease("tick flights"):
            pass
    with other.lease("tick bikes"):
        pass


def test_projects_do_not_wait_for_each_other(store, open_again):
    with store.lease("tick bikes"), open_again(project="other").lease("tick bikes"):
        pass


def test_an_error_inside_frees_the_lease(store):
    with pytest.raises(RuntimeError), store.lease("x"):
        raise RuntimeError
    with store.lease("x"):
        pass


def test_kill_frees_a_lease_at_once(store, store_url, tmp_path):
    command = [sys.executable, "-c", HOLDER, store_url, str(tmp_path / ".solvent")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy) as refused, store.lease("tick bikes"):
            pass
        holder.kill()
        holder.wait()
    if store_url.startswith("sqlite"):
        assert str(holder.pid) in refused.value.what
    with store.lease("tick bikes", wait=5):
        pass


def test_waiting_gets_the_lease_when_it_is_freed(store, open_again):
    other, got = open_again(), []

    def wait():
        with other.lease("x", wait=10):
            got.append(time.monotonic())

    with store.lease("x"):
        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.1)
        freed = time.monotonic()
    waiter.join()
    assert got[0] >= freed


def test_a_file_that_its_last_holder_has_just_removed_is_no_lease(tmp_path, monkeypatch):
    lock = leases._locked

    def remove_and_lock(file):
        monkeypatch.undo()
        for path in tmp_path.glob("*.lock"):
            path.unlink()
        return lock(file)

    monkeypatch.setattr(leases, "_locked", remove_and_lock)
    with leases.file_lease(tmp_path, "x"), pytest.raises(Busy), leases.file_lease(tmp_path, "x"):
        pass


def test_a_lease_is_never_held_twice_and_leaves_no_file(open_again, tmp_path):
    inside, most = [], []

    def work():
        store = open_again(actor=ANN)
        for _ in range(20):
            with store.lease("x", wait=30):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (len(most), max(most)) == (80, 1)
    assert not list((tmp_path / ".solvent" / "locks").glob("*"))
