"""A version as the loop needs it: signature, reference, training table, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import polars as pl

from solvent.data.contracts import Contract
from solvent.foundation.clock import parse_span
from solvent.foundation.settings import MonitorSettings as UserSettings
from solvent.lineage.digests import Digest
from solvent.lineage.entities import ModelVersion
from solvent.monitoring.assess import build_reference
from solvent.monitoring.reference import Reference
from solvent.monitoring.settings import MonitorSettings
from solvent.registry.gate import Footprint
from solvent.registry.signature import Signature
from solvent.statistics.domain import MOST_ROWS, even_draw

if TYPE_CHECKING:
    from solvent.store import Store

HISTORY_ROWS = 200_000  # of the training table, newest: natural variation of features needs no more


def monitor_settings(user: UserSettings) -> MonitorSettings:
    """What the user set, in the monitors' own terms."""
    return MonitorSettings(
        width=parse_span(user.window),
        false_alarms_per_year=user.false_alarms_per_year,
        tolerance=user.tolerance,
        drift_floor_number=user.effect_floor,
        cycle=parse_span(user.cycle),
    )


class Versions:
    """References and training tables by version, read when first asked for, verified by digest."""

    def __init__(self, store: Store, settings: MonitorSettings) -> None:
        self._store = store
        self._settings = settings
        self._references: dict[str, Reference] = {}
        self._samples: dict[str, pl.DataFrame] = {}

    def reference(self, version: ModelVersion) -> Reference | None:
        """What the version is compared with; None where it was registered without evaluation rows."""
        if version.reference is None:
            return None
        if version.name not in self._references:
            evaluation = read_table(self._store, version.reference)
            contract = parse_contract(self._store, version.contract) if version.contract else None
            self._references[version.name] = build_reference(
                evaluation,
                version.signature,
                settings=self._settings,
                contract=contract,
                history=self._history(version),
            )
        return self._references[version.name]

    def sample(self, version: ModelVersion) -> pl.DataFrame:
        """An even draw of its evaluation rows, to tell a window's rows from; without a column where it has none."""
        if version.reference is None:
            return pl.DataFrame()
        if version.name not in self._samples:
            evaluation = read_table(self._store, version.reference)
            self._samples[version.name] = evaluation[even_draw(evaluation.height, MOST_ROWS)]
        return self._samples[version.name]

    def _history(self, version: ModelVersion) -> pl.DataFrame | None:
        training = version.about.get("training")
        if not training:
            return None
        signature = Signature.of(version.signature)
        table = read_table(self._store, Digest(training))
        if signature.time is None or signature.time not in table.columns:
            return None
        names = [signature.time, *(name for name in signature.features if name in table.columns)]
        return table.select(list(dict.fromkeys(names))).sort(signature.time).tail(HISTORY_ROWS)


def parse_contract(store: Store, digest: Digest) -> Contract:
    """A version's contract, verified. Raises: Corrupt, Missing."""
    return msgspec.json.decode(store.objects.read(digest), type=Contract)


def read_table(store: Store, digest: Digest) -> pl.DataFrame:
    """A table artifact, verified. Raises: Corrupt, Missing."""
    return pl.read_parquet(store.objects.read(digest))


def footprint(store: Store, table: Digest | str | None, signature: Signature) -> Footprint:
    """Which rows a table holds, by id and by time, as far as it says."""
    if not table:
        return Footprint()
    return footprint_of(read_table(store, Digest(table)), id=signature.id, time=signature.time)


def footprint_of(table: pl.DataFrame, *, id: str | None, time: str | None) -> Footprint:
    """The same for rows in memory."""
    ids = frozenset(table[id].cast(pl.String).to_list()) if id in table.columns else None
    if time not in table.columns or table.is_empty():
        return Footprint(ids=ids)
    times = table[time]
    if times.dtype == pl.String:
        times = times.str.to_datetime()
    times = times.cast(pl.Datetime("us")).dt.replace_time_zone("UTC") if _naive(times) else times
    first, last = times.to_frame("at").select(pl.min("at").alias("first"), pl.max("at").alias("last")).row(0)
    return Footprint(ids=ids, first=first, last=last)


def _naive(times: pl.Series) -> bool:
    return not isinstance(times.dtype, pl.Datetime) or times.dtype.time_zone is None
