"""The prediction log on the real facts, in both databases."""

from __future__ import annotations

import polars as pl

from solvent.lineage.entities import NodeKind
from solvent.store import Store
from store.batches import HOUR, outcomes, predictions
from store_samples import DAY, START, add_version


def test_the_log_lives_on_the_stores_facts(store: Store) -> None:
    version = add_version(store.facts)
    for day in range(3):
        names = [f"{day}-{hour}" for hour in range(24)]
        store.log.append_predictions("bikes", predictions(names, since=START + day * DAY))
        store.log.append_outcomes("bikes", outcomes(names, [1.0] * 24, known_at=START + (day + 1) * DAY))
        if day < 2:
            store.log.seal("bikes", "predictions", now=START + (day + 1) * DAY)
            store.log.seal("bikes", "outcomes", now=START + (day + 1) * DAY)
    assert store.log.scan_predictions("bikes").select(pl.len()).collect().item() == 72
    around_midnight = store.log.scan_predictions("bikes", START + DAY - HOUR, START + DAY + HOUR).collect()
    assert around_midnight.get_column("prediction_id").to_list() == ["0-23", "1-0"]
    assert store.log.scan_outcomes("bikes", known_by=START + 2 * DAY).collect().height == 48
    assert store.log.scan_outcomes("bikes", known_by=START + 2 * DAY - HOUR).collect().height == 24
    assert store.log.expire("bikes", START + DAY + HOUR).segments == 2
    assert store.log.scan_predictions("bikes").select(pl.len()).collect().item() == 48
    answered = store.facts.descendants(NodeKind.VERSION, version.name)
    assert len([node for node in answered.nodes if node.kind == NodeKind.ARTIFACT]) == 2


def test_answers_of_a_version_that_is_not_registered_are_sealed_all_the_same(store: Store) -> None:
    add_version(store.facts)
    store.log.append_predictions("bikes", predictions(["a", "b"], version=[1, 7]))
    [segment] = store.log.seal("bikes", "predictions", now=START).segments
    assert segment.about["versions"] == [1]
    assert store.log.scan_predictions("bikes").collect().get_column("version").to_list() == [1, 7]
