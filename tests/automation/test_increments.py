"""What one tick measured of a closed window no later tick reads again, and small steps say what a large one does."""

import shutil
from datetime import timedelta

import msgspec
import polars as pl
import pytest

from small_project import BEGIN, MODEL, SETTINGS, START, end, fitted, log_answers, make_project, rows, serve_week
from solvent.automation.evidence import SCORED, window_evidence
from solvent.automation.rows import served_rows
from solvent.automation.scoring import Scorer
from solvent.automation.state import NAME, LoopState, Shadow
from solvent.automation.tick import Loop
from solvent.automation.watching import ROWS_AT_ONCE, batched
from solvent.monitoring.windows import Window
from solvent.project import Project

OFF = SETTINGS.replace("[policy]", "[policy]\nenabled = false")


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The folder of a project that trains nothing: its first version is in service since BEGIN."""
    project = Project(make_project(tmp_path_factory.mktemp("begun") / "project", OFF))
    fitted(project, BEGIN)
    project.close()
    return project.root


@pytest.fixture
def project(begun, tmp_path):
    project = Project(shutil.copytree(begun, tmp_path / "project"))
    yield project
    project.close()


def served(root, begun, ticks, weeks=range(8, 14), labels=None, workers=0):
    """Weeks of service, ticked at the end of these; what is known afterwards, but when it was measured."""
    project = Project(shutil.copytree(begun, root))
    with Loop(project, workers=workers) as loop:
        for week in weeks:
            moved = rows(week, level=6.0 if week > 11 else 0.0)
            serve_week(project, week, moved, labels=labels is None)
            if labels is not None:
                labels(project, week, moved)
            if week in ticks:
                loop.tick(end(week))
    state = LoopState.of(project.store.facts.state(MODEL, NAME))
    measured = {
        (m.name, m.window_start): (m.value, m.lower, m.upper, m.rows)
        for m in project.store.facts.measurements(MODEL)
        if m.name not in ("loss.running", "performance")  # of all windows so far, once a tick
    }
    alerts = sorted((a.kind, a.title) for a in project.store.facts.alerts(MODEL))
    project.close()
    return state, measured, alerts


def test_ticks_in_parts_say_what_one_tick_says(begun, tmp_path):
    each, measured_each, alerts_each = served(tmp_path / "each", begun, ticks=range(8, 14))
    once, measured_once, alerts_once = served(tmp_path / "once", begun, ticks=[13])
    assert len(measured_once) > 6 * 5
    assert measured_each == measured_once
    assert alerts_each == alerts_once and "performance" in {kind for kind, _ in alerts_once}
    assert each.evidence == once.evidence
    for state in (each, once):
        state.monitor.performance.taken = {}  # by the clock of each tick
    assert each.monitor == once.monitor


def test_a_process_that_measures_says_what_the_loop_says(begun, tmp_path):
    here, measured_here, alerts_here = served(tmp_path / "here", begun, ticks=range(8, 14))
    there, measured_there, alerts_there = served(tmp_path / "there", begun, ticks=range(8, 14), workers=1)
    assert measured_there == measured_here and alerts_there == alerts_here
    assert there == here


def later(project, week, table):
    """Half of the week's labels at once, the rest a week later."""
    late = (pl.int_range(pl.len()) % 2 == 0).alias("late")
    known = table.with_columns(late).with_columns(
        known_at=pl.col("known_at") + pl.when("late").then(pl.duration(days=7)).otherwise(pl.duration())
    )
    names = {"sale": "prediction_id", "units": "label", "time": "happened_at", "known_at": "known_at"}
    project.store.log.append_outcomes(MODEL, known.select(names.keys()).rename(names).to_dict())


def test_late_labels_make_of_a_window_what_labels_in_time_would(begun, tmp_path):
    late, measured_late, _ = served(tmp_path / "late", begun, range(8, 15), range(8, 12), labels=later)
    _, measured, _ = served(tmp_path / "once", begun, [11], range(8, 12), labels=later)
    first = START + timedelta(weeks=8)
    assert measured_late["loss.realised", first] == measured["loss.realised", first]
    assert [e.labelled for e in late.evidence if e.start == first] == [168]
    assert [m for m in late.evidence if m.labelled < m.rows], "the newest window still waits for labels"


