"""A new champion is taken without dropping a request, and what was acknowledged survives kill -9."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import httpx

from solvent.registry import promote, rollback
from solvent.serving.metrics import Metrics
from solvent.serving.swap import Following

from .conftest import NOW, TESTER, opened, served

ROW = {"temp": 20.0, "hour": 8, "station": "north"}
GATE = {"waiver": "a test", "actor": TESTER, "at": NOW}


class Load:
    """Clients that ask as fast as they are answered, until stopped."""

    def __init__(self, url: str, clients: int = 4, rows: int = 3) -> None:
        self.answers: list[dict] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(url, rows)) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _ask(self, url: str, rows: int) -> None:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            while not self._stop.is_set():
                try:
                    response = client.post("/invocations", json={"dataframe_records": [ROW] * rows})
                    response.raise_for_status()
                    self.answers.append(response.json())
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    return

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def wait_for(server, number: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while server.client.get("/version").json()["number"] != number:
        assert time.monotonic() < deadline, f"version {number} was not taken"
        time.sleep(0.02)


def test_a_new_champion_is_taken_under_load_without_a_failed_request(root, store, make):
    for seed in range(3):
        make(seed=seed)
    with served(root, replay=True) as server:
        load = Load(server.url)
        for number in (2, 3):
            promote(store, "bike-demand", number, **GATE)
            wait_for(server, number)
        rollback(store, "bike-demand", reason="a test", actor=TESTER, at=NOW)
        wait_for(server, 2)
        load.stop()
    assert load.failures == []
    assert {answer["model"] for answer in load.answers} == {f"bike-demand/{n}" for n in (1, 2, 3)}
    by_version = {}
    for answer in load.answers:
        by_version.setdefault(answer["model"], set()).add(tuple(answer["predictions"]))
    assert all(len(values) == 1 for values in by_version.values()), "an answer mixed two versions"
    logged = store.log.scan_predictions("bike-demand").collect()
    assert set(logged["prediction_id"]) >= {p for answer in load.answers for p in answer["prediction_ids"]}
    told = {(p, answer["model"]) for answer in load.answers for p in answer["prediction_ids"]}
    assert told <= {(p, f"bike-demand/{v}") for p, v in zip(logged["prediction_id"], logged["version"], strict=True)}


def follow(following: Following, until, seconds: float = 20) -> None:
    """Let it follow its alias until something is so."""

    async def go():
        task = asyncio.create_task(following.follow())
        deadline = time.monotonic() + seconds
        while not until() and not task.done():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())


def test_a_version_that_does_not_load_leaves_the_old_one_answering(store, make, caplog):
    make()
    broken = make(seed=1)
    path = store.objects.path(broken.artifact)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-10])
    following = Following(store, "bike-demand@champion", Metrics(), say=print)
    promote(store, "bike-demand", broken.number, **GATE)
    follow(following, until=lambda: following.metrics.failed_swaps)
    assert following.current().name == "bike-demand/1"
    assert "bike-demand/1 goes on answering" in caplog.text


def test_a_fixed_version_is_not_followed_and_the_latest_is(store, make):
    make()
    fixed = Following(store, "bike-demand/1", Metrics(), say=print)
    latest = Following(store, "bike-demand@latest", Metrics(), say=print)
    make(seed=1)
    promote(store, "bike-demand", 2, **GATE)
    follow(latest, until=lambda: latest.metrics.swaps)
    follow(fixed, until=lambda: False)
    assert (fixed.current().name, latest.current().name) == ("bike-demand/1", "bike-demand/2")


def test_every_acknowledged_prediction_survives_kill_9(root, make):
    make()
    with served(root, replay=True) as server:
        load = Load(server.url)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGKILL)
        load.stop()
    acknowledged = {text for answer in load.answers for text in answer["prediction_ids"]}
    assert acknowledged
    with opened(root) as store:
        assert acknowledged <= set(store.log.scan_predictions("bike-demand").collect()["prediction_id"])


def test_sigterm_finishes_what_was_taken_and_ends_cleanly(root, make):
    make()
    with served(root, replay=True) as server:
        load = Load(server.url)
        time.sleep(0.3)
        server.client.close()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        load.stop()
    with opened(root) as store:
        logged = set(store.log.scan_predictions("bike-demand").collect()["prediction_id"])
    assert logged == {text for answer in load.answers for text in answer["prediction_ids"]}
