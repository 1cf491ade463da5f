"""Watch two models live through real years: retrained when it pays, held when it does not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from solvent.cli.program import Exit
from solvent.cli.show import next_step, note, paint, write_json
from solvent.foundation.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import TaskID

QUICK_WEEKS = 6


class NothingToLive(UsageError):
    code = "nothing-to-live"


class MissingExtra(UsageError):
    code = "missing-extra"


def command(
    folder: Path = Path("solvent-demo"),
    *,
    only: Literal["bikes", "flights"] | None = None,
    weeks: int | None = None,
    quick: bool = False,
    seed: int = 7,
    json: bool = False,
) -> Exit:
    """Watch two models live through real years: retrained when it pays, held when it does not.

    Writes a small ordinary project that is yours afterwards, and lives its years in it:
    bicycles in Washington DC, July 2011 to December 2012, then flights from New York,
    March to December 2013. Predictions over HTTP, outcomes, one tick a week.

    Parameters
    ----------
    folder:
        Where to write it; must be empty, or an earlier demo that nobody edited.
    only:
        One of the two lives.
    weeks:
        Of each life; all of them otherwise.
    quick:
        The first six weeks of each.
    seed:
        Of the label delays and of every fit: another seed, another story.
    """
    from solvent.demo.folder import LIVES

    if weeks is not None and weeks < 1:
        raise NothingToLive(f"{weeks} weeks are no life", next="--weeks 4")
    try:
        from solvent.demo.life import Options, live
        from solvent.demo.story import Story

        import_module("solvent.serving.server")  # the endpoint's process will need it
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{error.name} is not installed", next="pip install 'solvent[demo]'") from None

    lives = (only,) if only else LIVES
    options = Options(lives=lives, weeks=weeks or (QUICK_WEEKS if quick else None), seed=seed)
    story = Story(note if json else _out, paint)
    with _progress() as progress:
        ending = live(folder, options, story, progress)
    if json:
        write_json(ending)
    else:
        print(f"\n  Report: {ending.report}")
        model = "flight-delay" if only == "flights" else "bike-demand"
        print(next_step(f"open it, then `cd {folder}` and `solvent decisions`, `solvent lineage {model}@champion`"))
    return Exit.FINDINGS if ending.problems else Exit.FINE


def _out(line: str) -> None:
    print(line, flush=True)


def _quiet(_model: str, _week: int, _weeks: int) -> None:
    """No terminal, no progress."""


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """How far the life is, on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield _quiet
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("weeks"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty(), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def advance(model: str, week: int, weeks: int) -> None:
            if model not in tasks:
                tasks[model] = bar.add_task(model, total=weeks)
            bar.update(tasks[model], completed=week)

        yield advance
