"""The gate: may this version replace the champion? Pure: values in, checks with their figures out.

Compared are losses of both models on the same fresh rows. A check that finds harm closes the
gate; one that lacks the evidence to clear the challenger holds it, and says what is missing.
Whatever the score, the gate closes over a broken contract among the challenger's ancestors,
and where it is not proved that no evaluation row was in either model's training data.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, Literal

import msgspec
import numpy as np

from solvent.statistics.arrays import Counts, Flags, Floats
from solvent.statistics.paired import Difference, calibration_error, holm, paired_difference

Figures = dict[str, float | str | None]


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a challenger must meet.

    rule: `not-worse` (non-inferior by the margin) or `better` (superior to it). margin, slice_margin:
    shares of the champion's mean loss. alpha: chance of passing a challenger that is worse than the
    margin, and, over all slices together, of closing over one that is not.
    calibration_margin: in probability. Limits: None where there is none.
    """

    rule: Literal["not-worse", "better"] = "not-worse"
    margin: float = 0.02
    slice_margin: float = 0.25
    alpha: float = 0.05
    least_rows: int = 50
    least_blocks: int = 5
    calibration_margin: float = 0.02
    largest_bytes: int | None = None
    slowest_seconds: float | None = None


class Pairs(msgspec.Struct, frozen=True, kw_only=True):
    """Both models on the same rows.

    challenger, champion: shape (n,), loss of each row; blocks: shape (n,), integer label of the row's
    block of time (rows of one block lean on each other). slices: name → shape (n,), which rows are in it.
    label and the two probabilities: shape (n,), for a binary task, else None.
    """

    challenger: Floats
    champion: Floats
    blocks: Counts
    slices: dict[str, Flags] = msgspec.field(default_factory=dict)
    label: Flags | None = None
    challenger_probability: Floats | None = None
    champion_probability: Floats | None = None


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a model was trained and tuned on, or judged on: by id, by time, or unknown (both None).

    ids: all of them; first, last: event times of the earliest and the latest row.
    """

    ids: frozenset[str] | None = None
    first: datetime | None = None
    last: datetime | None = None


class BrokenAncestor(msgspec.Struct, frozen=True, kw_only=True):
    """Data under a broken contract from which the challenger came."""

    artifact: str
    column: str
    cause: str


class GateInput(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the gate looks at.

    challenger, champion: names as people read them (champion None: nothing to replace).
    pairs: None where there is no champion. size: bytes of the model file; latency: seconds to answer one row.
    """

    challenger: str
    champion: str | None
    evaluation: Footprint
    challenger_training: Footprint
    champion_training: Footprint = Footprint()
    pairs: Pairs | None = None
    broken_ancestors: list[BrokenAncestor] = msgspec.field(default_factory=list)
    size: int | None = None
    latency: float | None = None
    unit: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. held: not refuted, only not shown yet: more rows may show it."""

    name: str
    passed: bool
    sentence: str
    figures: Figures = msgspec.field(default_factory=dict)
    held: bool = False


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """The gate is open, holds (only evidence is missing) or is closed; with every check."""

    open: bool
    hold: bool
    checks: list[Check]

    @property
    def passed(self) -> bool:
        return self.open

    @property
    def reason(self) -> str:
        """What closed it, or what the challenger was promoted on."""
        if self.open:
            return self.checks[0].sentence
        return "; ".join(check.sentence for check in self.checks if not check.passed)

    def as_evidence(self) -> dict[str, Any]:
        """As JSON, for the decision."""
        state = "open" if self.open else "hold" if self.hold else "closed"
        return {"gate": state, "checks": msgspec.to_builtins(self.checks)}


def judge(what: GateInput, settings: GateSettings) -> GateResult:
    """Run every check (none is skipped because another failed) and say whether the challenger may pass."""
    checks = [
        *_compared(what, settings),
        _separated(what),
        _untainted(what),
        _within("size", what.size, settings.largest_bytes, "bytes"),
        _within("latency", what.latency, settings.slowest_seconds, "seconds a row"),
    ]
    failed = [check for check in checks if not check.passed]
    return GateResult(open=not failed, hold=bool(failed) and all(check.held for check in failed), checks=checks)


def _compared(what: GateInput, settings: GateSettings) -> list[Check]:
    """The checks that need the champion beside the challenger."""
    if what.champion is None:
        return [Check(name="comparison", passed=True, sentence="there is no champion to compare it with")]
    pairs = what.pairs
    if pairs is None or len(pairs.champion) == 0:
        sentence = f"no row on which {what.challenger} and {what.champion} could be compared"
        return [Check(name="comparison", passed=False, held=True, sentence=f"{sentence}; {settings.least_rows} needed")]
    checks = [_overall(what, pairs, settings), _slices(what, pairs, settings)]
    if pairs.label is not None:
        checks.append(_calibrated(what, pairs, settings))
    return checks


def _overall(what: GateInput, pairs: Pairs, settings: GateSettings) -> Check:
    """Is the challenger's mean loss below the champion's, or not above it by more than the margin?"""
    difference = paired_difference(pairs.challenger - pairs.champion, pairs.blocks)
    champion = float(pairs.champion.mean())
    limit = settings.margin * champion if settings.rule == "not-worse" else 0.0
    lower, upper = difference.bound(1 - settings.alpha), difference.bound(settings.alpha)
    few = difference.rows < settings.least_rows or difference.blocks < settings.least_blocks
    passed = not few and upper < limit
    needed = _rows_needed(difference, limit, settings)
    figures: Figures = {
        "champion": champion,
        "challenger": float(pairs.challenger.mean()),
        "difference": difference.mean,
        "lower": lower if math.isfinite(lower) else None,
        "upper": upper if math.isfinite(upper) else None,
        "level": 1 - 2 * settings.alpha,
        "limit": limit,
        "rows": difference.rows,
        "blocks": difference.blocks,
        "rows_needed": needed,
    }
    sentence = _comparison(what, difference, champion, lower, upper)
    goal = f"better than {what.champion}" if settings.rule == "better" else f"at most {settings.margin:.0%} worse"
    if few:
        sentence += f": too few to judge, {needed} rows in {settings.least_blocks} blocks of time needed"
    elif lower > limit:
        sentence += f": worse, not {goal}"
    elif not passed:
        hope = f", about {needed} rows needed" if needed else ", and more rows of this kind would not show it"
        sentence += f": not shown to be {goal}{hope}"
    else:
        sentence += ": shown to be better" if upper < 0 else f": shown to be {goal}"
    held = not passed and (few or not lower > limit)
    return Check(name="comparison", passed=passed, held=held, sentence=sentence, figures=figures)


def _comparison(what: GateInput, difference: Difference, champion: float, lower: float, upper: float) -> str:
    """`v9 loses 31.2 rentals a row and v8 44.0 (difference -29%, -35% to -23%) on 168 fresh rows`."""
    unit = f" {what.unit}" if what.unit else ""
    ours = f"{what.challenger} loses {champion + difference.mean:.3g}{unit} a row, {what.champion} {champion:.3g}"
    rows = f"on {difference.rows} fresh rows"
    if not (math.isfinite(lower) and math.isfinite(upper) and champion > 0):
        return f"{ours} {rows}"
    shares = [100 * value / champion for value in (difference.mean, lower, upper)]
    return f"{ours} ({shares[0]:+.1f}%, {shares[1]:+.1f}% to {shares[2]:+.1f}%) {rows}"


def _rows_needed(difference: Difference, limit: float, settings: GateSettings) -> int | None:
    """Rows at which this mean and spread would pass; None where no number would."""
    if difference.rows == 0 or difference.blocks < settings.least_blocks:
        per_block = difference.rows / difference.blocks if difference.blocks else 1.0
        return max(settings.least_rows, math.ceil(settings.least_blocks * per_block))
    room = limit - difference.mean
    if room <= 0:
        return None
    reach = difference.bound(settings.alpha) - difference.mean
    return max(settings.least_rows, math.ceil(difference.rows * (reach / room) ** 2))


def _slices(what: GateInput, pairs: Pairs, settings: GateSettings) -> Check:
    """Is any slice shown to be worse by more than its margin? Holm keeps the error over all of them."""
    p_values, worse_by, small = {}, {}, []
    for name, rows in pairs.slices.items():
        difference = paired_difference((pairs.challenger - pairs.champion)[rows], pairs.blocks[rows])
        if difference.rows < settings.least_rows or difference.blocks < settings.least_blocks:
            small.append(name)
            continue
        champion = float(pairs.champion[rows].mean())
        p_values[name] = difference.p_above(settings.slice_margin * champion)
        worse_by[name] = difference.mean / champion if champion > 0 else math.inf
    fallen = sorted(holm(p_values, settings.alpha))
    unseen = f" ({len(small)} with too few rows to judge: {', '.join(small)})" if small else ""
    figures: Figures = {"slices": len(p_values), "too_small": len(small), "margin": settings.slice_margin}
    figures |= {f"worse_by.{name}": share if math.isfinite(share) else None for name, share in worse_by.items()}
    if fallen:
        named = ", ".join(f"{name} ({100 * worse_by[name]:+.0f}%)" for name in fallen)
        sentence = f"worse than {what.champion} by more than {settings.slice_margin:.0%} in: {named}{unseen}"
    else:
        sentence = f"no slice of {len(p_values)} is shown to be worse by more than {settings.slice_margin:.0%}{unseen}"
    return Check(name="slices", passed=not fallen, sentence=sentence, figures=figures)


def _calibrated(what: GateInput, pairs: Pairs, settings: GateSettings) -> Check:
    """Is the challenger's calibration error shown to be larger by more than the margin? By the block jackknife."""
    if pairs.label is None or pairs.challenger_probability is None or pairs.champion_probability is None:
        sentence = "a binary model's calibration needs the probabilities of both models"
        return Check(name="calibration", passed=False, held=True, sentence=sentence)
    ours, theirs, label = pairs.challenger_probability, pairs.champion_probability, pairs.label
    challenger, champion = calibration_error(ours, label), calibration_error(theirs, label)
    left_out = [
        calibration_error(ours[kept], label[kept]) - calibration_error(theirs[kept], label[kept])
        for kept in (pairs.blocks != block for block in np.unique(pairs.blocks))
        if kept.any()
    ]
    count = len(left_out)
    error = math.sqrt((count - 1) * float(np.var(left_out))) if count > 1 else math.inf
    difference = Difference(challenger - champion, error, count, len(label))
    lower = difference.bound(1 - settings.alpha)
    passed = not lower > settings.calibration_margin
    stated = f"stated probabilities are off by {challenger:.3f} on average, {what.champion}'s by {champion:.3f}"
    return Check(
        name="calibration",
        passed=passed,
        sentence=stated if passed else f"{stated}: worse by more than {settings.calibration_margin:g}",
        figures={
            "challenger": challenger,
            "champion": champion,
            "lower": lower if math.isfinite(lower) else None,
            "margin": settings.calibration_margin,
        },
    )


