"""A short real life: everything that the demonstration tells is in the store afterwards."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from solvent.demo.life import Ending, Options, live
from solvent.demo.story import Story
from solvent.lineage.entities import Action
from solvent.pages.words import day
from solvent.project import Project

MODEL = "bike-demand"
WEEKS, BROKEN = 5, 1


class Lived:
    """A life of five weeks, the second of them broken upstream, with the lines that were told."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        options = Options(lives=("bikes",), weeks=WEEKS, broken=BROKEN)
        self.ending: Ending = live(folder, options, Story(self.lines.append), lambda *_: None)
        self.project = Project(folder)
        self.facts = self.project.store.facts

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def losses(self, name: str) -> list[float | None]:
        return [m.value for m in self.facts.measurements(MODEL, [name])]

    def bill(self, policy: str) -> dict:
        (found,) = self.facts.measurements(MODEL, [f"cost.{policy}"])
        return {"cost": found.value, **found.about}


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    lived = Lived(tmp_path_factory.mktemp("demo") / "life")
    yield lived
    lived.project.close()


def test_every_week_was_served_measured_and_decided(lived):
    assert lived.losses("volume") == [168.0] * WEEKS
    assert all(loss is not None and 0 < loss < 500 for loss in lived.losses("loss.realised"))
    by_policy = [d for d in lived.facts.decisions(MODEL) if d.decision.policy]
    assert len({d.decision.at for d in by_policy}) == WEEKS


def test_the_story_has_a_line_a_week_with_what_the_store_says(lived):
    begun = [week.window_start for week in lived.facts.measurements(MODEL, ["loss.realised"])]
    for start, loss in zip(begun, lived.losses("loss.realised"), strict=True):
        (line,) = [line for line in lived.lines if line.startswith(f"  {day(start)} ")]
        assert line.split()[3:6] == ["168", "v1", f"{loss:.0f}"]
    assert max(map(len, lived.lines)) <= 100


def test_the_broken_week_is_named_by_column_and_cause_and_its_answers_are_flagged(lived):
    told = {alert.cause["column"]: alert for alert in lived.facts.alerts(MODEL) if alert.kind == "contract"}
    assert set(told) == {"temp", "humidity"}
    assert "°F" in told["temp"].title and "constant" in told["humidity"].title
    assert all(alert.title in lived.text for alert in told.values())
    start = told["temp"].window_start
    rows = lived.project.store.log.scan_predictions(MODEL, start, start + timedelta(weeks=1)).collect()
    assert rows["flags"].list.len().gt(0).mean() > 0.25


def test_what_was_trained_on_the_broken_week_does_not_pass_by_provenance(lived):
    refused = lived.facts.decisions(MODEL, action=Action.REFUSE)
    assert any("broken contract" in made.decision.reason and "temp" in made.decision.reason for made in refused)
    assert lived.facts.alias(MODEL, "champion") == 1
    assert "injected" in lived.text


def test_looking_back_agrees_with_what_was_lived(lived):
    """With v1 in service all along, what never retraining would have cost is what was lost."""
    assert lived.losses("counterfactual.never") == pytest.approx(lived.losses("loss.realised"))
    never, ours, oracle = lived.bill("never"), lived.bill("solvent"), lived.bill("oracle")
    planned = [made.decision for made in lived.facts.decisions(MODEL) if "trained" in made.decision.evidence]
    bought = sum(len(one.evidence["trained"]) for one in planned)
    last = max(one.at for one in planned)  # what is fitted there could serve from the next window on
    fits = bought + sum(one.action is Action.RETRAIN and one.at < last for one in planned)
    fit = lived.project.settings.model(MODEL).policy.fit
    assert ours["retrained"] == never["retrained"] == 0
    assert ours["error"] == pytest.approx(never["error"])
    assert ours["cost"] == pytest.approx(never["cost"] + fits * float(fit))
    assert ours["note"] == f"{fits} shadows paid for"
    assert oracle["cost"] <= lived.bill("hindsight")["cost"] <= never["cost"]


def test_the_chain_holds_and_the_report_is_one_self_contained_page(lived):
    assert lived.ending.problems == []
    page = lived.ending.report.read_text("utf-8")
    assert MODEL in page and "Faults were injected" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "src=" not in page


def test_the_installed_program_lives_a_life_and_leaves_a_project_that_runs(solvent, tmp_path):
    answer = solvent("demo", "life", "--only", "bikes", "--weeks", "1", "--json", cwd=tmp_path)
    assert answer.code == 0, answer.err
    ending = json.loads(answer.out)
    assert (ending["decisions"], ending["problems"]) == (2, [])
    assert "healthy" in answer.err  # the story goes to stderr where the answer is JSON
    assert solvent("verify", cwd=tmp_path / "life").code == 0
    listed = json.loads(solvent("models", "list", "--json", cwd=tmp_path / "life").out)
    assert [model["name"] for model in listed] == [MODEL]


def test_weeks_must_be_at_least_one(solvent, tmp_path):
    answer = solvent("demo", "life", "--weeks", "0", cwd=tmp_path)
    assert answer.code == 2 and "0 weeks are no life" in answer.err
    assert list(tmp_path.iterdir()) == []
