"""A feature whose relation to the target wanders: found, left out, through the gate, served, and told."""

import json
import shutil

import numpy as np
import polars as pl
import pytest

from small_project import BEGIN, MODEL, SETTINGS, end, fitted, make_project, rows, serve_week
from solvent.automation.hindsight import look_back
from solvent.automation.leaving_out import typical
from solvent.automation.promotion import judge_version
from solvent.automation.scoring import Scorer
from solvent.automation.state import NAME, LoopState
from solvent.automation.tick import Loop
from solvent.lineage.entities import Action
from solvent.monitoring.policy import parts_of
from solvent.project import Project
from solvent.registry.package import load_version
from solvent.registry.references import resolve
from solvent.registry.signature import Signature
from solvent.serving.rows import EventClock
from solvent.serving.served import Request, ServedModel

ONE_SPAN = SETTINGS.replace('spans = ["all", "4w"]', 'spans = ["all"]')
RULES = {"compare": ONE_SPAN, "plan": ONE_SPAN.replace('rule = "compare"', 'rule = "plan"')}
WEEKS = range(8, 16)
TURNED = (10, 11, 12, *range(14, 18))  # weeks in which a larger size lowers what it raised before


def wandering(week: int) -> pl.DataFrame:
    """A week in which forty units more come of a large size than of a small one, and later on mostly as many less."""
    table = rows(week)
    sign = -1 if week in TURNED else 1
    return table.with_columns(units=pl.col("units") + sign * 40 * (pl.col("size") - 0.5))


def lived(root, settings, weeks=WEEKS):
    """A project whose history wanders as its life does, and the decisions of each week's tick."""
    project = Project(make_project(root, settings))
    pl.concat([wandering(week) for week in range(8)]).write_parquet(root / "sales" / "history.parquet")
    fitted(project, BEGIN)
    decided = []
    with Loop(project) as loop:
        for week in weeks:
            serve_week(project, week, wandering(week))
            (done,) = loop.tick(end(week)).models
            decided.append([made.decision for made in done.decisions])
    return project, decided


@pytest.fixture(scope="module", params=list(RULES))
def wandered(request, tmp_path_factory):
    """A life under either rule, and its decisions by tick. Read only."""
    project, decided = lived(tmp_path_factory.mktemp("wandered") / "project", RULES[request.param])
    yield project, decided
    project.close()


def state_of(project) -> LoopState:
    return LoopState.of(project.store.facts.state(MODEL, NAME))


def test_the_model_without_the_feature_is_proposed_passes_the_gate_and_says_why(wandered):
    _, decided = wandered
    retrained = [each for each in decided if each[0].evidence.get("span") == "all without size"]
    (retrain, promote), *_ = retrained
    assert (retrain.action, promote.action) == (Action.RETRAIN, Action.PROMOTE)
    assert "on all rows without `size`" in retrain.reason
    told = retrain.evidence["wanders"]
    assert f"`size` wanders: v{told['number']} without it would have lost {told['saved']:.0%} less" in retrain.reason
    assert (told["feature"], told["windows"]) == ("size", 4)
    assert 0.1 < told["saved"] < 1


def test_the_version_does_not_know_the_feature_and_whoever_asks_need_not_give_it(wandered):
    project, decided = wandered
    number = next(each[1].number for each in decided if each[0].evidence.get("span") == "all without size")
    loaded = load_version(project.store, resolve(project.store, f"{MODEL}/{number}"))
    signature = loaded.signature
    assert list(signature.features) == ["price"]
    assert signature.extras["size"] == "Float64"
    assert "price" in loaded.contract.by_name()
    assert "size" not in loaded.contract.by_name()
    asked = wandering(9)
    said = loaded.predict(asked).output
    assert np.array_equal(said, loaded.predict(asked.with_columns(size=pl.lit(1e6))).output)
    assert np.array_equal(said, loaded.predict(asked.drop("size")).output)
    learned = pl.read_parquet(project.store.objects.read(loaded.version.about["training"]))
    assert learned["size"].unique().to_list() == [signature.hidden[0].value]


def test_what_callers_still_send_of_it_is_logged_as_numbers_and_what_is_none_as_missing(wandered):
    project, decided = wandered
    number = next(each[1].number for each in decided if each[0].evidence.get("span") == "all without size")
    served = ServedModel(load_version(project.store, resolve(project.store, f"{MODEL}/{number}")))
    columns = {"sale": ["a", "b"], "price": [9.0, 9.0], "size": [0.5, "n/a"]}
    prepared = served.prepare(Request(columns=columns, rows=2), EventClock())
    outputs, logged = served.predict([prepared])
    assert logged["f_size"] == [0.5, None]
    assert outputs.output[0] == outputs.output[1]


def test_it_is_tried_once_and_its_fits_are_on_the_bill(wandered, tmp_path):
    project = Project(shutil.copytree(wandered[0].root, tmp_path / "copy"))
    state = state_of(project)
    (tried,) = state.tried
    version = resolve(project.store, f"{MODEL}/{tried.number}")
    assert (tried.made_at, tried.span) == (version.created_at, "all")
    assert set(state.hidden) <= {"all without size", "all without price"}
    with Loop(project) as loop:
        bill = look_back(project, MODEL, now=end(WEEKS[-1]), pools=loop.pools).cost("solvent")
    runs = [run for run in project.store.facts.runs() if parts_of(run.start.tags.get("shadow", ""))[1]]
    assert runs
    assert int(bill.note.partition(" ")[0]) >= len({run.start.parent for run in runs})
    project.close()