def test_segments_of_settled_windows_are_not_opened_again(project):
    facts, objects = project.store.facts, project.store.objects
    with Loop(project) as loop:
        for week in range(8, 12):
            for kind in ("predictions", "outcomes"):
                for segment in facts.segments(MODEL, kind, until=end(week - 2)):
                    if segment.last < end(week - 2):
                        objects.delete(segment.digest)  # whoever opens it now, fails
            serve_week(project, week, rows(week))
            (done,) = loop.tick(end(week)).models
            assert [m.value for m in done.measurements if m.name == "volume"] == [168]


def test_rows_that_come_late_to_a_settled_window_are_noticed(project):
    with Loop(project) as loop:
        table = rows(8)
        loaded = serve_week(project, 8, table.head(100))
        loop.tick(end(8))
        log_answers(project, loaded, table.tail(68))
        rest = table.tail(68)
        late = {"prediction_id": rest["sale"], "label": rest["units"], "happened_at": rest["time"]}
        project.store.log.append_outcomes(MODEL, late | {"known_at": rest["known_at"]})
        (done,) = loop.tick(end(8) + timedelta(days=1)).models
    (labelled,) = [m for m in done.measurements if m.name == "loss.realised"]
    assert labelled.rows == 168


def test_served_rows_are_read_with_the_features_that_are_asked_for(project):
    table = rows(8)
    loaded = serve_week(project, 8, table.reverse())
    log_answers(project, loaded, table.head(10))
    since, until = START + timedelta(weeks=8), end(8)
    some = served_rows(project.store, MODEL, since, until, known_by=until, features=["size", "unheard-of"])
    assert "f_size" in some.columns and "f_price" not in some.columns
    assert some["event_time"].to_list() == table["time"].to_list()
    assert some["label"].to_list() == table["units"].to_list()
    whole = served_rows(project.store, MODEL, since, until, known_by=until)
    assert whole.select(some.columns).equals(some)


def test_windows_are_read_together_as_far_as_their_rows_fit(project):
    for week in range(8, 11):
        serve_week(project, week, rows(week))
        project.store.log.seal(MODEL, "predictions", now=end(week))
    windows = [Window(end(week - 1), end(week)) for week in range(8, 12)]
    segments = project.store.facts.segments(MODEL, "predictions")
    assert list(batched(windows, segments)) == [windows]
    large = [msgspec.structs.replace(segment, rows=ROWS_AT_ONCE) for segment in segments]
    assert list(batched(windows, large)) == [[windows[0]], [windows[1]], windows[2:]]
    assert list(batched([windows[0], windows[2]], segments)) == [[windows[0]], [windows[2]]]


def test_outcomes_written_late_with_old_times_belong_to_their_rows_all_the_same(project):
    table, log = rows(8), project.store.log
    serve_week(project, 8, table, labels=False)
    known = {"prediction_id": table["sale"], "label": table["units"], "happened_at": table["time"]}
    long_ago = [START] * table.height
    log.append_outcomes(MODEL, known | {"known_at": long_ago, "recorded_at": [end(8)] * table.height})
    log.seal(MODEL, "outcomes", now=end(8))
    found = served_rows(project.store, MODEL, end(7), end(8), known_by=end(8))
    assert found["label"].to_list() == table["units"].to_list()


def test_of_very_many_rows_shadows_are_asked_about_an_even_draw(project):
    table = pl.concat([rows(8)] * 150).with_columns(sale=pl.int_range(pl.len()).cast(pl.String))
    serve_week(project, 8, table)
    served = served_rows(project.store, MODEL, end(7), end(8), known_by=end(8))
    version = project.store.facts.version(MODEL, 1)
    digest = version.artifact
    same = Shadow(span="all", made_at=BEGIN, run="", estimator=digest, training=digest, evaluation=digest, size=0)
    found = window_evidence(served, version, [same], Scorer(project.store), 1e9, start=end(7), end=end(8))
    exact = float((served["label"] - served["output"]).abs().sum())
    assert served.height > SCORED and found.labelled == found.rows == served.height
    assert found.loss == pytest.approx(exact, rel=0.02) and found.loss != exact
    assert found.shadows[0].loss == pytest.approx(found.loss)
    assert len(found.shadows[0].differences) == 7 and found.shadows[0].differences == pytest.approx([0] * 7, abs=1e-6)
