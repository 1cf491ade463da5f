"""The group commit: nothing is on record before its bytes, nothing is told before it is on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from solvent.foundation.clock import wall_clock
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import digest_of, digest_value
from solvent.lineage.entities import Actor, Artifact, ArtifactType, NodeKind, RunEnd, RunStart, RunStatus
from solvent.pipeline.journal import Journal
from solvent.pipeline.plan import make_recipe
from solvent.store import disk, open_store
from solvent.store.facts.database import DatabaseFailed
from store.faults import recorded


@pytest.fixture
def store(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/solvent.db"
    with open_store(url, root=tmp_path, actor=Actor(kind="person", name="tester")) as store:
        yield store


def artifact(data: bytes) -> Artifact:
    digest = digest_of(data)
    return Artifact(digest=digest, content=digest, type=ArtifactType.ANY, format="json", size=len(data))


def started(step: str, **makers: tuple[str, bytes]) -> RunStart:
    """makers: parameter → (run that made it, its bytes)."""
    inputs = {name: digest_of(data) for name, (_, data) in makers.items()}
    recipe = make_recipe(digest_value(step), digest_value("environment"), {}, inputs)
    return RunStart(
        key=uuid7(), step=step, started_at=wall_clock(), recipe=recipe, inputs=inputs,
        makers={name: run for name, (run, _) in makers.items()},
    )  # fmt: skip


def ended(start: RunStart, data: bytes) -> RunEnd:
    return RunEnd(key=start.key, status=RunStatus.DONE, ended_at=wall_clock(), outputs={"result": artifact(data)})


def chain(journal: Journal, count: int) -> list[RunStart]:
    """Runs of which each takes what the one before made."""
    starts: list[RunStart] = []
    for n in range(count):
        before = {"above": (starts[-1].key, f"value {n - 1}".encode())} if starts else {}
        starts.append(started(f"s{n}", **before))
        journal.start(starts[-1])
        data = f"value {n}".encode()
        journal.end(ended(starts[-1], data), {digest_of(data): data}, [])
    return starts


def test_what_gathers_is_committed_together_and_told_then(store):
    journal = Journal(store)
    assert journal.wait is None
    starts = chain(journal, 20)
    assert journal.wait is not None
    assert store.facts.count_runs() == 0
    assert journal.values[digest_of(b"value 7")] == b"value 7"
    assert journal.commit() == {start.key: None for start in starts}
    assert (journal.wait, journal.values) == (None, {})
    for n, start in enumerate(starts):
        run = store.facts.run(start.key)
        assert run.status is RunStatus.DONE
        assert store.objects.read(run.end.outputs["result"].digest) == f"value {n}".encode()
    above = store.facts.ancestors(NodeKind.RUN, starts[-1].key)
    assert {start.key for start in starts[:-1]} <= {node.key for node in above.nodes}


def test_all_bytes_are_stored_before_the_first_fact_and_each_is_synced_with_the_others(store, monkeypatch):
    journal, order = Journal(store), []
    record = store.facts.record_runs
    chain(journal, 20)
    with recorded() as operations:
        monkeypatch.setattr(store.facts, "record_runs", lambda *a: (order.append(len(operations)), record(*a)))
        journal.commit()
    names = [operation.name for operation in operations]
    assert order == [len(operations)], "facts come after the last disk operation"
    assert names.count("sync_all") + names.count("sync") <= (2 if disk.SYNCS_ALL else 20)


def test_a_run_that_goes_on_is_on_record_as_running(store):
    journal = Journal(store)
    start = started("slow")
    journal.start(start)
    assert journal.commit() == {}
    assert store.facts.run(start.key).status is RunStatus.RUNNING
    journal.cancel([start.key])
    assert journal.commit() == {start.key: None}
    assert store.facts.run(start.key).status is RunStatus.CANCELLED


def test_where_bytes_cannot_be_stored_their_runs_failed_and_those_that_built_on_them_are_not_on_record(
    store, monkeypatch
):
    journal = Journal(store)
    first = started("first")
    journal.start(first)
    journal.commit()
    journal.end(ended(first, b"lost"), {digest_of(b"lost"): b"lost"}, [])
    second, beside = started("second", above=(first.key, b"lost")), started("beside")
    for start in (second, beside):
        journal.start(start)
    journal.end(ended(second, b"in vain"), {digest_of(b"in vain"): b"in vain"}, [])
    journal.end(RunEnd(key=beside.key, status=RunStatus.DONE, ended_at=wall_clock()), {}, [])

    def full(_path, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "create", full)
    told = journal.commit()
    monkeypatch.undo()
    assert "No space left on device" in told[first.key].what
    assert told[second.key].what == "what it was given cannot be stored"
    assert told[beside.key] is None
    assert store.facts.run(first.key).status is RunStatus.FAILED
    assert store.facts.run(second.key) is None
    assert store.facts.run(beside.key).status is RunStatus.DONE
    third = started("third", above=(second.key, b"in vain"))
    journal.start(third)
    journal.end(ended(third, b"too"), {}, [])
    assert journal.commit()[third.key].what == "what it was given cannot be stored"
    assert store.facts.run(third.key) is None


def test_what_the_database_refuses_is_kept_and_committed_later(store, monkeypatch):
    journal = Journal(store)
    starts = chain(journal, 3)
    journal.keep("code", b"{}")
    with monkeypatch.context() as broken:
        broken.setattr(store.facts, "record_runs", lambda *_: (_ for _ in ()).throw(DatabaseFailed("gone")))
        with pytest.raises(DatabaseFailed):
            journal.commit()
    assert journal.wait is not None
    assert journal.commit() == {start.key: None for start in starts}
    assert store.facts.artifact(digest_of(b"{}")).about == {"name": "code"}
    assert store.objects.read(digest_of(b"{}")) == b"{}"
