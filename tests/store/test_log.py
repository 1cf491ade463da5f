"""The prediction log: what was logged is read back, sealed or not, once; old segments go."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from solvent.lineage.entities import ArtifactType, Segment
from solvent.store.log import AsyncLog, BadBatch, CorruptFrame, NotLogged, PredictionLog
from solvent.store.log.folder import LogFolder
from solvent.store.objects import FolderObjects
from store.batches import HOUR, MODEL, START, outcomes, predictions
from store.faults import recorded
from store.memory_facts import MemoryFacts

DAY = timedelta(days=1)
NOW = START + 365 * DAY
Opener = Callable[..., PredictionLog]


@pytest.fixture
def facts() -> MemoryFacts:
    return MemoryFacts()


@pytest.fixture
def open_log(tmp_path: Path, facts: MemoryFacts) -> Iterator[Opener]:
    """Open the test's log, as another process would."""
    opened = []

    def opener(**options) -> PredictionLog:
        objects = FolderObjects(tmp_path / "objects", tmp_path / "staging")
        opened.append(PredictionLog(tmp_path / "log", facts, objects, clock=lambda: NOW, **options))
        return opened[-1]

    yield opener
    for log in opened:
        log.close()


@pytest.fixture
def log(open_log: Opener) -> PredictionLog:
    return open_log()


def ids(log: PredictionLog, **bounds) -> list[str]:
    return log.scan_predictions(MODEL, **bounds).collect().get_column("prediction_id").to_list()


def files(log: PredictionLog, kind: str = "predictions") -> list[Path]:
    return LogFolder(log.root, kind, MODEL).files()


def test_an_empty_log_has_the_columns_and_no_rows(log: PredictionLog) -> None:
    assert log.scan_predictions(MODEL).collect().shape == (0, 8)
    assert log.scan_outcomes(MODEL).collect().shape == (0, 6)
    assert log.latest_outcomes(MODEL).collect().height == 0
    assert log.seal(MODEL, "predictions", now=NOW).segments == []
    assert log.expire(MODEL, NOW).segments == 0
    assert not log.root.exists()


def test_rows_are_read_before_and_after_sealing_and_never_twice(log: PredictionLog) -> None:
    assert log.append_predictions(MODEL, predictions(["a", "b"])) == 2
    before = log.scan_predictions(MODEL).collect()
    assert log.seal(MODEL, "predictions", now=NOW).rows == 2
    assert log.scan_predictions(MODEL).collect().equals(before)
    log.append_predictions(MODEL, predictions(["c"]))
    assert ids(log) == ["a", "b", "c"]
    assert log.seal(MODEL, "predictions", now=NOW).rows == 1
    assert log.seal(MODEL, "predictions", now=NOW).segments == []
    assert ids(log) == ["a", "b", "c"]
    assert files(log) == []


def test_a_segment_says_what_it_covers_and_where_it_came_from(log: PredictionLog, facts: MemoryFacts) -> None:
    log.append_predictions(MODEL, predictions(["a", "b", "c"]))
    [path] = files(log)
    size = path.stat().st_size
    [segment] = log.seal(MODEL, "predictions", now=NOW).segments
    assert (segment.kind, segment.model, segment.rows) == ("predictions", MODEL, 3)
    assert (segment.first, segment.last, segment.sealed_at) == (START, START + 2 * HOUR, NOW)
    [piece] = segment.about["pieces"]
    assert (piece["file"], piece["to"]) == (path.stem, size)
    artifact = facts.artifacts[segment.digest]
    assert (artifact.type, artifact.format, artifact.about["rows"]) == (ArtifactType.PREDICTIONS, "parquet", 3)


def test_equal_rows_of_two_files_are_two_segments(log: PredictionLog) -> None:
    for _ in range(2):
        log.append_predictions(MODEL, predictions(["a"]))
        log.seal(MODEL, "predictions", now=NOW)
    assert ids(log) == ["a", "a"]


