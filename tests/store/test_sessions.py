"""Sessions and the lock between users of blobs and collection, among real processes."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from solvent.store.sessions import LOCK, alone, oldest_session, session, together

HOLDER = """
import sys, time
from pathlib import Path
from solvent.store.sessions import session
with session(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(60)
"""
USER = """
import sys
from solvent.store.sessions import together
print("asks", flush=True)
with together(sys.argv[1]):
    print("held", flush=True)
"""


def test_the_oldest_living_session_counts(tmp_path):
    assert oldest_session(tmp_path) is None
    before = time.time()
    with session(tmp_path):
        first = oldest_session(tmp_path)
        assert before - 1 < first < time.time() + 1
        with session(tmp_path):
            assert oldest_session(tmp_path) == first
    assert oldest_session(tmp_path) is None


def test_a_session_ends_with_its_process_kill_9_included(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"ready\n"
        assert oldest_session(tmp_path) is not None
        holder.kill()
    assert oldest_session(tmp_path) is None


def test_users_share_the_lock_and_collection_has_it_alone(tmp_path):
    with together(tmp_path / LOCK), together(tmp_path / LOCK):
        pass
    with alone(tmp_path / LOCK):
        user = subprocess.Popen([sys.executable, "-c", USER, str(tmp_path / LOCK)], stdout=subprocess.PIPE)
        assert user.stdout.readline() == b"asks\n"
        with pytest.raises(subprocess.TimeoutExpired):
            user.wait(0.5)
    assert user.communicate(timeout=30)[0] == b"held\n"


@pytest.mark.parametrize("hold", [together, alone])
def test_where_there_is_no_folder_there_is_nothing_to_keep_apart(hold, tmp_path):
    with hold(tmp_path / "absent" / LOCK):
        pass
    assert not (tmp_path / "absent").exists()
