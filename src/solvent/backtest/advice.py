"""The recommendation: which policy, why, and the settings that put it to work."""

from __future__ import annotations

import msgspec

from solvent.backtest.cut import Course
from solvent.backtest.lifetime import Lifetime
from solvent.backtest.matrix import Matrix
from solvent.backtest.policies import FIT, NEVER, ORACLE, RULES, SHOWN_ONLY, Outcome, Priced
from solvent.backtest.words import length, losses
from solvent.pages.words import number, plural

_ENOUGH = 1.01  # never is recommended where it costs at most this much more than the best
_CLOSE = 1.05  # a rule of Solvent's is recommended up to this times the best: it adapts, a schedule does not


class Advice(msgspec.Struct, frozen=True):
    """policy: its name; reason: three sentences; config: lines of solvent.toml."""

    policy: str
    reason: str
    config: str


def advise(asked: Priced, curve: list[Priced], lifetime: Lifetime, matrix: Matrix, course: Course) -> Advice:
    """The cheapest policy that settings can put to work; simple ones and Solvent's first where they come close."""
    offered = [one for one in asked.outcomes if one.name not in SHOWN_ONLY and not _fewer(one, matrix)]
    never, own = asked.named(NEVER), _own(asked, matrix)
    cheapest = chosen = min(offered, key=lambda outcome: outcome.cost)
    if own.cost <= _CLOSE * cheapest.cost:
        chosen = never if never.cost <= own.cost else own
    if never.cost <= _ENOUGH * cheapest.cost:
        chosen = never
    sentences = [_what(chosen, matrix, course), _why(chosen, asked, lifetime), _price(chosen, asked, curve, matrix)]
    return Advice(chosen.name, " ".join(sentences), _config(chosen, asked, matrix, course))


def _own(priced: Priced, matrix: Matrix) -> Outcome:
    """The cheaper of Solvent's rules that settings can put to work."""
    both = [priced.named(name) for name in RULES]
    return min((one for one in both if not _fewer(one, matrix)), key=lambda outcome: outcome.cost)


def _fewer(outcome: Outcome, matrix: Matrix) -> bool:
    """Whether it served a model without a feature, which the loop cannot make."""
    return any(matrix.spans[one.span].without for one in outcome.retrainings)


def _what(chosen: Outcome, matrix: Matrix, course: Course) -> str:
    if chosen.name == NEVER:
        return "Do not retrain for now."
    if chosen.name not in RULES:
        return f"Retrain {chosen.name}: of the ways that know no future the cheapest here."
    by = ", looking ahead" if RULES[chosen.name] == "plan" else ""
    if not chosen.retrainings:
        return f"Let Solvent decide{by}; it would have held all the time."
    spans = [one.span for one in chosen.retrainings]
    usual = matrix.spans[max(set(spans), key=spans.count)]
    on = "all rows" if usual.rows is None else usual.name
    often = length(course.days() * course.windows / (len(spans) + 1))
    return f"Let Solvent decide{by}: about every {often}, mostly on {on}."


def _why(chosen: Outcome, asked: Priced, lifetime: Lifetime) -> str:
    never, ideal = asked.named(NEVER), asked.named(ORACLE)
    if chosen.name == NEVER:
        best = number(100 * (never.cost / ideal.cost - 1))
        return f"A model of this table is {lifetime.aging.verdict}, and knowing the future would save {best}%."
    saved = 100 * (1 - chosen.cost / never.cost)
    return (
        f"It would have cost {number(saved)}% less than never retraining, with {plural(chosen.fits, 'fit')} paid for."
    )


def _price(chosen: Outcome, asked: Priced, curve: list[Priced], matrix: Matrix) -> str:
    """From which price on the recommendation turns."""
    better = [one for one in curve if one.named(NEVER).cost <= one.named(chosen.name).cost]
    if chosen.name == NEVER:
        cheaper = [one for one in curve if _own(one, matrix).cost < one.named(NEVER).cost]
        if not cheaper:
            return "No price looked at changes that."
        return f"That changes where a retraining costs {losses(cheaper[-1].relative)} or less."
    if not better:
        return "That holds at every price looked at."
    turn = min(one.relative for one in better)
    if turn <= asked.relative:
        return "At other prices never retraining may be cheaper; see the curve."
    return f"Where a retraining costs {losses(turn)} or more, never is cheaper."


def _config(chosen: Outcome, asked: Priced, matrix: Matrix, course: Course) -> str:
    """Settings as `solvent.toml` knows them; a schedule is a matter of cron."""
    width = max(round(course.days()), 1)
    per_row = course.days() / float(matrix.rows.mean())
    spans = [f'"{_span(span.rows, per_row)}"' for span in matrix.spans if not span.without]
    fit = min(FIT, 0.25 * asked.relative)
    lines = [
        "[monitor]",
        f'window = "{width}d"',
        "",
        "[policy]",
        f"enabled = {'true' if chosen.name in RULES else 'false'}",
        *([f'rule = "{RULES[chosen.name]}"'] if chosen.name in RULES else []),
        f'rollout = "{asked.relative - fit:.4g} windows"',
        f'fit = "{fit:.4g} windows"',
        f"spans = [{', '.join(dict.fromkeys(spans))}]",
    ]
    return "\n".join(lines)


def _span(rows: int | None, days_per_row: float) -> str:
    return "all" if rows is None else f"{max(round(rows * days_per_row), 1)}d"
