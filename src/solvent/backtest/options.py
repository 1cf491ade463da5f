"""What a backtest is asked: flags as values, checked before a row is read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from solvent.foundation.clock import BadInstant, BadSpan, parse_instant, parse_span
from solvent.foundation.errors import UsageError
from solvent.statistics.losses import metric_named

PRICES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0)  # of one retraining, in first-window losses
PRICE = 0.1  # that the first screen is told at, where no cost is given
TRAIN = 0.25
WINDOWS = 30


class BadOption(UsageError):
    code = "bad-option"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """A backtest's question.

    path: a file, or the URL of a database whose rows the `query` gives; files: of a table that lies in several, name
    and place, where `path` only names it. keep: columns that look like leaks and are none. train: share of the rows
    that the first model is trained on, or the instant before which; windows: how many of equal count, where neither
    width nor count is given; width: a window's length in time; count: its rows. label_delay: from a row's time until
    its target is known. metric: by name, None for the task's default. cost_retrain, cost_loss: money of one
    retraining, and of one unit of loss on one row; prices: of a retraining in first-window losses. threshold: of the
    shown metric. budget: seconds, None for the fixed plan; full: no sampling. model: `module:factory` of an unfitted
    estimator, '' for the built-in one. matrix, html: where the losses and the page go.
    """

    path: Path | str
    time: str
    target: str
    model: str = ""
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    id: str = ""
    train: float | datetime = TRAIN
    windows: int = WINDOWS
    windows_given: bool = False
    width: timedelta | None = None
    count: int | None = None
    label_delay: timedelta = timedelta(0)
    metric: str | None = None
    cost_retrain: float | None = None
    cost_loss: float | None = None
    prices: tuple[float, ...] = PRICES
    threshold: float | None = None
    seed: int = 0
    budget: float | None = None
    full: bool = False
    matrix: Path | None = None
    html: Path | None = None
    query: str = ""
    files: tuple[tuple[str, Path], ...] = ()


def check(options: Options) -> Options:
    """The same, where it makes sense. Raises: BadOption, UnknownMetric."""
    if options.metric is not None:
        metric_named(options.metric)
    if options.time == options.target:
        raise BadOption(f"`{options.time}` cannot be both time and target", next="--target names what is predicted")
    for flag, value, least in (("--windows", options.windows, 4), ("--window", options.count, 2)):
        if value is not None and value < least:
            raise BadOption(f"{flag} {value} is too few", next=f"at least {least}")
    if options.width is not None and options.width <= timedelta(0):
        raise BadOption("--window needs a length above zero")
    if not all(0 < price < 1e6 for price in options.prices) or not options.prices:
        raise BadOption("--prices needs figures above zero", next="--prices 0.02,0.1,1")
    for flag, cost in (("--cost-retrain", options.cost_retrain), ("--cost-loss", options.cost_loss)):
        if cost is not None and not 0 < cost < float("inf"):
            raise BadOption(f"{flag} needs a figure above zero")
    if options.cost_retrain is not None and options.cost_loss is None:
        raise BadOption("--cost-retrain needs --cost-loss, or losses and retrainings have no common unit")
    for flag, file in (("--matrix", options.matrix), ("--html", options.html)):
        if file is not None and not file.absolute().parent.is_dir():
            raise BadOption(f"{flag} {file}: there is no such folder", next="make it, or name a file elsewhere")
        if file is not None and file.is_dir():
            raise BadOption(f"{flag} {file} is a folder", next=f"name a file in it: {flag} {file / 'FILE'}")
    if options.budget is not None and options.budget <= 0:
        raise BadOption("--budget needs seconds above zero")
    return options


def parse_train(text: str) -> float | datetime:
    """A share such as `0.25` or `25%`, or a date. Raises: BadOption."""
    try:
        share = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = None
    if share is not None and "-" not in text:
        if not 0 < share < 1:
            raise BadOption(f"--train {text} is no share", next="above 0 and below 1, or a date such as 2012-06-30")
        return share
    try:
        return parse_instant(text)
    except BadInstant:
        raise BadOption(f"--train {text} is neither share nor date", next="--train 0.25 or 2012-06-30") from None


def parse_window(text: str) -> tuple[timedelta | None, int | None]:
    """A length of time such as `1w`, or a number of rows. Raises: BadOption."""
    if text.isdigit():
        return None, int(text)
    return _span("--window", text, "1w, or a number of rows such as 5000"), None


def parse_delay(text: str) -> timedelta:
    """How late labels are. Raises: BadOption."""
    return timedelta(0) if text == "0" else _span("--label-delay", text, "2w")


def parse_prices(text: str) -> tuple[float, ...]:
    """Rising figures from `0.02,0.1,1`. Raises: BadOption."""
    try:
        return tuple(sorted({float(part) for part in text.split(",") if part.strip()}))
    except ValueError:
        raise BadOption(f"--prices {text} is no list of figures", next="--prices 0.02,0.1,1") from None


def _span(flag: str, text: str, example: str) -> timedelta:
    try:
        return parse_span(text)
    except BadSpan:
        raise BadOption(f"{flag} {text} is no length of time", next=f"{flag} {example}") from None
