"""Score an audit's forecast against what came since."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from solvent.cli.program import Exit
from solvent.cli.show import next_step, note, paint, show

if TYPE_CHECKING:
    from solvent.debt.reading.git import Git
    from solvent.debt.reading.sources import Tree
    from solvent.debt.replay import Scored


def command(path: Path = Path(), *, days: float = 30, forecast: Path | None = None, json: bool = False) -> Exit:
    """Score an audit's forecast against what came since: commits and repairs in each file.

    In a project the newest forecast that an audit stored and that is old enough is scored, by everything that came
    since. Elsewhere, and where there is none, the commit of that day is audited by today's rules and the history up
    to it; then the commits of as many days are counted.

    Parameters
    ----------
    path:
        A folder in a git checkout.
    days:
        How old the forecast is at least.
    forecast:
        Score the forecast in this file, whatever its age; `solvent audit --forecast FILE` writes one.
    """
    from solvent.debt.audit import active_rules
    from solvent.debt.reading.cache import Cache, cache_folder
    from solvent.debt.reading.git import UnknownRevision
    from solvent.debt.reading.sources import source_of
    from solvent.debt.replay import TooYoung, replay
    from solvent.debt.report.score import render_score

    source = source_of(path)
    if source.git is None:
        raise UnknownRevision(f"{source.folder} is in no git checkout", next="a score needs commits")
    if forecast is not None:
        found = _of_file(source.git, forecast)
    else:
        stored, why = _stored(source, source.git, days)
        try:
            found = stored or replay(source.git, active_rules(preview=False), days, cache=Cache(cache_folder()))
        except TooYoung as error:
            what = f"{why}, and {error.what}" if why else error.what
            raise TooYoung(what, where=error.where, next=error.next) from None
        found = msgspec.structs.replace(found, why=why)
    lines = [*render_score(found, paint=paint), "", next_step("`solvent audit --history 50` tells the trend")]
    show(found, lines, json=json)
    return Exit.FINE


def _of_file(git: Git, file: Path) -> Scored:
    from solvent.debt.forecasting import read_forecast
    from solvent.debt.replay import score_kept

    kept, made = read_forecast(file)
    return score_kept(git, made, "file", kept.commit, kept.at.timestamp(), time.time())


def _stored(source: Tree, git: Git, days: float) -> tuple[Scored | None, str]:
    """The score of a forecast that the project's store keeps, which is recorded there; or why there is none."""
    from solvent.cli.audited import own_project
    from solvent.debt.forecasting import from_figures
    from solvent.debt.replay import score_kept
    from solvent.foundation.clock import wall_clock
    from solvent.foundation.errors import SolventError

    now = wall_clock()
    with own_project(source) as project:
        if project is None:
            return None, ""
        try:
            facts = project.store.facts
            kept = facts.forecasts(now - timedelta(days=days))
        except (SolventError, OSError) as error:
            return None, f"The store cannot be read ({error})"
        if not kept:
            return None, f"No forecast that an audit stored here is {days:g} days old"
        one = kept[0]
        made = from_figures(one.figures)
        found = score_kept(git, made, "stored", one.git_commit, one.at.timestamp(), now.timestamp())
        try:
            facts.record_score(one.key, msgspec.to_builtins(found.score), now)
        except (SolventError, OSError) as error:
            note(f"the score is not recorded: {error}")
    return found, ""