def test_a_living_writers_rows_are_sealed_and_its_file_stays(open_log: Opener) -> None:
    server, tick = open_log(), open_log()
    server.append_predictions(MODEL, predictions(["a"]))
    assert tick.seal(MODEL, "predictions", now=NOW).rows == 1
    assert len(files(tick)) == 1
    server.append_predictions(MODEL, predictions(["b"]))
    assert ids(tick) == ["a", "b"]
    assert tick.seal(MODEL, "predictions", now=NOW).rows == 1
    server.close()
    report = tick.seal(MODEL, "predictions", now=NOW)
    assert (report.rows, len(report.removed), files(tick)) == (0, 1, [])
    assert ids(tick) == ["a", "b"]


def test_files_of_many_processes_become_one_segment(open_log: Opener) -> None:
    logs = [open_log() for _ in range(5)]
    for number, log in enumerate(logs):
        log.append_predictions(MODEL, predictions([str(number)]))
        log.close()
    report = logs[0].seal(MODEL, "predictions", now=NOW)
    assert ([segment.rows for segment in report.segments], len(report.removed)) == ([5], 5)


def test_rows_that_are_sealed_while_they_are_read_are_neither_missed_nor_doubled(
    log: PredictionLog, facts: MemoryFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seal_meanwhile(before: bool) -> None:
        ask = facts.segments

        def answer(*arguments, **bounds) -> list[Segment]:
            monkeypatch.setattr(facts, "segments", ask)
            if before:
                log.seal(MODEL, "predictions", now=NOW)
            found = ask(*arguments, **bounds)
            if not before:
                log.seal(MODEL, "predictions", now=NOW)
            return found

        monkeypatch.setattr(facts, "segments", answer)

    expected = []
    for number, before in enumerate([True, False]):
        log.append_predictions(MODEL, predictions([str(number)]))
        expected.append(str(number))
        seal_meanwhile(before)
        assert ids(log) == expected
        assert files(log) == []


def test_a_scan_is_cut_by_event_time_and_opens_only_segments_that_overlap(
    log: PredictionLog, facts: MemoryFacts
) -> None:
    for day in range(4):
        log.append_predictions(MODEL, predictions([f"{day}-{n}" for n in range(24)], since=START + day * DAY))
        log.seal(MODEL, "predictions", now=NOW)
    log.append_predictions(MODEL, predictions(["late", "later"], since=START + 2 * DAY - HOUR))
    for segment in facts.segments(MODEL, "predictions"):
        if segment.first == START:
            log._objects.delete(segment.digest)  # would be missed if it were opened
    found = ids(log, since=START + 2 * DAY - HOUR, until=START + 2 * DAY + HOUR)
    assert sorted(found) == ["1-23", "2-0", "late", "later"]


def test_schemas_of_segments_and_frames_unify(log: PredictionLog) -> None:
    batches = [
        predictions(["a"]),
        predictions(["b"], f_temp=[7], f_wind=[None]),
        predictions(["c"], f_wind=["strong"], f_month=[1]),
    ]
    for batch in batches:
        log.append_predictions(MODEL, batch)
        log.seal(MODEL, "predictions", now=NOW)
    log.append_predictions(MODEL, predictions(["d"], f_temp=["hot"], f_month=[1.5]))
    found = log.scan_predictions(MODEL).collect().select("prediction_id", pl.col("^f_.*$"))
    assert found.sort("prediction_id").to_dict(as_series=False) == {
        "prediction_id": ["a", "b", "c", "d"],
        "f_month": [None, None, 1.0, 1.5],
        "f_temp": ["0.0", "7", "0.0", "hot"],
        "f_wind": [None, None, "strong", None],
    }


def test_models_do_not_mix_whatever_their_names(log: PredictionLog) -> None:
    names = ["bike", "Bike", "../bike", "fahrrad für zwei", "."]
    for name in names:
        log.append_predictions(name, predictions([name]))
    assert log.models() == sorted(names)
    for name in names:
        assert log.scan_predictions(name).collect().get_column("prediction_id").to_list() == [name]
    assert {path.parent.parent.parent for path in log.root.rglob("*.open")} == {log.root}


def test_a_refused_batch_leaves_nothing_behind(log: PredictionLog) -> None:
    with pytest.raises(BadBatch):
        log.append_predictions(MODEL, predictions(["a"], version=["one"]))
    assert log.append_predictions(MODEL, predictions([])) == 0
    assert not log.root.exists()


def test_a_writer_takes_a_new_file_when_the_old_one_is_large_or_old(open_log: Opener) -> None:
    large, old = open_log(rotate_bytes=100), open_log(rotate_seconds=0)
    for log in (large, old):
        before = len(files(log))
        for name in "abc":
            log.append_predictions(MODEL, predictions([name]))
        assert len(files(log)) == before + 3
    assert sorted(ids(large)) == ["a", "a", "b", "b", "c", "c"]


def test_a_forked_child_writes_a_file_of_its_own(log: PredictionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append_predictions(MODEL, predictions(["parent"]))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    log.append_predictions(MODEL, predictions(["child"]))
    assert len(files(log)) == 2


def test_threads_that_wait_for_each_other_share_writes(open_log: Opener) -> None:
    log = open_log(durability="full")
    with recorded() as operations, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: log.append_predictions(MODEL, predictions([str(n)])), range(400)))
    assert sorted(ids(log), key=int) == [str(n) for n in range(400)]
    names = [operation.name for operation in operations]
    assert names.count("sync_data") < 400
    assert names.count("write") == names.count("sync_data") + 1  # and the header


