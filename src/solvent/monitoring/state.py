"""What a model's monitors carry from tick to tick: plain values that JSON holds."""

from __future__ import annotations

import msgspec

from solvent.statistics.sequential import ChangeDetector


class Track(msgspec.Struct, kw_only=True):
    """One watched feature (or the output) and its windows so far.

    kind: number, category, or constant (nearly always one value, which is told from all others); edges: inner
        bin edges of a number; categories: of a category, whatever is not among them counts last.
    scale: the reference's standard deviation, in which a number's distances are told. weight: share of the alarm.
    counts: rows per bin, one list per window of the pool that new ones are compared with; waiting: the latest
        windows, not yet in it.
    evidence: the feature's e-detector, after so many steps. since: event time of its first window, microseconds.
    """

    kind: str
    edges: list[float] = msgspec.field(default_factory=list)
    categories: list[str] = msgspec.field(default_factory=list)
    scale: float = 1.0
    weight: float = 1.0
    counts: list[list[int]] = msgspec.field(default_factory=list)
    waiting: list[list[int]] = msgspec.field(default_factory=list)
    evidence: float = 0.0
    steps: int = 0
    since: int | None = None


class DriftState(msgspec.Struct, kw_only=True):
    """named: features of the alert that froze the reference; quiet: usual windows in a row since; season: features of
    the last note of an unseen season; clocks: columns that any reference so far showed to follow the calendar.
    """

    tracks: dict[str, Track] = msgspec.field(default_factory=dict)
    frozen: bool = False
    named: list[str] = msgspec.field(default_factory=list)
    season: list[str] = msgspec.field(default_factory=list)
    clocks: list[str] = msgspec.field(default_factory=list)
    quiet: int = 0


class Span(msgspec.Struct, frozen=True):
    """A stretch of event time, microseconds, and what it was called."""

    kind: str  # gap, shock or contract
    start: int
    end: int
    note: str = ""


class PerformanceState(msgspec.Struct, kw_only=True):
    """taken: known-at time up to which the labels of a window have been taken, both in microseconds, by the number of
    the window since the first Monday of 1970; each label is taken once, whichever rows a caller passes again.

    losses: recent block means (clipped) with the event time of their rows' middle, oldest first;
    residuals: recent label over output less 1 by six hours, with the time of day (0 to 3), for shocks.
    """

    detector: ChangeDetector | None = None
    taken: dict[int, int] = msgspec.field(default_factory=dict)
    losses: list[tuple[int, float]] = msgspec.field(default_factory=list)
    residuals: list[tuple[int, float]] = msgspec.field(default_factory=list)
    alarmed: bool = False


class EstimatorState(msgspec.Struct, kw_only=True):
    """Self-scoring of the estimate without labels: windows inside the interval, windows scored.

    pending: estimates not yet scored, by window name: lower and upper; scores: of late, lower, upper and realised.
    means: estimated mean losses, window by window, None where none was told.
    """

    inside: int = 0
    scored: int = 0
    on: bool = True
    pending: dict[str, tuple[float, float]] = msgspec.field(default_factory=dict)
    scores: list[tuple[float, float, float]] = msgspec.field(default_factory=list)
    means: list[float | None] = msgspec.field(default_factory=list)


class MonitorState(msgspec.Struct, kw_only=True):
    """Everything that is carried for one model; `number` is the version that outputs and losses belong to.

    spans: gaps, shocks and broken windows of late. episodes: open conditions by name with the end
        of the last window that showed them, microseconds: one alert per cause and episode.
    longest_silence: seconds without a row that count as normal by now.
    """

    number: int | None = None
    drift: DriftState = msgspec.field(default_factory=DriftState)
    performance: PerformanceState = msgspec.field(default_factory=PerformanceState)
    estimator: EstimatorState = msgspec.field(default_factory=EstimatorState)
    spans: list[Span] = msgspec.field(default_factory=list)
    episodes: dict[str, int] = msgspec.field(default_factory=dict)
    last_event: int | None = None


def encode_state(state: MonitorState) -> bytes:
    """JSON of the state."""
    return msgspec.json.encode(state)


def decode_state(data: bytes) -> MonitorState:
    """The inverse of `encode_state`. Raises: msgspec.DecodeError."""
    return msgspec.json.decode(data, type=MonitorState)


def copied(state: MonitorState) -> MonitorState:
    """A copy that shares nothing with the original; fifty times faster than `copy.deepcopy`."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=MonitorState)
