from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import msgspec
import pytest

from governance import lives
from solvent.governance.report.html import render_html
from solvent.governance.report.life import ChainState, Joint, LifeReport, ModelLife, Warn
from solvent.governance.report.terminal import render_life
from solvent.lineage.entities import Action

HOSTILE = '</script><img src=x onerror="alert(1)">&\'"'


class Page(HTMLParser):
    """Checks that tags are closed in order and collects what stands on the page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report_on(*models: ModelLife) -> LifeReport:
    return msgspec.structs.replace(lives.two_lives(), models=list(models))


def test_two_lives_make_a_page_that_is_whole_and_asks_no_one() -> None:
    source = render_html(lives.two_lives())
    page = Page(source)
    assert "One of two models was retrained; for the other no retraining would have paid" in page.text
    assert not re.search(r'(?:src|href)="(?!#)', source) and "url(http" not in source and "@import" not in source
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    targets = {str(a["href"]).removeprefix("#") for a in page.all("a") if a.get("href")}
    assert targets <= set(identifiers)


def test_every_picture_has_words_and_a_table_behind_it() -> None:
    page = Page(render_html(lives.two_lives()))
    pictures = [a for a in page.all("svg") if a.get("aria-hidden") != "true"]
    assert len(pictures) == 4 and all(a["role"] == "img" and a["aria-label"] for a in pictures)
    assert page.text.count("The figures behind the picture: 78 windows") == 1
    assert "22–28 Oct 2012" in page.text


def test_the_chain_stands_in_the_footer_and_a_broken_one_is_red() -> None:
    assert "chain of 72 decisions verified" in Page(render_html(lives.two_lives())).text
    broken = ChainState(length=72, head="ab" * 32, problems=["decision 3 was changed"])
    source = render_html(msgspec.structs.replace(lives.two_lives(), chain=broken))
    assert '<span class="st bad">■ chain broken: decision 3 was changed' in source


def test_nothing_in_the_facts_becomes_markup() -> None:
    life = lives.bikes()
    rulings = [
        msgspec.structs.replace(r, reason=HOSTILE, title=HOSTILE, by=HOSTILE, evidence={HOSTILE: [HOSTILE]})
        for r in life.rulings
    ]
    warnings = [
        msgspec.structs.replace(w, title=HOSTILE, cause=[(HOSTILE, HOSTILE)], kind="shock") for w in life.warnings
    ]
    moved = [msgspec.structs.replace(m, column=HOSTILE, unit=HOSTILE) for m in life.moved]
    bills = [msgspec.structs.replace(b, note=HOSTILE, policy=HOSTILE + b.policy, unit=HOSTILE) for b in life.bills]
    hostile = msgspec.structs.replace(
        life, name=HOSTILE, unit=HOSTILE, metric=HOSTILE, rulings=rulings, warnings=warnings, moved=moved, bills=bills
    )
    hostile = msgspec.structs.replace(hostile, joint=Joint(auc=0.9, columns=[HOSTILE]))
    source = render_html(msgspec.structs.replace(report_on(hostile, hostile), project=HOSTILE, about=HOSTILE))
    page = Page(source)
    assert page.all("img") == [] and "onerror" in page.text
    assert source.count("<script") == source.count("</script>") == 3


def test_joint_drift_is_told_beside_the_columns_that_moved() -> None:
    life = msgspec.structs.replace(lives.bikes(), joint=Joint(auc=0.931, columns=["month", "temp"]))
    said = "A classifier tells these rows from the evaluation's with an AUC of 0.93, by month, temp."
    assert said in Page(render_html(report_on(life))).text


def test_a_project_without_a_model_names_the_command_that_makes_one() -> None:
    empty = LifeReport(project="empty", models=[], chain=ChainState())
    assert "No model yet" in Page(render_html(empty)).text and "solvent run" in render_html(empty)
    assert render_life(empty)[-1] == "Next: solvent run"


def test_a_model_without_a_window_has_no_curve_and_says_what_to_do() -> None:
    page = Page(render_html(report_on(ModelLife(name="new"))))
    assert "new has not been measured yet" in page.text and "solvent tick" in page.text
    assert page.all("svg") == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_windows_make_a_picture_too(count: int) -> None:
    life = msgspec.structs.replace(lives.bikes(), windows=lives.bikes().windows[:count], warnings=[], rulings=[])
    assert len(Page(render_html(report_on(life))).all("svg")) == 2
    assert render_life(report_on(life))


def test_windows_without_labels_show_the_estimate_alone() -> None:
    windows = [msgspec.structs.replace(w, realised=None, never=None, labelled=0.0) for w in lives.bikes().windows]
    source = render_html(report_on(msgspec.structs.replace(lives.bikes(), windows=windows)))
    assert "no outcome has arrived yet" in Page(source).text
    assert 'class="band"' in source and "nan" not in source.lower().replace("governance", "")


def test_a_gap_in_the_windows_is_a_gap_in_the_line() -> None:
    life = lives.bikes()
    holed = [w for i, w in enumerate(life.windows) if i not in (30, 31, 32)]
    source = render_html(report_on(msgspec.structs.replace(life, windows=holed)))
    whole = render_html(report_on(life))
    assert source.count('class="line realised"') == 2 * whole.count('class="line realised"')


def test_ten_thousand_decisions_fold_into_a_page_of_bounded_size() -> None:
    life = lives.flights()
    start = life.windows[0].start
    actions = (Action.HOLD, Action.HOLD, Action.REFUSE)
    rulings = [
        lives.ruling(i, start + i * timedelta(hours=1), actions[i % 3], "held" if i % 3 else "refused", f"reason {i}")
        for i in range(10_000)
    ]
    source = render_html(report_on(msgspec.structs.replace(life, rulings=rulings)))
    assert "10,000" in source and "older decisions, by month" in source
    assert len(source) < 1_500_000


def test_holds_in_a_row_are_one_line_that_opens() -> None:
    page = Page(render_html(report_on(lives.flights())))
    assert "held, 43 times" in page.text and "the 42 times before" in page.text


def test_thousands_of_windows_are_drawn_as_averages() -> None:
    life = lives.bikes()
    week = life.windows[0]
    many = [
        msgspec.structs.replace(week, start=week.start + i * lives.WEEK, end=week.start + (i + 1) * lives.WEEK)
        for i in range(3000)
    ]
    source = render_html(report_on(msgspec.structs.replace(life, windows=many, warnings=[], rulings=[])))
    assert "Each point is 10 weeks" in source and len(source) < 1_000_000


def test_a_note_is_told_but_is_no_warning() -> None:
    life = lives.bikes()
    week = life.windows[5]
    note = Warn(
        key="n", at=week.end, window_start=week.start, window_end=week.end, kind="recovered", title="well", note=True
    )
    page = Page(render_html(report_on(msgspec.structs.replace(life, warnings=[note], bills=[]))))
    assert "All warnings: 1" in page.text and "none so far" in page.text


def test_the_terminal_tells_the_same_in_eighty_columns() -> None:
    lines = render_life(lives.two_lives())
    assert max(map(len, lines)) <= 80
    assert lines[0] == "One of two models was retrained; for the other no retraining would have paid"
    assert any("43 against 73 rentals/hour" in line for line in lines)
    assert lines[-1].startswith("Next: ")


def test_real_events_are_written_into_the_picture_with_what_was_decided() -> None:
    source = render_html(report_on(lives.bikes()))
    assert ">29 Oct: error 2.6 times the usual, held</text>" in source
    life = lives.bikes()
    broken = life.warnings[3]
    twice = [*life.warnings[:4], msgspec.structs.replace(broken, key="other", title="windspeed constant")]
    assert "temp in °F, windspeed constant, and 1 more" in render_html(
        report_on(msgspec.structs.replace(life, warnings=twice))
    )
