"""Lives that a test may end at any moment: each tells what it was acknowledged, and may be lived again from the start.

A life runs in a process of its own, forked from one that has imported the heavy
libraries already, so that many kills cost little.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from small_project import BEGIN, MODEL, START, rows, serve_week
from solvent.automation.promotion import register_run
from solvent.automation.tick import Loop
from solvent.lineage.entities import Actor
from solvent.pipeline import RunOptions, WorkerPool, run_pipeline
from solvent.project import Project
from solvent.registry.versions import promote

ME = Actor(kind="person", name="tester")
RUNS, WEEKS, BATCHES = 4, range(8, 12), 40
PROMOTIONS = [(BEGIN + timedelta(minutes=minute), 2 - minute % 2) for minute in range(60)]
MOVED = 9  # the week from which the relation is another one
BATCH = 20  # rows
WARM = ["solvent.automation.tick", "solvent.automation.promotion", "sklearn.linear_model", "skops.io", "sqlalchemy"]

Tell = Callable[[Any], None]
Life = Callable[[Path, Tell], None]


def runs(root: Path, tell: Tell) -> None:
    """The pipeline as of one day after the other; tells each version."""
    project = Project(root)
    with WorkerPool(root, workers=1) as pool:
        for number in range(RUNS):
            at = BEGIN - timedelta(days=RUNS - 1 - number)
            run = run_pipeline(root, project.spec, project.store, RunOptions(as_of=at), pool=pool)
            assert run.ok, run.document()
            tell(run.key)
            for version in register_run(project, run, at=at, actor=ME):
                tell(version.number)


def weeks(root: Path, tell: Tell) -> None:
    """Weeks of service, each with its tick; tells each decision."""
    project = Project(root)
    facts = project.store.facts
    with Loop(project) as loop:
        for week in WEEKS:
            end = START + timedelta(weeks=week + 1)
            last = facts.last_tick(MODEL)
            if last is not None and last > end:
                continue
            if not (root / "sales" / f"week-{week:03}.parquet").exists():
                serve_week(project, week, rows(week, level=8.0 if week >= MOVED else 0.0))
            (done,) = loop.tick(end).models
            tell([made.key for made in done.decisions])


def promotions(root: Path, tell: Tell) -> None:
    """Two versions in turn put into service by a person who is sure; tells each decision."""
    project = Project(root)
    for at, number in PROMOTIONS:
        tell(promote(project.store, MODEL, number, actor=ME, at=at, waiver="a drill", effect=f"drill {at}").key)


def logging(root: Path, tell: Tell) -> None:
    """Answers and outcomes logged in batches, sealed now and then; tells each batch's ids."""
    project = Project(root)
    log = project.store.log
    answered, known = logged(project)
    for number in range(BATCHES):
        ids = [f"{number}-{row}" for row in range(BATCH)]
        at = [BEGIN] * BATCH
        if not set(ids) <= set(answered):
            log.append_predictions(MODEL, _answers(ids, number))
        if not set(ids) <= set(known):
            log.append_outcomes(
                MODEL, {"prediction_id": ids, "label": [1.0] * BATCH, "happened_at": at, "known_at": at}
            )
        tell(ids)
        if number % 5 == 4:
            log.seal(MODEL, "predictions", now=BEGIN)
            log.seal(MODEL, "outcomes", now=BEGIN)


def logged(project: Project) -> tuple[list[str], list[str]]:
    """Prediction ids of the answers and of the outcomes in the log."""
    log = project.store.log
    answers, outcomes = (
        scan.select("prediction_id").collect()["prediction_id"].to_list()
        for scan in (log.scan_predictions(MODEL), log.scan_outcomes(MODEL))
    )
    return answers, outcomes


def _answers(ids: list[str], number: int) -> dict[str, Any]:
    at = pl.Series([BEGIN] * len(ids))
    same: dict[str, Any] = {"request_id": "r", "version": 1, "output": 1.0, "output_classes": None, "flags": []}
    same |= {"f_price": float(number), "f_size": 0.5}
    columns = {name: [value] * len(ids) for name, value in same.items()}
    return {"prediction_id": ids, "event_time": at, "answered_at": at, **columns}


def live(life: Life, root: Path, *, kill: random.Random | None = None, acknowledgements: int = 0) -> list[Any]:
    """Live in a process of its own; what it told.

    kill: it gets kill -9 after up to so many acknowledgements and a moment more.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(WARM)
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_tell_all, args=(life, root, writer))
    process.start()
    writer.close()
    told: list[Any] = []
    if kill is not None:
        _receive(reader, told, kill.randint(0, acknowledgements))
        time.sleep(kill.expovariate(1 / 0.25))
        process.kill()
    _receive(reader, told, None)
    process.join()
    code = process.exitcode
    process.close()
    assert code == 0 or kill is not None, f"the undisturbed life ended with {code}"
    return told


def _receive(reader: Any, told: list[Any], count: int | None) -> None:
    """Take `count` things that are told, or all; what was not told in full was not told."""
    try:
        while count is None or count > 0:
            told.append(reader.recv())
            count = None if count is None else count - 1
    except EOFError:
        return


def _tell_all(life: Life, root: Path, writer: Any) -> None:
    life(root, writer.send)
