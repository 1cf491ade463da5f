"""Make the folder you stand in a Solvent project."""

from __future__ import annotations

import tomllib
from pathlib import Path
from textwrap import wrap

from solvent.cli.program import Exit
from solvent.cli.show import next_step, show
from solvent.foundation.errors import UsageError, nearest

HOW = "solvent backtest TABLE --time T --target Y --json > backtest.json"
SETTINGS = """\
# Nothing here is required: every line shows a default. docs/reference/settings.md explains them all.

[monitor]
# window = "1w"                 # one figure a week
# false_alarms_per_year = 1.0   # per model, over everything watched

[policy]
# rule = "plan"                 # or "compare": a fresh model of every span at every tick
# loss = 1.0                    # price of one unit of loss on one prediction
# rollout = "0.3 windows"       # price of putting a new version into service, here in windows' loss
# fit = "0.005 windows"         # price of one training
# spans = ["all", "10w"]        # training spans to choose from
# approval = false              # true: a person must approve each promotion
"""

PIPELINE = '''\
"""Predict {target} from the other columns of {table}."""

import polars as pl
from sklearn.ensemble import {estimator}
from solvent import model, source, step

table = source("{table}", time="{time}", known_at="{time}")


@step
def features(table: pl.LazyFrame) -> pl.DataFrame:
    return table.drop_nulls("{target}").collect().sort("{time}")


@step
def train(features: pl.DataFrame, *, test_share: float = 0.2) -> pl.DataFrame:
    return features.head(int(len(features) * (1 - test_share)))


@step
def test(features: pl.DataFrame, *, test_share: float = 0.2) -> pl.DataFrame:
    return features.tail(len(features) - int(len(features) * (1 - test_share)))


@step
def fit(train: pl.DataFrame, *, seed: int = 7) -> {estimator}:
    inputs = train.select(pl.selectors.numeric() | pl.selectors.boolean()).drop("{target}"{strict})
    return {estimator}(random_state=seed).fit(inputs, train["{target}"])


{name} = model(estimator=fit, evaluation=test, features=features, task="{task}", target="{target}",
              metric="{metric}", time="{time}")
'''


class AlreadyThere(UsageError):
    code = "already-there"


class BadBacktest(UsageError):
    code = "bad-backtest"


class BadTable(UsageError):
    code = "bad-table"


def command(
    *,
    example: bool = False,
    table: str | None = None,
    time: str | None = None,
    target: str | None = None,
    from_backtest: Path | None = None,
    json: bool = False,
) -> Exit:
    """Make the folder you stand in a Solvent project.

    Writes a commented `solvent.toml`; with a table, its time column and its target
    also a first `pipeline.py`. Files that are there already stay as they are.

    Parameters
    ----------
    example:
        Also write `rides.csv`, half a year of hourly bicycle rentals, for the quick start.
    table:
        A CSV or Parquet file of this folder to start from.
    time:
        Its column of event times.
    target:
        The column to predict.
    from_backtest:
        What `solvent backtest --json` printed: the recommended policy becomes the settings.
    """
    root = Path.cwd()
    settings = recommended(from_backtest) if from_backtest else SETTINGS
    if from_backtest and (root / "solvent.toml").exists():
        raise AlreadyThere(
            "solvent.toml is there already, and stays as it is",
            where=str(root),
            next=f"put into it what is recommended:\n{settings}",
        )
    written = [_write(root / "solvent.toml", settings)]
    if example:
        written.append(_write(root / "rides.csv", _example()))
    if table:
        written.append(_write(root / "pipeline.py", _pipeline(root, table, time, target)))
    names = [path.name for path in written if path is not None]
    todo = (
        "`solvent run`"
        if (root / "pipeline.py").exists()
        else "write pipeline.py (README, quick start), then `solvent run`"
    )
    lines = [f"This folder is a Solvent project ({', '.join(names) or 'nothing new written'})", next_step(todo)]
    show({"root": str(root), "written": names}, lines, json=json)
    return Exit.FINE


def recommended(file: Path) -> str:
    """The settings that a backtest recommends, with its reason above. Raises: BadBacktest."""
    import msgspec

    from solvent.foundation.settings import parse_settings

    try:
        advice = msgspec.json.decode(file.read_bytes())["recommendation"]
        reason, config = str(advice["reason"]), str(advice["config"])
        parse_settings(tomllib.loads(config), str(file))
    except OSError as error:
        raise BadBacktest(f"cannot read {file}: {error.strerror or error}", next=HOW) from None
    except (msgspec.DecodeError, KeyError, TypeError, tomllib.TOMLDecodeError):
        raise BadBacktest(f"{file} is not what `solvent backtest --json` prints", next=HOW) from None
    why = "\n".join(f"# {line}" for line in wrap(reason, 100))
    return f"{why}\n\n{config}\n"


def _write(path: Path, text: str) -> Path | None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return None
    except OSError as error:
        raise UsageError(f"cannot write {path.name}: {error.strerror}", where=str(path.parent)) from None
    return path


def _example() -> str:
    from solvent.demo.world import Bikes

    bikes = Bikes.load()
    return bikes.rows.filter(bikes.rows["known_at"] <= bikes.start).drop("known_at").write_csv()


def _pipeline(root: Path, table: str, time: str | None, target: str | None) -> str:
    import polars as pl

    path = root / table
    if not path.exists():
        raise BadTable(f"no file {table}", where=str(root))
    scan = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, try_parse_dates=True)
    schema = scan.collect_schema()
    if time is None or target is None:
        raise BadTable("which column is the time, which the target?", where=table, next="--time COLUMN --target COLUMN")
    for column in (time, target):
        if column not in schema:
            raise BadTable(f"no column `{column}`", where=table, next=nearest(column, list(schema), ", ".join(schema)))
    binary = schema[target] == pl.Boolean or scan.select(pl.col(target).n_unique()).collect().item() == 2
    return PIPELINE.format(
        table=table,
        time=time,
        target=target,
        name=f"{target}_model".replace("-", "_").replace(" ", "_"),
        task="binary" if binary else "regression",
        estimator="HistGradientBoostingClassifier" if binary else "HistGradientBoostingRegressor",
        strict=", strict=False" if binary else "",
        metric="log_loss" if binary else "mae",
    )