@pytest.mark.parametrize("durability", ["process", "full"])
def test_coroutines_that_append_at_once_share_one_write(open_log: Opener, durability: str) -> None:
    log = open_log(durability=durability)
    together = AsyncLog(log)

    async def serve() -> list[int]:
        tasks = [together.append_predictions(MODEL, predictions([str(n)])) for n in range(50)]
        return await asyncio.gather(*tasks, together.append_outcomes(MODEL, outcomes(["1"], [1.0])))

    with recorded() as operations:
        assert asyncio.run(serve()) == [1] * 51
    assert ids(log) == [str(n) for n in range(50)]
    assert [operation.name for operation in operations].count("write") == 4  # two headers, two rounds


def test_a_write_that_fails_is_told_to_every_coroutine_that_waited(open_log: Opener) -> None:
    log = open_log()
    log.root.write_text("a file where the folder should be")
    together = AsyncLog(log)

    async def serve() -> list[int | BaseException]:
        tasks = [together.append_predictions(MODEL, predictions([str(n)])) for n in range(3)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(serve())
    assert [type(answer) for answer in answers] == [NotLogged] * 3
    assert "predictions of `bike-demand` were not logged" in str(answers[0])


def test_duplicates_and_outcomes_of_unknown_predictions_are_kept(log: PredictionLog) -> None:
    log.append_predictions(MODEL, predictions(["a", "a"]))
    log.append_outcomes(MODEL, outcomes(["a", "never predicted"], [1.0, 2.0]))
    for _ in range(2):
        assert ids(log) == ["a", "a"]
        assert log.scan_outcomes(MODEL).collect().height == 2
        log.seal(MODEL, "predictions", now=NOW)
        log.seal(MODEL, "outcomes", now=NOW)


def test_outcomes_without_a_time_of_recording_get_the_clocks(log: PredictionLog) -> None:
    batch = outcomes(["a"], [1.0])
    del batch["recorded_at"]
    log.append_outcomes(MODEL, batch)
    assert log.scan_outcomes(MODEL).collect().get_column("recorded_at").to_list() == [NOW]


def test_corrections_are_revisions_and_each_instant_knows_its_own_latest(log: PredictionLog) -> None:
    log.append_outcomes(MODEL, outcomes(["a"], [3.0], known_at=START + 3 * DAY))
    log.seal(MODEL, "outcomes", now=NOW)
    log.append_outcomes(MODEL, outcomes(["a", "b"], [1.0, 10.0], known_at=START + DAY))
    log.append_outcomes(MODEL, outcomes(["a"], [2.0], known_at=START + 2 * DAY))

    def view(known_by) -> list[tuple]:
        found = log.latest_outcomes(MODEL, known_by).collect().sort("prediction_id")
        return found.select("prediction_id", "label", "revision", "first_label", "first_known_at").rows()

    assert view(START) == []
    assert view(START + DAY) == [("a", 1.0, 0, 1.0, START + DAY), ("b", 10.0, 0, 10.0, START + DAY)]
    assert view(START + 2 * DAY)[0] == ("a", 2.0, 1, 1.0, START + DAY)
    assert view(None)[0] == ("a", 3.0, 2, 1.0, START + DAY)
    every = log.scan_outcomes(MODEL).collect().filter(prediction_id="a")
    assert every.get_column("label").to_list() == [1.0, 2.0, 3.0]
    assert every.get_column("revision").to_list() == [0, 1, 2]


def test_outcomes_of_some_predictions_are_numbered_as_among_all(log: PredictionLog) -> None:
    log.append_outcomes(MODEL, outcomes(["a", "b"], [1.0, 10.0], known_at=START + DAY))
    log.seal(MODEL, "outcomes", now=NOW)
    log.append_outcomes(MODEL, outcomes(["a"], [2.0], known_at=START + 2 * DAY))
    asked = log.scan_outcomes(MODEL, ids=["a", "a", "nobody"]).collect()
    assert asked.equals(log.scan_outcomes(MODEL).filter(prediction_id="a").collect())
    assert log.latest_outcomes(MODEL, ids=["b"]).collect()["label"].to_list() == [10.0]
    assert log.latest_outcomes(MODEL, ids=[]).collect().height == 0


def test_frames_that_a_later_segment_holds_are_not_read_again(log: PredictionLog, monkeypatch) -> None:
    for week in range(3):
        log.append_predictions(MODEL, predictions([f"w{week}"], since=START + 7 * week * DAY))
        log.seal(MODEL, "predictions", now=NOW)
    monkeypatch.setattr("solvent.store.log.tables.from_frames", _refuse)
    found = log.scan_predictions(MODEL, START, START + DAY).collect()
    assert found["prediction_id"].to_list() == ["w0"]


def _refuse(*_arguments: object) -> None:
    raise AssertionError("sealed frames were parsed again")


def test_a_revision_that_was_given_stands(log: PredictionLog) -> None:
    log.append_outcomes(MODEL, outcomes(["a", "a"], [1.0, 2.0], revision=[7, 3]))
    found = log.latest_outcomes(MODEL).collect()
    assert found.select("label", "revision", "first_label").rows() == [(1.0, 7, 2.0)]


def test_retention_drops_whole_segments_that_are_old_and_nothing_else(log: PredictionLog, facts: MemoryFacts) -> None:
    for day in range(4):
        log.append_predictions(MODEL, predictions([f"{day}-{n}" for n in range(24)], since=START + day * DAY))
        log.seal(MODEL, "predictions", now=NOW)
    log.append_outcomes(MODEL, outcomes(["0-0"], [1.0], known_at=START))
    log.seal(MODEL, "outcomes", now=NOW)
    gone = log.expire(MODEL, START + 2 * DAY + HOUR)
    assert (gone.segments, gone.rows) == (3, 49)
    assert gone.bytes > 0
    assert len(facts.dropped) == 3
    assert {name[0] for name in ids(log)} == {"2", "3"}
    assert log.scan_outcomes(MODEL).collect().height == 0
    assert len(list(log._objects.list())) == 2


def test_a_segment_of_a_file_that_is_still_written_waits_so_that_its_rows_do_not_return(open_log: Opener) -> None:
    server, tick = open_log(), open_log()
    server.append_predictions(MODEL, predictions(["old"]))
    tick.seal(MODEL, "predictions", now=NOW)
    assert tick.expire(MODEL, NOW).segments == 0
    server.close()
    tick.seal(MODEL, "predictions", now=NOW)
    assert tick.expire(MODEL, NOW).segments == 1
    assert ids(tick) == []


def spoil(path: Path, needle: bytes) -> None:
    data = path.read_bytes()
    assert data.count(needle) == 1
    path.write_bytes(data.replace(needle, needle.swapcase()))


def test_a_corrupt_frame_is_named_and_sealing_saves_the_rest(log: PredictionLog, facts: MemoryFacts) -> None:
    for name in ("first", "second", "third"):
        log.append_predictions(MODEL, predictions([name]))
    log.close()
    [path] = files(log)
    spoil(path, b"second")
    with pytest.raises(CorruptFrame, match="corrupt at bytes") as refused:
        log.scan_predictions(MODEL)
    assert refused.value.where == str(path)
    report = log.seal(MODEL, "predictions", now=NOW)
    assert [(hole.path, hole.start, hole.end) for hole in report.damage] == [(path, *refused.value.damage[0])]
    assert report.segments[0].about["damage"][0]["file"] == path.stem
    assert ids(log) == ["first", "third"]
    assert (files(log), path.with_suffix(".damaged").exists()) == ([], True)


def test_damage_in_a_living_writers_file_is_not_forgotten_when_the_file_is_done(open_log: Opener) -> None:
    server, tick = open_log(), open_log()
    for name in ("first", "second", "third"):
        server.append_predictions(MODEL, predictions([name]))
    [path] = files(tick)
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(b"second"))
        file.write(b"SECOND")
    assert len(tick.seal(MODEL, "predictions", now=NOW).damage) == 1
    server.append_predictions(MODEL, predictions(["fourth"]))
    server.close()
    tick.seal(MODEL, "predictions", now=NOW)
    assert ids(tick) == ["first", "third", "fourth"]
    assert path.with_suffix(".damaged").exists()


