"""The metadata: every fact but bytes and log rows, on SQLite or PostgreSQL, through one class.

One module per family of facts; `writing` adds nodes and edges, `database` is the
only place where the two databases differ. Each public method that writes is one
transaction: it returns when the fact is durable, and a repeated one changes nothing.
"""

from solvent.store.facts.artifacts import ArtifactFacts
from solvent.store.facts.datasets import DatasetFacts
from solvent.store.facts.details import RunDetailFacts
from solvent.store.facts.events import EventFacts
from solvent.store.facts.exchange import ExchangeFacts
from solvent.store.facts.findings import FindingFacts
from solvent.store.facts.graph import GraphFacts
from solvent.store.facts.keeping import KeepingFacts
from solvent.store.facts.models import ModelFacts
from solvent.store.facts.monitoring import MonitoringFacts
from solvent.store.facts.runs import RunFacts
from solvent.store.facts.segments import SegmentFacts


class Facts(
    ArtifactFacts,
    DatasetFacts,
    RunFacts,
    RunDetailFacts,
    ModelFacts,
    MonitoringFacts,
    EventFacts,
    FindingFacts,
    SegmentFacts,
    GraphFacts,
    ExchangeFacts,
    KeepingFacts,
):
    """All facts of one project."""


__all__ = ["Facts"]