def test_ticks_go_on_after_it_without_a_broken_contract_and_with_shadows_that_know_the_feature(wandered):
    project, _ = wandered
    assert [alert.kind for alert in project.store.facts.alerts(MODEL) if alert.kind == "contract"] == []
    newest = state_of(project).evidence[-1]
    assert newest.labelled == newest.rows == 168
    assert any(parts_of(shadow.span)[1] == "" for shadow in newest.shadows)


def test_callers_may_stop_giving_the_feature_one_after_the_other_and_the_life_goes_on(wandered, tmp_path):
    project = Project(shutil.copytree(wandered[0].root, tmp_path / "copy"))
    served = resolve(project.store, f"{MODEL}@champion")
    assert served.about["span"] == "all without size"
    with Loop(project) as loop:
        for week in (16, 17):
            table = wandering(week)
            some = table.with_columns(size=pl.when(pl.int_range(pl.len()) % 2 == 0).then("size"))
            serve_week(project, week, table, given=some if week == 16 else table.drop("size"))
            (done,) = loop.tick(end(week)).models
            assert done.note == ""
        found = look_back(project, MODEL, now=end(17), pools=loop.pools)
    assert found.rows == 168 * 8 + 84
    newest = state_of(project).evidence[-1]
    assert (newest.labelled, newest.rows) == (168, 168)
    assert newest.shadows
    assert all(parts_of(shadow.span)[1] for shadow in newest.shadows)
    before = next(v for v in project.store.facts.versions(MODEL) if v.about["span"] == "all")
    policy = project.settings.model(MODEL).policy
    assert not judge_version(project.store, before, policy, Scorer(project.store), now=end(17)).passed
    project.close()


def test_a_pipeline_that_drops_constant_columns_is_told_and_the_tick_decides(tmp_path):
    project = Project(make_project(tmp_path / "project", RULES["plan"]))
    pipeline = project.root / "pipeline.py"
    text = pipeline.read_text()
    several = 'train.select(n for n in ("price", "size") if train[n].n_unique() > 1)'
    assert 'train.select("price", "size")' in text
    pipeline.write_text(text.replace('train.select("price", "size")', several))
    fitted(project, BEGIN)
    notes = []
    with Loop(project) as loop:
        for week in range(8, 13):
            serve_week(project, week, wandering(week))
            (done,) = loop.tick(end(week)).models
            assert done.decisions
            notes.append(done.note)
    assert any("cannot answer" in note for note in notes)
    assert all(parts_of(shadow.span)[1] == "" for shadow in state_of(project).shadows)
    project.close()


def test_the_installed_program_shows_what_is_hidden(wandered, solvent):
    project, decided = wandered
    number = next(each[1].number for each in decided if each[0].evidence.get("span") == "all without size")
    shown = solvent("models", "show", f"{MODEL}/{number}", cwd=project.root)
    assert shown.code == 0, shown.err
    assert "hidden" in shown.out
    told = json.loads(solvent("models", "show", f"{MODEL}/{number}", "--json", cwd=project.root).out)
    assert told["signature"]["hidden"][0]["name"] == "size"


def test_where_it_is_forbidden_nothing_is_tried(tmp_path):
    settings = RULES["plan"].replace("[policy]", "[policy]\nleave_out = false")
    project, _ = lived(tmp_path / "project", settings, weeks=range(8, 12))
    state = state_of(project)
    assert "worse" in state.monitor.episodes
    assert (state.wanders, state.tried, state.hidden) == (None, [], {})
    project.close()


def test_what_stands_for_a_column_occurs_in_it():
    assert typical(pl.Series([3, 1, 2, None])) == 2
    assert typical(pl.Series([0.5, float("nan"), 0.25, 0.75])) == 0.5
    assert typical(pl.Series(["b", "a", "b"])) == "b"
    assert typical(pl.Series(["b", "a", "b"], dtype=pl.Enum(["a", "b"]))) == "b"
    assert typical(pl.Series([True, True, False])) is True
    assert typical(pl.Series([None, None], dtype=pl.Float64)) is None
    assert typical(pl.Series([end(1)])) is None


def test_hiding_and_showing_again_is_the_signature_as_it_was():
    columns = {"a": "Float64", "b": "Int64", "c": "String", "d": "Float64"}
    whole = Signature(task="regression", target="y", metric="mae", features=columns, extras={"e": "Int64"})
    one = whole.hiding({"b": 3, "d": 0.5})
    assert (list(one.features), [h.at for h in one.hidden]) == (["a", "c"], [1, 3])
    assert one.extras == {"e": "Int64", "b": "Int64", "d": "Float64"}
    assert one.hiding({}) == whole
    assert one.hiding({"a": 1.0}) == whole.hiding({"a": 1.0})
    assert Signature.of(json.loads(json.dumps(one.as_dict(), sort_keys=True))) == one
    table = pl.DataFrame({"a": [1.0, 2.0], "c": ["x", "y"]})
    filled = one.completed(table)
    assert filled.columns == list(columns)
    assert filled["b"].to_list() == [3, 3]
    assert filled["d"].to_list() == [0.5, 0.5]
    assert table.columns == ["a", "c"]
