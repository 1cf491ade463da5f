"""The course of time: what the first model is trained on, and the windows that it lives through."""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np

from solvent.backtest.columns import Cases
from solvent.backtest.options import Options
from solvent.foundation.clock import MICROSECOND, from_micros, to_micros
from solvent.foundation.errors import UsageError
from solvent.statistics.arrays import Counts
from solvent.statistics.blocks import BLOCKS, block_length

LEAST_TRAIN = 100  # rows of the first training part
LEAST_ROWS = 20  # of a window
LEAST_WINDOWS = 4
MOST_WINDOWS = 400
MOST_BLOCKS = 24  # in a window, so that the matrix stays small


class TooFew(UsageError):
    code = "too-few-rows"


class Course(msgspec.Struct, frozen=True):
    """Windows of rows, and what is known when each begins.

    bounds: shape (n_windows + 1,), row at which each window starts, and the end; times: shape (n_windows + 1,), in
    microseconds. trained_by: shape (n_windows,), rows whose label is known when the window starts; known: shape
    (n_windows,), how many windows are wholly labelled then. block_of: shape (n_rows - bounds[0],), the block of each
    row of the windows; window_of: shape (n_blocks,), the window of each block; block: length in microseconds.
    """

    bounds: Counts
    times: Counts
    trained_by: Counts
    known: Counts
    block_of: Counts
    window_of: Counts
    block: int
    assumptions: list[str]

    @property
    def windows(self) -> int:
        return len(self.bounds) - 1

    def rows(self, window: int) -> Counts:
        """Positions of a window's rows."""
        return np.arange(self.bounds[window], self.bounds[window + 1])

    def span(self, window: int) -> tuple[datetime, datetime]:
        return from_micros(int(self.times[window])), from_micros(int(self.times[window + 1]))

    def days(self) -> float:
        """Mean length of a window."""
        return float(self.times[-1] - self.times[0]) / self.windows / 86_400e6

    def quiet_blocks(self) -> float:
        """Blocks between false alarms of the losses: half of one alarm a year, the other half is the inputs'."""
        years = self.days() * self.windows / 365.25
        a_window = len(self.window_of) / self.windows
        return max(2 * len(self.window_of) / years, 2 * a_window)


def cut(cases: Cases, options: Options) -> Course:
    """Windows after the training part, never through rows of one time. Raises: TooFew."""
    micros, said = cases.micros, list[str]()
    start = _first(micros, options)
    bounds = _bounds(micros, start, options, said)
    if len(bounds) - 1 < LEAST_WINDOWS:
        raise TooFew(
            f"{len(micros) - start:,} rows after the training part make {len(bounds) - 1} windows",
            next=f"at least {LEAST_WINDOWS} are needed: a smaller --train, --window or --windows",
        )
    times = np.append(micros[bounds[:-1]], micros[-1] + 1)
    delay = options.label_delay // MICROSECOND
    trained_by = np.searchsorted(micros, times[:-1] - delay, side="left")
    if trained_by[0] < LEAST_TRAIN:
        raise TooFew(
            f"{trained_by[0]} rows are labelled when the first window starts",
            next=f"at least {LEAST_TRAIN}: a larger --train or a shorter --label-delay",
        )
    last = np.array([micros[end - 1] for end in bounds[1:]])
    known = np.searchsorted(last + delay, times[:-1], side="left")
    block_of, window_of, block = _blocks(cases, bounds)
    return Course(
        bounds=bounds,
        times=times,
        trained_by=trained_by,
        known=known,
        block_of=block_of,
        window_of=window_of,
        block=block,
        assumptions=said,
    )


def _first(micros: Counts, options: Options) -> int:
    """Row at which the first window starts."""
    if isinstance(options.train, float):
        row = round(len(micros) * options.train)
        start = int(np.searchsorted(micros, micros[min(row, len(micros) - 1)], side="left"))
        named = f"--train {options.train:g}"
    else:
        start = int(np.searchsorted(micros, to_micros(options.train), side="left"))
        named = f"--train {options.train:%Y-%m-%d}"
    if start < LEAST_TRAIN or len(micros) - start < LEAST_WINDOWS * LEAST_ROWS:
        raise TooFew(
            f"{start:,} of {len(micros):,} rows come before the first window",
            where=named,
            next=f"at least {LEAST_TRAIN} before and {LEAST_WINDOWS * LEAST_ROWS} after",
        )
    return start


def _bounds(micros: Counts, start: int, options: Options, said: list[str]) -> Counts:
    """Rows at which windows start, and the end; sparse windows join the one before."""
    end, left = len(micros), len(micros) - start
    if options.width is not None:
        width = options.width // MICROSECOND
        marks = np.arange(micros[start], micros[-1] + 1, width)
        if len(marks) > MOST_WINDOWS:
            raise TooFew(f"--window makes {len(marks):,} windows", next=f"at most {MOST_WINDOWS}: a longer --window")
        found = np.searchsorted(micros, marks, side="left")
    else:
        windows = options.windows if options.count is None else max(left // options.count, 1)
        if options.count is None and not options.windows_given:
            windows = max(min(windows, left // (2 * LEAST_ROWS)), LEAST_WINDOWS)
            if windows < options.windows:
                said.append(f"{windows} windows only, for want of rows")
        if windows > MOST_WINDOWS:
            raise TooFew(f"--window makes {windows:,} windows", next=f"at most {MOST_WINDOWS}: more rows a window")
        even = np.linspace(start, end, windows + 1).round().astype(int)[:-1]
        if options.count is not None:
            even = start + options.count * np.arange(windows)
        found = np.searchsorted(micros, micros[even], side="left")
    bounds = np.unique(np.append(found, end))
    whole, least = [int(bounds[0])], LEAST_ROWS
    for at in bounds[1:-1].tolist():
        if at - whole[-1] >= least and end - at >= least:
            whole.append(at)
    if len(whole) + 1 < len(bounds):
        said.append(f"windows of fewer than {least} rows joined to their neighbours")
    return np.array([*whole, end])


def _blocks(cases: Cases, bounds: Counts) -> tuple[Counts, Counts, int]:
    """Blocks of time inside windows, long enough that neighbours hardly lean on each other: by the target's own."""
    first = int(bounds[0])
    length = block_length(cases.y[:first], cases.micros[:first])
    mean = (cases.micros[-1] - cases.micros[first]) / (len(bounds) - 1)
    length = max(length, next((b for b in BLOCKS if b * MOST_BLOCKS >= mean), int(mean // MOST_BLOCKS) + 1))
    if length * 4 > mean:  # at least about four a window, or nothing shows its spread
        length = max(int(mean // 4), 1)
    window = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    slot = cases.micros[first:] // length
    change = np.flatnonzero((np.diff(window) != 0) | (np.diff(slot) != 0)) + 1
    starts = np.concatenate([[0], change])
    block_of = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(window))))
    return block_of, window[starts], int(length)
