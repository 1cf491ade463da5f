"""A canary answers its share, each case by one version, and no caller pays for its faults."""

from __future__ import annotations

import pytest

from solvent.registry import promote, resolve
from solvent.registry.canary import begin_canary, withdraw_canary
from solvent.serving.lineup import Lineup
from solvent.serving.metrics import Metrics
from solvent.serving.rows import EventClock
from solvent.serving.scorer import Answer, Scorer
from solvent.serving.served import Request
from solvent.serving.swap import Following, load

from .conftest import NOW, TESTER, served
from .test_batching import Sink
from .test_swap import GATE, ROW, follow


class Open:
    """A gate that lets pass."""

    passed, reason = True, "a test"

    def as_evidence(self):
        return {}


def begun(store, number, share):
    version = store.facts.version("bike-demand", number)
    return begin_canary(store, version, share, actor=TESTER, at=NOW, gate=Open())


def requests(count):
    return [Request({name: [value] for name, value in ROW.items()} | {"ride": [f"r{at}"]}, 1) for at in range(count)]


@pytest.fixture
def lineup(store, make):
    make()
    make(seed=1)
    one, two = (load(store, resolve(store, f"bike-demand/{number}")) for number in (1, 2))
    return Lineup(one, two, 0.2)


def test_each_case_meets_the_same_version_and_the_canary_its_share(lineup):
    scorer = Scorer(Sink(), EventClock())
    answers = lineup.score(scorer, requests(2000))
    assert [answer.ids for answer in answers] == [[f"r{at}"] for at in range(2000)], "in order"
    versions = [answer.version for answer in answers]
    assert 300 < versions.count("bike-demand/2") < 500
    assert [answer.version for answer in lineup.score(scorer, requests(2000))] == versions
    assert all(logged == {1} or logged == {2} for logged in map(set, (b["version"] for b in scorer.sink.batches)))


def test_what_the_canary_cannot_answer_the_champion_does(lineup, monkeypatch):
    scorer = Scorer(Sink(), EventClock())
    monkeypatch.setattr(lineup.canary, "predict", lambda batch: 1 / 0)
    answers = lineup.score(scorer, requests(50))
    assert {answer.version for answer in answers} == {"bike-demand/1"}
    assert all(isinstance(answer, Answer) for answer in answers)
    assert sum(len(batch["prediction_id"]) for batch in scorer.sink.batches) == 50


def test_the_endpoint_takes_a_canary_and_drops_it(store, make):
    for seed in range(3):
        make(seed=seed)
    following = Following(store, "bike-demand@champion", Metrics(), say=print)
    begun(store, 2, 0.5)
    follow(following, until=lambda: following.lineup().canary is not None)
    assert (following.lineup().canary.name, following.lineup().share) == ("bike-demand/2", 0.5)
    withdraw_canary(store, "bike-demand", actor=TESTER, at=NOW, reason="enough")
    follow(following, until=lambda: following.lineup().canary is None)
    begun(store, 2, 0.5)
    follow(following, until=lambda: following.lineup().canary is not None)
    promote(store, "bike-demand", 3, **GATE)
    follow(following, until=lambda: following.current().name == "bike-demand/3")
    assert following.lineup().canary is None


def test_a_canary_answers_over_http(root, store, make):
    make()
    make(seed=1)
    begun(store, 2, 0.5)
    with served(root, replay=True) as server:
        told = {}
        for _ in range(200):
            for at in range(20):
                told[f"r{at}"] = server.ask([ROW | {"ride": f"r{at}"}]).json()["model"]
            if len(set(told.values())) == 2:
                break
        logged = store.log.scan_predictions("bike-demand").collect()
    assert set(told.values()) == {"bike-demand/1", "bike-demand/2"}
    assert set(logged["version"]) == {1, 2}
