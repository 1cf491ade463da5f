from datetime import timedelta

import msgspec
import pytest

from governance import lives
from solvent.governance.report.life import Health, ModelLife, Warn, Window
from solvent.governance.report.verdict import (
    alternative,
    gain,
    health,
    none_would_pay,
    pooled,
    report_title,
    retrainings,
    subtitle,
    title,
    with_and_without,
)
from solvent.pages.figures import Figure


def changed(life: ModelLife, **fields: object) -> ModelLife:
    return msgspec.structs.replace(life, **fields)


def test_the_titles_say_how_it_is_and_what_was_done() -> None:
    bikes, flights = lives.bikes(), lives.flights()
    assert title(bikes) == "bike-demand is healthy: 13 retrainings cut its error from 73 to 43 rentals/hour"
    assert title(flights) == "flight-delay is healthy: never retrained, and no schedule of retraining would have paid"
    assert report_title(lives.two_lives()) == (
        "One of two models was retrained; for the other no retraining would have paid"
    )
    assert "Held 43 times" in subtitle(flights)


def test_a_title_claims_nothing_that_was_not_measured() -> None:
    flights = changed(lives.flights(), bills=[])
    assert not none_would_pay(flights)
    assert title(flights) == "flight-delay is healthy: not retrained, held 43 times"
    without_twin = [changed(w, never=None) for w in lives.bikes().windows]
    assert title(changed(lives.bikes(), windows=without_twin)) == "bike-demand is healthy: retrained 13 times"


def test_the_first_version_is_no_retraining() -> None:
    life = lives.bikes()
    first = lives.ruling(99, life.windows[0].start, lives.Action.PROMOTE, "promoted v1", "the first", number=1)
    assert retrainings(changed(life, rulings=[first, *life.rulings])) == retrainings(life) == 13


def test_failing_blind_ageing_shadow_and_new_are_told_apart() -> None:
    life = lives.bikes()
    last = life.windows[-1]
    assert health(changed(life, threshold=30.0)) is Health.FAILING
    blind = [*life.windows[:-4], *(changed(w, realised=None, estimated=None) for w in life.windows[-4:])]
    assert health(changed(life, windows=blind)) is Health.BLIND
    fresh = Warn(key="k", at=last.end, window_start=last.start, window_end=last.end, kind="drift", title="temp moved")
    ageing = changed(life, warnings=[*life.warnings, fresh])
    assert health(ageing) is Health.AGEING and title(ageing) == "bike-demand is ageing: temp moved"
    answered = lives.ruling(99, last.end + timedelta(hours=1), lives.Action.HOLD, "held", "a season")
    assert health(changed(ageing, rulings=[*life.rulings, answered])) is Health.HEALTHY
    assert health(changed(life, champion=None)) is Health.SHADOW
    assert health(changed(life, windows=[])) is Health.NEW


def test_models_in_need_come_first_in_the_title() -> None:
    report = lives.two_lives()
    failing = changed(report.models[0], threshold=30.0)
    assert report_title(changed(report, models=[failing, report.models[1]])) == "One of two models needs you"


def test_pooling_weighs_by_labelled_rows_and_narrows_the_interval() -> None:
    start = lives.bikes().windows[0].start
    two = [
        Window(
            start=start, end=start + lives.WEEK, rows=n, realised=Figure(value=v, lower=v - 3, upper=v + 3, level=0.9)
        )
        for v, n in ((10.0, 300), (20.0, 100))
    ]
    figure = pooled(two)
    assert figure is not None and figure.value == pytest.approx(12.5)
    assert figure.lower is not None and 12.5 - 3 < figure.lower < 12.5
    assert pooled([]) is None


def test_the_gain_is_paired_and_its_interval_lies_above_zero_for_the_bikes() -> None:
    saved, means = gain(lives.bikes()), with_and_without(lives.bikes())
    assert saved is not None and saved.lower is not None and means is not None
    assert saved.value == pytest.approx(means[1] - means[0], rel=0.01) and saved.lower > 0
    assert gain(changed(lives.bikes(), windows=lives.bikes().windows[:5])) is None


def test_the_picture_is_told_in_words() -> None:
    text = alternative(lives.bikes())
    assert "13 retrainings and 6 warnings" in text and "rentals/hour" in text
    assert alternative(changed(lives.bikes(), windows=[])).endswith("there is no curve.")
