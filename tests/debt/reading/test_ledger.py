"""The ledger of a real project: real runs, a registered version in service, real failures."""

from datetime import timedelta

import pytest

from small_project import BEGIN, MODEL, PIPELINE, SETTINGS, START, make_project, rows, serve_week
from solvent.automation.promotion import register_run
from solvent.automation.tick import Loop
from solvent.debt.reading.ledger import ledger_of
from solvent.lineage.entities import Actor
from solvent.lineage.findings import ProjectAudit, Sighting, Spot
from solvent.pipeline import RunOptions, run_pipeline
from solvent.project import Project

ME = Actor(kind="person", name="tester")
THRESHOLD = SETTINGS.replace('unit = "units"', 'unit = "units"\nthreshold = 3.0')


def again(folder, **options):
    """The pipeline as it stands now, run whole."""
    project = Project(folder)
    return project, run_pipeline(project.root, project.spec, project.store, RunOptions(**options))


def told(project):
    threshold = lambda model: project.settings.model(model).monitor.threshold  # noqa: E731
    return ledger_of(project.store.facts, threshold, now=START + timedelta(weeks=60))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Version 1 in service for two weeks, of which the second went far off."""
    folder = make_project(tmp_path_factory.mktemp("ledger") / "p", THRESHOLD)
    project, run = again(folder, as_of=BEGIN)
    register_run(project, run, at=BEGIN, actor=ME)
    with Loop(project) as loop:
        for week, level in ((8, 0.0), (9, 40.0)):
            serve_week(project, week, rows(week, level=level))
            loop.tick(START + timedelta(weeks=week + 1))
    yield project
    project.close()


def test_a_project_in_good_order_owes_nothing_here(project):
    found = told(project)
    assert (found.cascades, found.stale, found.undeclared) == ([], [], None), "what ticks tried is not behind"
    assert "undeclared readers: no audit of this project is recorded" in found.left_out


def test_a_model_that_left_its_threshold_is_named(project):
    (past,) = told(project).past
    assert (past.model, past.number, past.threshold, past.unit) == (MODEL, 1, 3.0, "units")
    assert past.since == START + timedelta(weeks=9)
    assert past.took_days == 7


def test_another_features_step_puts_the_version_in_service_behind(project):
    (project.root / "pipeline.py").write_text(
        PIPELINE.replace('.sort("time")', '.sort("time").with_columns(price=1.0)')
    )
    later, run = again(project.root, as_of=BEGIN, targets=["features"])
    assert run.ok
    (stale,) = told(later).stale
    assert (stale.model, stale.number, stale.by) == (MODEL, 1, ["@champion", f"{MODEL}@champion"])
    assert [(one.step, one.causes) for one in stale.behind] == [("pipeline.features", ["code"])]
    later.close()


def test_a_failure_holds_up_the_steps_that_took_from_it(project):
    (project.root / "pipeline.py").write_text(
        PIPELINE.replace("-> pl.DataFrame:\n    return sales", "-> pl.DataFrame:\n    1 / 0\n    return sales")
    )
    later, run = again(project.root, as_of=BEGIN)
    assert not run.ok
    (worst,) = told(later).cascades
    assert (worst.step, worst.failures) == ("pipeline.features", 1)
    assert set(worst.held_up) == {"pipeline.train", "pipeline.test", "pipeline.fit"}
    later.close()


def test_undeclared_readers_are_the_open_findings_of_an_audit(project):
    spots = {"DAT001": 3, "DAT003": 5, "PIP008": 7}
    seen = [
        Sighting(fingerprint=code * 3, rule=code, spot=Spot(path="study.py", cell=0, line=line))
        for code, line in spots.items()
    ]
    project.store.facts.record_audit(ProjectAudit(at=BEGIN, rule_set="1", rules=frozenset(spots), sightings=seen))
    found = told(project)
    assert [(one.rule, one.line) for one in found.undeclared] == [("DAT001", 3), ("DAT003", 5)]
    assert not any("undeclared" in one for one in found.left_out)
