"""Two lives for the tests of the report: real weekly losses, with decisions and warnings told around them."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from solvent.governance.report.life import (
    Bill,
    ChainState,
    LifeReport,
    ModelLife,
    Moved,
    Ruling,
    Stretch,
    Warn,
    Window,
)
from solvent.lineage.entities import Action
from solvent.pages.figures import Figure

WEEK = timedelta(weeks=1)
HURRICANE = 69  # the week of 29 October 2012: this life holds then, and does not learn from it
RECORDED = json.loads((Path(__file__).parent / "data" / "two_lives.json").read_text("utf-8"))


def windows(name: str) -> list[Window]:
    """The recorded weeks with a made-up label-free estimate; flights lack a few percent of their labels."""
    dice = random.Random(name)
    told = []
    for start, rows, value, lower, upper, never, monthly, recorded in RECORDED[name]["weeks"]:
        begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
        guess = value * dice.gauss(1.0, 0.07)
        wide = 0.22 * value if name == "bike" else 0.05 * value
        told.append(
            Window(
                start=begin,
                end=begin + WEEK,
                rows=rows,
                labelled=1.0 if name == "bike" else 0.965,
                realised=Figure(value=value, lower=lower, upper=upper, level=0.95),
                estimated=Figure(value=guess, lower=guess - wide, upper=guess + wide, level=0.9),
                never=never,
                monthly=monthly,
                version=recorded - (recorded > 14),
            )
        )
    return told


def ruling(position: int, at: datetime, action: Action, title: str, reason: str, **more: Any) -> Ruling:
    digest = sha256(f"{position}".encode()).hexdigest()
    return Ruling(
        key=digest[:32],
        at=at,
        action=action,
        title=title,
        by=more.pop("by", "policy bikes/3"),
        reason=reason,
        position=position,
        hash=digest,
        **more,
    )


def bikes() -> ModelLife:
    """Ages fast: many retrainings, one refusal, one rollback, a broken week, a hurricane."""
    weeks = windows("bike")
    rulings: list[Ruling] = []
    stretches = [Stretch(number=1, start=weeks[0].start)]
    retrained = [(week, span) for week, _, span in RECORDED["bike"]["retrained"][:-1] if week != HURRICANE]
    for number, (week, span) in enumerate(retrained, 2):
        at = weeks[week].end
        gain = {"value": 8.1, "lower": 5.9, "upper": 10.2}
        keeping = f"keeping v{number - 1} would cost 31 (24–39) error-weeks more over the next 8 weeks, a retraining 25"
        position = len(rulings)
        rulings.append(ruling(position, at, Action.RETRAIN, f"retrained on {span}", f"{keeping}.", number=number - 1))
        rulings.append(
            ruling(
                position + 1,
                at + timedelta(hours=1),
                Action.PROMOTE,
                f"promoted v{number}",
                f"beats v{number - 1} on 336 paired rows by 8.1 (5.9–10.2) rentals/hour; no slice is worse.",
                number=number,
                evidence={"paired rows": 336, "gain": gain, "slices worse": [], "rows shared with training": 0,
                          "challenger": "9f" * 32},
            )
        )  # fmt: skip
        stretches[-1] = Stretch(number=stretches[-1].number, start=stretches[-1].start, end=at)
        stretches.append(Stretch(number=number, start=at))
    rulings.append(
        ruling(
            len(rulings),
            weeks[60].end,
            Action.REFUSE,
            "refused a candidate",
            "its training rows hold a week under a broken contract: temp was in °F from 20 Aug 2012.",
            evidence={"contract": {"column": "temp", "kind": "unit"}, "rows": 168},
        )
    )
    rulings.append(
        ruling(
            len(rulings),
            weeks[47].end + timedelta(days=3),
            Action.ROLL_BACK,
            "rolled back to v8",
            "v9 loses 19 (11–27) rentals/hour more than v8 on 72 live rows (injected for this demo).",
        )
    )
    rulings.append(
        ruling(
            len(rulings),
            weeks[HURRICANE].end,
            Action.HOLD,
            "held",
            "a gap of 31 hours, then a shock: no cure by retraining.",
        )
    )
    return ModelLife(
        name="bike-demand",
        metric="mae",
        unit="rentals/hour",
        task="regression",
        champion=stretches[-1].number,
        live_since=stretches[-1].start,
        threshold=70.0,
        windows=weeks,
        stretches=stretches,
        rulings=sorted(rulings, key=lambda r: r.at),
        warnings=[_warn(weeks, *told) for told in BIKE_WARNINGS],
        moved=_moved("bike", unused=("windspeed", "holiday", "weekday")),
        moved_at=weeks[-1].end,
        bills=[
            Bill(policy="never", cost=Figure(value=5772.0), unit="error-weeks", error=73.2, retrained=0),
            Bill(policy="monthly", cost=Figure(value=5091.0), unit="error-weeks", error=63.1, retrained=19),
            Bill(policy="solvent", cost=Figure(value=3501.0), unit="error-weeks", error=42.5, retrained=13),
            Bill(
                policy="hindsight",
                cost=Figure(value=3404.0),
                unit="error-weeks",
                error=41.9,
                retrained=12,
                note="every 6th week, last 10 weeks",
            ),
            Bill(policy="oracle", cost=Figure(value=3204.0), unit="error-weeks", error=40.1, retrained=11),
        ],
        false_alarms_per_year=1.0,
    )


BIKE_WARNINGS = [
    (6, "drift", "month and temp moved; the estimate rises", [("column", "temp"), ("moved by", "0.42 sd")]),
    (36, "performance", "realised error above its reference", [("slice", "hour 17, workingday")]),
    (47, "performance", "v9 loses more than v8 did", [("version", "v9")]),
    (
        59,
        "contract",
        "temp in °F, windspeed constant",
        [("column", "temp"), ("breach", "values 1.8 × + 32 of the usual")],
    ),
    (HURRICANE, "gap", "31 hours without rides (hurricane)", [("hours missing", "31")]),
    (HURRICANE, "shock", "error 2.6 times the usual", [("since", "29 Oct 2012 04:00 UTC")]),
]


def _warn(weeks: list[Window], place: int, kind: str, title: str, cause: list[tuple[str, str]]) -> Warn:
    window = weeks[place]
    return Warn(
        key=f"{kind}-{place}",
        at=window.end,
        window_start=window.start,
        window_end=window.end,
        kind=kind,
        title=title,
        cause=cause,
        held_to=[("", "e-detector, average over 12 columns"), ("false alarms", "at most 1 a year")],
    )


def _moved(name: str, unused: tuple[str, ...]) -> list[Moved]:
    return [
        Moved(column=column, effect=effect, unit="sd", floors=4 * effect, matters=column not in unused)
        for column, effect in RECORDED[name]["drift"].items()
    ]


def flights() -> ModelLife:
    """Worse months, nothing to cure: held all the way."""
    weeks = windows("flight")
    held = [
        ruling(
            i,
            week.end,
            Action.HOLD,
            "held",
            "a fresh model would gain 0.4 (−1.1 to 1.9) over the next 8 weeks; a roll-out costs 2.0.",
            by="policy flights/1",
            number=1,
            evidence={"expected gain": {"value": 0.4, "lower": -1.1, "upper": 1.9}, "price": 2.0},
        )
        for i, week in enumerate(weeks)
    ]
    shocks = [
        _warn(
            weeks, 15, "performance", "late June: 1.2 times the usual loss", [("covariates", "storms: precip, visib")]
        )
    ]
    return ModelLife(
        name="flight-delay",
        metric="log_loss",
        unit="nats",
        task="binary",
        champion=1,
        live_since=weeks[0].start,
        windows=weeks,
        stretches=[Stretch(number=1, start=weeks[0].start)],
        rulings=held,
        warnings=shocks,
        moved=_moved("flight", unused=("carrier", "dest", "pressure")),
        bills=[
            Bill(policy="never", cost=Figure(value=26.1), unit="nat-weeks", error=0.601, retrained=0),
            Bill(policy="monthly", cost=Figure(value=41.2), unit="nat-weeks", error=0.594, retrained=10),
            Bill(policy="hindsight", cost=Figure(value=26.1), unit="nat-weeks", error=0.601, retrained=0, note="never"),
            Bill(policy="solvent", cost=Figure(value=26.1), unit="nat-weeks", error=0.601, retrained=0),
            Bill(policy="oracle", cost=Figure(value=26.1), unit="nat-weeks", error=0.601, retrained=0),
        ],
    )


def two_lives() -> LifeReport:
    models = [bikes(), flights()]
    length = sum(len(life.rulings) for life in models)
    head = sha256(b"head").hexdigest()
    until = max(life.windows[-1].end for life in models)
    return LifeReport(
        project="demo", models=models, chain=ChainState(length=length, head=head), until=until, made_by="0.1.0"
    )