def _separated(what: GateInput) -> Check:
    """Is it proved that no evaluation row was in either model's training data?"""
    models = [(what.challenger, what.challenger_training)]
    if what.champion is not None:
        models.append((what.champion, what.champion_training))
    proofs = []
    for name, training in models:
        problem, proof = _apart(name, training, what.evaluation)
        if problem:
            return Check(name="separation", passed=False, sentence=problem)
        proofs.append(proof)
    return Check(name="separation", passed=True, sentence="; ".join(proofs))


def _apart(name: str, training: Footprint, evaluation: Footprint) -> tuple[str, str]:
    """(problem, '') or ('', proof). Ids decide where both sides have them; otherwise times may prove it."""
    if training.ids is not None and evaluation.ids is not None:
        shared = len(training.ids & evaluation.ids)
        if shared:
            return f"{shared} of {len(evaluation.ids)} evaluation rows were in the training data of {name}", ""
        return (
            "",
            f"none of {len(evaluation.ids)} evaluation rows was among the {len(training.ids)} that {name} learned from",
        )
    ends = (training.first, training.last, evaluation.first, evaluation.last)
    first, last, starts, stops = ends
    if first is None or last is None or starts is None or stops is None:
        missing = "the rows it learned from" if first is None or last is None else "the evaluation rows"
        return f"it cannot be proved that {name} never saw the evaluation rows: {missing} are not on record", ""
    if last < starts or stops < first:
        return (
            "",
            f"{name} learned from rows of {first:%Y-%m-%d} to {last:%Y-%m-%d}, evaluation starts {starts:%Y-%m-%d}",
        )
    return (
        f"it cannot be proved that {name} never saw the evaluation rows: it learned from rows up to "
        f"{last:%Y-%m-%d %H:%M}, evaluation starts {starts:%Y-%m-%d %H:%M}, and neither side names its rows"
    ), ""


def _untainted(what: GateInput) -> Check:
    """Did anything that the challenger came from break its contract?"""
    if not what.broken_ancestors:
        return Check(name="provenance", passed=True, sentence="every ancestor keeps its contract")
    named = "; ".join(f"{one.artifact}, column `{one.column}`: {one.cause}" for one in what.broken_ancestors)
    return Check(
        name="provenance",
        passed=False,
        sentence=f"{what.challenger} was made from data under a broken contract: {named}",
        figures={"broken": len(what.broken_ancestors)},
    )


def _within(name: str, value: float | None, limit: float | None, unit: str) -> Check:
    figures: Figures = {"value": value, "limit": limit}
    if limit is None:
        return Check(name=name, passed=True, sentence=f"no limit of {name} is set", figures=figures)
    if value is None:
        return Check(name=name, passed=False, held=True, sentence=f"{name} was not measured", figures=figures)
    word = "within" if value <= limit else "above"
    sentence = f"{name} of {value:,.6g} {unit} is {word} the limit of {limit:,.6g}"
    return Check(name=name, passed=value <= limit, sentence=sentence, figures=figures)
