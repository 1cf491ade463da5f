"""What a run's page asks beside the run itself: metrics point by point, and who recorded it."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select

from solvent.lineage.entities import Actor, NodeKind
from solvent.store import schema as t
from solvent.store.facts.base import FactsBase
from solvent.store.facts.writing import find_nodes


class RunDetailFacts(FactsBase):
    def metric_history(self, run: str) -> dict[str, list[tuple[int, float]]]:
        """Every point of a run's metrics by name: (step, value) in order of step, then time. NaN stays NaN."""
        metric = t.run_metric
        points: dict[str, list[tuple[int, float]]] = defaultdict(list)
        with self.database.read() as connection:
            found = find_nodes(connection, self.project_id, [(NodeKind.RUN, run)])
            query = select(metric).where(metric.c.run_id.in_(found.values()))
            for row in connection.execute(query.order_by(metric.c.name, metric.c.step, metric.c.happened_at)):
                points[row.name].append((row.step, float("nan") if row.value is None else row.value))
        return dict(points)

    def recorder(self, kind: NodeKind, key: str) -> Actor | None:
        """Who recorded a node; None where there is no such node."""
        query = select(t.actor.c.kind, t.actor.c.name).join(t.node, t.node.c.actor_id == t.actor.c.id)
        with self.database.read() as connection:
            found = find_nodes(connection, self.project_id, [(kind, key)])
            row = connection.execute(query.where(t.node.c.id.in_(found.values()))).first()
        return None if row is None else Actor(kind=row.kind, name=row.name)
