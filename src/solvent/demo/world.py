"""What happens outside Solvent: files are delivered, cases must be scored, outcomes become known.

A week of a world is the half-open interval from `begin(week)` to `end(week)`; its
tick runs at the end. Nothing handed out for a week was known later than that end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

import polars as pl

from solvent.demo.flights import load_flights, with_report_times

WEEK = timedelta(weeks=1)
CORRECTED_AFTER = 2  # weeks until somebody upstream has noticed and sends the file again


@dataclass(frozen=True)
class World(ABC):
    """One model's surroundings.

    rows: every case there will ever be, in order of time: the id, time and known_at columns, the
        features as clients send them, and the target (null where it never becomes known).
    start, weeks: the first Monday of service, and how many weeks of it.
    """

    rows: pl.DataFrame
    start: datetime
    weeks: int

    model: str = ""
    title: str = ""
    noun: str = ""
    id: str = ""
    time: str = ""
    target: str = ""

    def begin(self, week: int) -> datetime:
        return self.start + week * WEEK

    def end(self, week: int) -> datetime:
        return self.begin(week + 1)

    def cases(self, week: int) -> pl.DataFrame:
        """What clients send in this week: id, time and features, in order of time; no target."""
        return self._during(week).drop(self.target, "known_at")

    def outcomes(self, week: int) -> pl.DataFrame:
        """The labels that become known in this week, of this week's cases and of earlier ones.

        Columns: prediction_id, label, known_at; in order of known_at.
        """
        known = pl.col("known_at")
        since, until = pl.lit(self.begin(week)), pl.lit(self.end(week))
        fresh = self.rows.filter((known > since) & (known <= until) & (pl.col(self.time) >= pl.lit(self.start)))
        return fresh.sort("known_at").select(prediction_id=self.id, label=self.target, known_at=known)

    @abstractmethod
    def found(self, folder: Path) -> list[Path]:
        """Write the history on which the first version is trained into the project's `data/`."""

    @abstractmethod
    def deliver(self, folder: Path, week: int) -> list[Path]:
        """Write the files that arrive by the end of this week; returns them."""

    def _during(self, week: int) -> pl.DataFrame:
        time = pl.col(self.time)
        return self.rows.filter((time >= pl.lit(self.begin(week))) & (time < pl.lit(self.end(week))))


@dataclass(frozen=True)
class Bikes(World):
    """Hourly rentals in Washington DC. broken: the week that an upstream fault spoils, if any."""

    broken: int | None = None

    @classmethod
    def load(cls, weeks: int = 78, broken: int | None = None) -> Bikes:
        """Monday 4 July 2011 to Sunday 30 December 2012, or the first `weeks` of it."""
        with as_file(files("solvent.demo") / "data" / "bike_dc.parquet") as path:
            raw = pl.read_parquet(path)
        time = pl.col("time").dt.replace_time_zone("UTC")
        rows = raw.select(
            time.dt.strftime("%Y-%m-%dT%H").alias("ride_hour"),
            time,
            pl.exclude("time", "holiday", "workingday", "season", "weather", "count"),
            pl.col("holiday", "workingday").cast(pl.Int8),
            pl.col("season", "weather").cast(pl.String),
            pl.col("count"),
            known_at=time + pl.duration(hours=1),  # an hour's rentals are counted when it is over
        ).sort("time")
        return cls(
            rows,
            datetime(2011, 7, 4, tzinfo=UTC),
            weeks,
            model="bike-demand",
            title="Bike demand, Washington DC",
            noun="hours",
            id="ride_hour",
            time="time",
            target="count",
            broken=broken,
        )

    def cases(self, week: int) -> pl.DataFrame:
        return super().cases(week).pipe(spoil if week == self.broken else _as_it_is)

    def found(self, folder: Path) -> list[Path]:
        history = self.rows.filter(pl.col("known_at") <= pl.lit(self.start))
        return [_write(history, folder / "rides" / f"until-{self.start:%Y-%m-%d}.parquet")]

    def deliver(self, folder: Path, week: int) -> list[Path]:
        """One file a week, named after its Monday; a spoilt one is delivered again, corrected, two weeks later."""
        path = folder / "rides"
        week_rows = self._during(week).pipe(spoil if week == self.broken else _as_it_is)
        written = [_write(week_rows, path / f"{self.begin(week):%Y-%m-%d}.parquet")]
        if self.broken is not None and week == self.broken + CORRECTED_AFTER:
            written.append(_write(self._during(self.broken), path / f"{self.begin(self.broken):%Y-%m-%d}.parquet"))
        return written


@dataclass(frozen=True)
class Flights(World):
    """Flights from New York. Files stop at the start: later training rows come from the prediction log."""

    @classmethod
    def load(cls, weeks: int = 43, seed: int = 7) -> Flights:
        """Monday 4 March to Sunday 29 December 2013, or the first `weeks` of it; seed: of the label delays.

        Raises: NoFlights.
        """
        rows = with_report_times(load_flights(), seed)
        return cls(
            rows.with_columns(late=pl.when(pl.col("known_at").is_not_null()).then("late")),
            datetime(2013, 3, 4, tzinfo=UTC),
            weeks,
            model="flight-delay",
            title="Flight delay, New York",
            noun="flights",
            id="flight_id",
            time="scheduled",
            target="late",
        )

    def found(self, folder: Path) -> list[Path]:
        """The winter so far, as far as its reports were in when service began."""
        history = self.rows.filter(pl.col("known_at") <= pl.lit(self.start))
        return [_write(history, folder / "flights" / f"until-{self.start:%Y-%m-%d}.parquet")]

    def deliver(self, folder: Path, week: int) -> list[Path]:  # noqa: ARG002  the interface's, not this world's
        return []


def spoil(rows: pl.DataFrame) -> pl.DataFrame:
    """The fault upstream: a station's software update sends °F for °C, and a stuck humidity sensor."""
    return rows.with_columns(
        temp=(pl.col("temp") * 1.8 + 32).cast(pl.Float32),
        humidity=pl.lit(50.0, pl.Float32),
    )


def _as_it_is(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def _write(rows: pl.DataFrame, path: Path) -> Path:
    """Whole or not at all, as a careful upstream does it: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".part")
    rows.write_parquet(staged, compression="zstd")
    return staged.replace(path)
