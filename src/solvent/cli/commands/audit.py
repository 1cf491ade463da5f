"""Tell what technical debt a repository owes, priced, without running anything of it."""

from __future__ import annotations

import sys
import time as clock
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from solvent.cli.program import Exit
from solvent.cli.show import next_step, note, paint, show, spark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from solvent.debt.audit import Audit
    from solvent.debt.reading.cache import Cache
    from solvent.debt.reading.git import Git
    from solvent.debt.reading.sources import Tree
    from solvent.debt.report.view import View
    from solvent.debt.rules.base import Rule
    from solvent.foundation.settings import DebtSettings


def command(
    path: Path = Path(),
    *,
    all: bool = False,
    rule: list[str] | None = None,
    preview: bool = False,
    fail_on: Literal["E", "W", "I"] | None = None,
    new_since: str = "",
    baseline: Path | None = None,
    write_baseline: Path | None = None,
    history: int | None = None,
    explain_flow: bool = False,
    sarif: Path | None = None,
    html: Path | None = None,
    forecast: Path | None = None,
    github: bool = False,
    markdown: bool = False,
    json: bool = False,
) -> Exit:
    """Tell what technical debt a repository owes, priced, without running anything of it.

    Reads scripts, notebooks, declarations and git history. In a project with a store, an audit of the whole project
    by all rules is recorded there. Exits with 1 where it finds debt.

    Parameters
    ----------
    path:
        A folder or one file.
    all:
        List all findings, not the five best paying ones.
    rule:
        Only rules whose code begins so: DAT, DAT101; repeated, or with commas.
    preview:
        Also rules that have not shown yet that they are right often enough.
    fail_on:
        The least severity that makes the exit code 1: E, W or I.
    new_since:
        Only what came since this git revision counts.
    baseline:
        Only what is not in this file counts.
    write_baseline:
        Write what is owed now to this file.
    history:
        Tell the trend over so many commits instead, and which took on debt and which paid.
    explain_flow:
        Tell of one file instead what is believed of its rows: origin, part, what learnt from them.
    sarif:
        Also write SARIF 2.1.0 here.
    html:
        Also write one page for people here.
    forecast:
        Also write what this audit foretells here, for `solvent debt score`.
    github:
        Print annotations for GitHub Actions.
    markdown:
        Print a comment for a pull request.
    """
    from solvent import __version__
    from solvent.debt.audit import active_rules, against, audit
    from solvent.debt.baseline import read_baseline
    from solvent.debt.baseline import write_baseline as write
    from solvent.debt.reading.cache import Cache, cache_folder
    from solvent.debt.reading.sources import OneFile, source_of
    from solvent.debt.report import document, terminal
    from solvent.debt.report.github import annotated
    from solvent.debt.report.markdown import markdown as markdown_lines
    from solvent.debt.report.sarif import sarif as sarif_document
    from solvent.foundation.clock import wall_clock

    if explain_flow:
        return _explained(path, json=json)
    begun = clock.perf_counter()
    source = source_of(path)
    settings = _settings(source)
    wanted = [code.strip().upper() for part in rule or [] for code in part.split(",") if code.strip()]
    rules = active_rules(preview=preview or settings.preview, wanted=wanted)
    cache = Cache(cache_folder())
    if history is not None:
        return _history(source, rules, history, settings, cache, json=json)
    found = audit(source, rules, ignore=settings.ignore, cache=cache, progress=_progress)
    if write_baseline is not None:
        count = write(found, write_baseline)
        note(f"{count} findings are known from now on: {write_baseline}")
    if baseline is not None or new_since:
        listed = Counter(read_baseline(baseline) if baseline is not None else [])
        earlier = Counter(_known_at(source, new_since, found, settings, cache) if new_since else [])
        found = against(found, (listed | earlier).elements())
    now = wall_clock()
    seen, made = _priced(found, source, now, begun, whole=not wanted and not isinstance(source, OneFile))
    _cleared()
    if forecast is not None:
        _write_forecast(forecast, made, source, now)
    if sarif is not None:
        _write(sarif, msgspec.json.format(msgspec.json.encode(sarif_document(seen, __version__)), indent=1))
    if html is not None:
        _write(html, _page(seen, source, settings).encode())
    if github or markdown:
        lines = [*(annotated(seen) if github else ()), *(markdown_lines(seen) if markdown else ())]
    else:
        lines = [*terminal.render(seen, paint=paint, rest=all), "", next_step(terminal.next_steps(seen))]
    show(document.document(seen) if json else None, lines, json=json)
    failing = "EWI"[: "EWI".index(fail_on or settings.fail_on) + 1]
    bad = any(item.finding.severity in failing for item in seen.first)
    return Exit.FINDINGS if bad and write_baseline is None else Exit.FINE


