"""Whoever asks the log again and again parses each unsealed row once, and is told what a newcomer is told."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.store.log import CorruptFrame, PredictionLog, tables, tails
from solvent.store.log.folder import LogFolder
from solvent.store.objects import FolderObjects
from store.batches import HOUR, MODEL, START, outcomes, predictions
from store.memory_facts import MemoryFacts

NOW = START + 1000 * HOUR
ASKED = [f"p{n}" for n in range(40)]


class Place:
    """A log that several processes could have opened."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.facts = MemoryFacts()
        self.opened: list[PredictionLog] = []

    def open(self, **options) -> PredictionLog:
        objects = FolderObjects(self.root / "objects", self.root / "staging")
        self.opened.append(PredictionLog(self.root / "log", self.facts, objects, clock=lambda: NOW, **options))
        return self.opened[-1]

    def close(self) -> None:
        for log in self.opened:
            log.close()


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.close()


def answers(log: PredictionLog) -> tuple[set[str], list[tuple]]:
    latest = log.latest_outcomes(MODEL, ids=ASKED).sort("prediction_id").collect()
    return log.logged_ids(MODEL, ASKED), latest.rows()


@pytest.fixture
def parsed(monkeypatch):
    """Rows that were parsed for tails."""
    counted = []

    def counting(kind, payloads):
        table = tables.from_frames(kind, payloads)
        counted.append(table.height)
        return table

    class Counting:
        SCHEMAS = tables.SCHEMAS
        from_frames = staticmethod(counting)

    monkeypatch.setattr(tails, "tables", Counting)
    return counted


def test_each_unsealed_row_is_parsed_once(place, parsed):
    writer, reader = place.open(), place.open()
    for n in range(100):
        writer.append_predictions(MODEL, predictions([f"n{n}-0", f"n{n}-1"]))
        assert reader.logged_ids(MODEL, [f"n{n}-0", f"n{n}-1", "nobody"]) == {f"n{n}-0", f"n{n}-1"}
    assert sum(parsed) == 200


actions = st.lists(st.sampled_from(["predict", "learn", "seal", "leave", "ask"]), max_size=25)


@settings(deadline=None, max_examples=20)
@given(actions)
def test_one_that_asked_before_is_told_what_a_newcomer_is_told(steps):
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        reader, sealer, writer = place.open(), place.open(), place.open(rotate_bytes=700)
        for n, step in enumerate([*steps, "ask"]):
            if step == "predict":
                writer.append_predictions(MODEL, predictions([f"p{n}", f"q{n}"]))
            elif step == "learn":
                writer.append_outcomes(MODEL, outcomes([f"p{n % 5}"], [float(n)], known_at=START + n * HOUR))
            elif step == "seal":  # by somebody else: the writer's file stays open, sealed up to here
                sealer.seal(MODEL, "predictions", now=NOW)
                sealer.seal(MODEL, "outcomes", now=NOW)
            elif step == "leave":
                writer.close()
            else:
                assert answers(reader) == answers(place.open())
        place.close()


def test_a_file_that_was_cut_is_read_again_and_a_damaged_one_is_refused(place):
    writer, reader = place.open(), place.open()
    writer.append_predictions(MODEL, predictions(["kept"]))
    file = LogFolder(writer.root, "predictions", MODEL).files()[0]
    size = file.stat().st_size
    writer.append_predictions(MODEL, predictions(["cut"]))
    asked = ["kept", "cut", "late"]
    assert reader.logged_ids(MODEL, asked) == {"kept", "cut"}
    with file.open("r+b") as opened:
        opened.truncate(size)
    assert reader.logged_ids(MODEL, asked) == {"kept"}
    with file.open("ab") as opened:
        opened.write(b"nonsense")
    writer.append_predictions(MODEL, predictions(["late"]))
    with pytest.raises(CorruptFrame):
        reader.logged_ids(MODEL, asked)
