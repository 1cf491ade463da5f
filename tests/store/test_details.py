"""Metrics point by point, and who recorded a run."""

import math
from datetime import UTC, datetime

from sqlalchemy import insert, select

from solvent.lineage.entities import Actor, NodeKind, RunStart
from solvent.store import schema as t

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_metrics_come_point_by_point(facts):
    facts.start_run(RunStart(key="a" * 32, step="train", started_at=AT))
    facts.start_run(RunStart(key="b" * 32, step="train", started_at=AT))
    points = [("loss", 2, 0.25), ("loss", 1, 0.5), ("loss", 0, None), ("mae", 0, 3.0)]
    with facts.writing() as w:
        run_id = w.connection.execute(select(t.node.c.id).where(t.node.c.key == "a" * 32)).scalar_one()
        rows = [{"run_id": run_id, "name": n, "step": s, "happened_at": s, "value": v} for n, s, v in points]
        w.connection.execute(insert(t.run_metric), rows)
    found = facts.metric_history("a" * 32)
    assert found["loss"][1:] == [(1, 0.5), (2, 0.25)] and math.isnan(found["loss"][0][1])
    assert found["mae"] == [(0, 3.0)]
    assert facts.metric_history("b" * 32) == {} and facts.metric_history("c" * 32) == {}


def test_who_recorded_a_node(facts):
    facts.start_run(RunStart(key="a" * 32, step="train", started_at=AT))
    assert facts.recorder(NodeKind.RUN, "a" * 32) == facts.actor
    assert isinstance(facts.actor, Actor) and facts.recorder(NodeKind.RUN, "b" * 32) is None
