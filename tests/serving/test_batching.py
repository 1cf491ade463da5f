"""Requests that arrive together are one prediction and one write; each is told its own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from solvent.foundation.errors import Unexpected
from solvent.registry import resolve
from solvent.serving.batching import Batcher
from solvent.serving.errors import BadRows, LogUnavailable
from solvent.serving.lineup import Lineup
from solvent.serving.rows import EventClock
from solvent.serving.scorer import Scorer
from solvent.serving.served import Request
from solvent.serving.swap import load

ROW = {"temp": [20.0], "hour": [8], "station": ["north"]}


class Sink:
    """A log that remembers its batches, or refuses them."""

    def __init__(self) -> None:
        self.batches: list[dict] = []
        self.threads: list[str] = []
        self.error: Exception | None = None

    def append_predictions(self, model, batch):
        if self.error:
            raise self.error
        self.threads.append(threading.current_thread().name)
        self.batches.append(batch)
        return len(batch["prediction_id"])


@pytest.fixture
def served(store, make):
    make()
    return load(store, resolve(store, "bike-demand"))


@pytest.fixture
def sink():
    return Sink()


def ask(served, sink, requests, **options):
    """Submit all requests at once; gives each one's answer or error."""

    async def go():
        batcher = Batcher(Scorer(sink, EventClock()), lambda: Lineup(served), **options)
        results = await asyncio.gather(*(batcher.submit(request) for request in requests), return_exceptions=True)
        await batcher.close()
        return results

    return asyncio.run(go())


def columns(temp, rows=1):
    return Request({**{name: values * rows for name, values in ROW.items()}, "temp": [temp] * rows}, rows)


def test_requests_that_arrive_together_are_one_write_and_each_gets_its_own_rows(served, sink):
    requests = [columns(float(temp), rows) for temp, rows in [(1, 1), (35, 3), (12, 2)]]
    answers = ask(served, sink, requests)
    assert [len(batch["prediction_id"]) for batch in sink.batches] == [6]
    assert [answer.ids for answer in answers] == [
        [f"{request.id}-{row}" for row in range(request.rows)] for request in requests
    ]
    alone = [served.model.predict(request.columns).predictions for request in requests]
    assert [answer.outputs.predictions for answer in answers] == alone
    assert sink.batches[0]["output"] == [value for values in alone for value in values]


def test_a_bad_request_fails_alone(served, sink):
    wrong_type = Request({**ROW, "temp": ["warm"]}, 1)
    beyond_the_contract = Request({**ROW, "hour": [2.5]}, 1)
    answers = ask(served, sink, [columns(1.0), wrong_type, columns(2.0), beyond_the_contract])
    assert [isinstance(answer, BadRows) for answer in answers] == [False, True, False, True]
    assert sum(len(batch["prediction_id"]) for batch in sink.batches) == 2


def test_what_cannot_be_logged_is_not_answered(served, sink):
    sink.error = OSError(28, "No space left on device")
    assert [type(answer) for answer in ask(served, sink, [columns(1.0), columns(2.0)])] == [LogUnavailable] * 2


def test_large_requests_and_a_log_that_waits_for_the_disk_go_through_a_thread(served, sink):
    served.inline_rows = 10
    ask(served, sink, [columns(1.0, rows=11), columns(1.0)])
    assert sorted(name.split("_")[0] for name in sink.threads) == ["MainThread", "solvent-score"]
    sink.threads.clear()
    ask(served, sink, [columns(1.0)] * 3, inline=False)
    assert {name.split("_")[0] for name in sink.threads} == {"solvent-score"}


def test_a_fault_of_ours_reaches_every_caller_and_ends_nothing(served, sink, caplog):
    sink.error = ZeroDivisionError()
    assert [type(answer) for answer in ask(served, sink, [columns(1.0), columns(2.0)])] == [Unexpected] * 2
    assert "scoring failed" in caplog.text
    sink.error = None
    assert not isinstance(ask(served, sink, [columns(1.0)])[0], Exception)


def test_a_warm_model_knows_how_many_rows_it_answers_at_once(served, monkeypatch):
    row = {name: values[0] for name, values in ROW.items()}
    for seconds, at_once in [(1.0, True), (0.0, False)]:
        monkeypatch.setattr("solvent.serving.served.INLINE_SECONDS", seconds)
        served.warm(row)
        assert (served.inline_rows > 100) is at_once
