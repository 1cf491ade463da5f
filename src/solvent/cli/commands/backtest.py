"""Tell how a model on a table would have aged, and what each way of retraining would have cost."""

from __future__ import annotations

import sys
from pathlib import Path

from solvent.cli.program import Exit
from solvent.cli.show import note, paint, show


def command(
    table: str,
    *,
    time: str,
    target: str,
    model: str = "",
    drop: list[str] | None = None,
    keep: list[str] | None = None,
    id: str = "",
    train: str = "0.25",
    window: str | None = None,
    windows: int | None = None,
    label_delay: str = "0",
    metric: str | None = None,
    cost_retrain: float | None = None,
    cost_loss: float | None = None,
    prices: str | None = None,
    threshold: float | None = None,
    seed: int = 0,
    budget: float | None = None,
    full: bool = False,
    matrix: Path | None = None,
    html: Path | None = None,
    query: str = "",
    json: bool = False,
) -> Exit:
    """Tell how a model on a table would have aged, and what each way of retraining would have cost.

    Trains on the past, lives the rest of the table in order of time, and sees nothing before its day.
    Nothing is written but what you name.

    Parameters
    ----------
    table:
        CSV, Parquet or Arrow, a folder of them, a dataset of this project such as NAME@2, or a database's URL with
        --query; one row is one case.
    time:
        The column with each row's time; where several make it, all of them: date,hour.
    target:
        The column to foretell.
    model:
        `module:factory` that returns an unfitted scikit-learn estimator; gradient boosting without.
    drop:
        Columns not to learn from; repeated, or with commas.
    keep:
        Columns that were refused as leaks, and are known in time.
    id:
        The column that names the row.
    train:
        The first model's training part: a share of the rows, or the date where it ends.
    window:
        A length of time such as 1w, or a number of rows such as 5000.
    windows:
        That many windows of equal count; 30 without.
    label_delay:
        How long after a row its target is known, such as 2w.
    metric:
        mae, mse or rmse; log_loss, brier or error.
    cost_retrain:
        What one retraining costs, in your money; needs --cost-loss.
    cost_loss:
        What one unit of loss on one row costs.
    prices:
        Prices of a retraining to compare at, in losses of the first window: 0.02,0.1,1.
    threshold:
        The loss that must not be crossed; halfway to a naive forecast without.
    seed:
        Same seed, same answer.
    budget:
        Seconds to keep to, by fewer rows and fewer models; says what it did.
    full:
        All rows everywhere, however long it takes.
    matrix:
        Also write the loss of every training tick and span on every later window here, as Parquet.
    html:
        Also write everything with its pictures here, as one page that needs no network.
    query:
        The rows, where the table is a database: sqlite:///FILE or postgresql://USER@HOST/DATABASE.
    """
    from solvent.backtest.document import document
    from solvent.backtest.options import (
        PRICES,
        WINDOWS,
        BadOption,
        Options,
        parse_delay,
        parse_prices,
        parse_train,
        parse_window,
    )
    from solvent.backtest.report.page import write_page
    from solvent.backtest.run import backtest
    from solvent.backtest.terminal import render

    if window is not None and windows is not None:
        raise BadOption("--window and --windows are two ways to say one thing", next="give one of them")
    width, count = parse_window(window) if window is not None else (None, None)
    found = backtest(
        Options(
            path=table,
            time=time,
            target=target,
            model=model,
            drop=_names(drop),
            keep=_names(keep),
            id=id,
            train=parse_train(train),
            windows=windows if windows is not None else WINDOWS,
            windows_given=windows is not None,
            width=width,
            count=count,
            label_delay=parse_delay(label_delay),
            metric=metric,
            cost_retrain=cost_retrain,
            cost_loss=cost_loss,
            prices=parse_prices(prices) if prices is not None else PRICES,
            threshold=threshold,
            seed=seed,
            budget=budget,
            full=full,
            matrix=matrix,
            html=html,
            query=query,
            files=_files(table),
        ),
        _progress,
    )
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if html is not None:
        write_page(found, html)
    show(document(found), render(found), json=json)
    for name, file in (("loss matrix", matrix), ("page", html)):
        if file is not None:
            note(f"The {name} is written: {file}")
    return Exit.FINE


def _names(parts: list[str] | None) -> tuple[str, ...]:
    return tuple(name for part in parts or [] for name in part.split(",") if name)


def _files(table: str) -> tuple[tuple[str, Path], ...]:
    """The files of a folder or of a dataset of this project, by name and place; none where the table is one itself."""
    if "://" in table or Path(table).is_file():
        return ()
    from solvent.governance.comparison.data import read_side
    from solvent.project import NoProject, Project

    if "@" not in table and not Path(table).is_dir():
        return ()
    try:
        project = Project.find()
    except NoProject:
        project = None
    side = read_side(table, Path.cwd(), project)
    return tuple((name, file.path) for name, file in sorted(side.files.items()))


def _progress(text: str) -> None:
    """One line on the terminal, written over by the next; nothing in a log."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{paint(f'  … {text}', 'soft', stream=sys.stderr)}")
        sys.stderr.flush()
