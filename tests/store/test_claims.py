"""Claims on recipes, on both databases."""

from __future__ import annotations

import subprocess
import sys

HOLDER = """
import sys, time
from pathlib import Path
from solvent.lineage.entities import Actor
from solvent.store import open_store
store = open_store(sys.argv[1], root=Path(sys.argv[2]), actor=Actor(kind="person", name="bob"))
with store.claims() as claims:
    assert all(claims.take(f"recipe {n}") for n in range(100))
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_claim_is_one_holders_until_it_is_released(store, open_again):
    with store.claims() as ours, open_again().claims() as theirs:
        assert ours.take("a")
        assert not ours.take("a")
        assert not theirs.take("a")
        assert theirs.take("b")
        theirs.release(["a", "never taken"])
        assert not theirs.take("a")
        ours.release(["a"])
        assert theirs.take("a")
        assert not ours.take("a")


def test_leaving_frees_all(store, open_again):
    with store.claims() as ours:
        assert all(ours.take(f"recipe {n}") for n in range(500))
    with open_again().claims() as theirs:
        assert all(theirs.take(f"recipe {n}") for n in range(500))


def test_one_holder_that_leaves_keeps_the_claims_of_another_in_the_same_process(store, open_again, store_url, tmp_path):
    with store.claims() as ours:
        assert ours.take("a")
        with open_again().claims() as others:
            assert others.take("b")
        assert not _elsewhere(store_url, tmp_path, "a")
        assert _elsewhere(store_url, tmp_path, "b")


def test_projects_do_not_wait_for_each_other(store, open_again):
    with store.claims() as ours, open_again(project="other").claims() as theirs:
        assert ours.take("a")
        assert theirs.take("a")


def test_kill_frees_all_claims_at_once(store, store_url, tmp_path):
    command = [sys.executable, "-c", HOLDER, store_url, str(tmp_path / ".solvent")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder, store.claims() as ours:
        assert holder.stdout.readline() == "held\n"
        assert not any(ours.take(f"recipe {n}") for n in range(100))
        assert ours.take("another")
        holder.kill()
        holder.wait()
        while not ours.take("recipe 0"):  # PostgreSQL notices in its own time
            pass
        assert all(ours.take(f"recipe {n}") for n in range(1, 100))


def _elsewhere(url, tmp_path, name):
    """Whether another process gets the claim."""
    code = HOLDER.partition("with store.claims()")[0] + f"print(store.claims().take({name!r}))"
    command = [sys.executable, "-c", code, url, str(tmp_path / ".solvent")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"