def _explained(path: Path, *, json: bool) -> Exit:
    from solvent.debt.facts.document import Unreadable, read_document
    from solvent.debt.facts.file import FileFacts
    from solvent.debt.flow.explain import explain
    from solvent.foundation.errors import UsageError

    try:
        lines = explain(FileFacts(read_document(path.name, path.read_bytes())))
    except (OSError, Unreadable) as error:
        raise UsageError(f"{path} cannot be followed: {error}", next="name one Python file or notebook") from None
    show(lines, lines or ["nothing in it learns from rows"], json=json)
    return Exit.FINE


def _priced(
    found: Audit, source: Tree, now: datetime, begun: float, *, whole: bool
) -> tuple[View, dict[str, Any] | None]:
    """What is found with its price, and what that foretells, None where no history tells how often files change.

    In a project of the one who audits rates come from its ledger, and an audit of the whole is recorded there.
    """
    from solvent.cli.audited import own_project, record, with_ledger
    from solvent.debt.forecasting import figures, forecasts
    from solvent.debt.reading.past import past_of
    from solvent.debt.report.view import view

    past = past_of(source.git, found.repository, now.timestamp())
    with own_project(source) as project:
        past = with_ledger(past, project, found)
        seen = view(found, past, seconds=clock.perf_counter() - begun)
        made = figures(forecasts(found, past, seen.monthly)) if past.history.files else None
        if project is not None and whole:
            seen = msgspec.structs.replace(seen, record=record(project, found, source, at=now, forecast=made))
    return seen, made


def _settings(source: Tree) -> DebtSettings:
    """Of the repository that is audited; one whose settings cannot be read is audited all the same."""
    from solvent.foundation.settings import BadSettings, DebtSettings, load_settings

    try:
        return load_settings(source.folder).debt
    except BadSettings as error:
        note(f"settings are left aside: {error}")
        return DebtSettings()


def _known_at(source: Tree, revision: str, found: Audit, settings: DebtSettings, cache: Cache) -> list[str]:
    """Fingerprints of what was owed at a git revision, by the rules of today."""
    from solvent.debt.audit import audit
    from solvent.debt.reading.git import Blobs
    from solvent.debt.reading.sources import Revision

    git = _git(source)
    with Blobs(git) as blobs:
        before = Revision(git, git.resolve(revision), blobs)
        known = audit(before, list(found.rules.values()), ignore=settings.ignore, cache=cache)
    return [finding.fingerprint for finding in known.findings if finding.state == "open"]


def _page(seen: View, source: Tree, settings: DebtSettings) -> str:
    from solvent.debt.report.page import audit_page
    from solvent.debt.report.words import Money

    money = Money(settings.hourly_rate, settings.currency) if settings.hourly_rate else None
    return audit_page(seen, source.folder.resolve().name, money=money)


def _write_forecast(file: Path, made: dict[str, Any] | None, source: Tree, at: datetime) -> None:
    from solvent.debt.forecasting import write_forecast
    from solvent.debt.rules.base import RULE_SET

    if made is None:
        note("no forecast is written: no git history tells how often a file changes")
        return
    commit = source.git.head() if source.git is not None else None
    _written(file, lambda: write_forecast(file, made, at=at, commit=commit, rule_set=RULE_SET))


def _history(
    source: Tree, rules: Sequence[Rule], most: int, settings: DebtSettings, cache: Cache, *, json: bool
) -> Exit:
    from solvent.debt.report.trend import render_trend, trend_document
    from solvent.debt.trend import trend

    git = _git(source)
    points = trend(git, rules, most, ignore=settings.ignore, cache=cache, progress=_progress)
    _cleared()
    lines = [*render_trend(points, paint=paint, spark=spark), "", next_step("`solvent audit` tells what to pay first")]
    show(trend_document(points), lines, json=json)
    return Exit.FINE


def _git(source: Tree) -> Git:
    from solvent.debt.reading.git import UnknownRevision

    if source.git is None:
        raise UnknownRevision(f"{source.folder} is in no git checkout", next="`--baseline FILE` works without git")
    return source.git


def _write(file: Path, text: bytes) -> None:
    _written(file, lambda: file.write_bytes(text))


def _written(file: Path, write: Callable[[], object]) -> None:
    from solvent.foundation.errors import UsageError

    try:
        write()
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}", next="name a file in a folder that exists") from None
    note(f"written: {file}")


def _progress(done: int, files: int) -> None:
    if sys.stderr.isatty() and done % 20 == 0:
        print(f"\r  … {done:,} of {files:,} files", end="", file=sys.stderr, flush=True)


def _cleared() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