def test_a_torn_tail_is_left_out_and_goes_with_its_file(log: PredictionLog) -> None:
    log.append_predictions(MODEL, predictions(["whole"]))
    log.append_predictions(MODEL, predictions(["torn"]))
    log.close()
    [path] = files(log)
    path.write_bytes(path.read_bytes()[:-1])
    assert ids(log) == ["whole"]
    report = log.seal(MODEL, "predictions", now=NOW)
    assert (report.rows, report.damage, files(log)) == (1, [], [])


def test_a_file_without_a_header_goes_when_it_is_empty_and_is_kept_aside_otherwise(log: PredictionLog) -> None:
    log.append_predictions(MODEL, predictions(["a"]))
    folder = files(log)[0].parent
    (folder / "0.open").touch()
    assert ids(log) == ["a"]
    (folder / "1.open").write_bytes(b"no log of ours")
    with pytest.raises(CorruptFrame, match=r"1\.open"):
        log.scan_predictions(MODEL)
    report = log.seal(MODEL, "predictions", now=NOW)
    assert [hole.path.name for hole in report.damage] == ["1.open"]
    assert sorted(path.name for path in folder.iterdir()) == ["1.damaged", "seal.lock"]
    assert ids(log) == ["a"]


def test_a_file_that_loses_its_name_before_its_writer_has_the_lock_is_not_written(
    log: PredictionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solvent.store import disk

    create = disk.create

    def create_and_lose(path: Path, **options) -> int:
        descriptor = create(path, **options)
        monkeypatch.setattr(disk, "create", create)
        path.unlink()  # as a sealer does with an empty file that nobody has locked
        return descriptor

    monkeypatch.setattr(disk, "create", create_and_lose)
    log.append_predictions(MODEL, predictions(["a"]))
    assert ids(log) == ["a"]


def test_appending_imports_no_polars() -> None:
    heavy = "{'polars', 'numpy', 'sqlalchemy'} & set(sys.modules)"
    program = f"import solvent.store.log, solvent.store.objects, sys; print({heavy})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
