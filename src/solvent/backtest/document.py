"""The backtest as the one JSON document that `--json` prints."""

from __future__ import annotations

import math
from typing import Any

from solvent.backtest.matrix import Matrix
from solvent.backtest.policies import Outcome, Priced
from solvent.backtest.run import Backtest
from solvent.foundation.clock import from_micros, iso
from solvent.statistics.losses import metric_named
from solvent.statistics.sequential import Interval

_TOP = 3  # moved features a window


def document(found: Backtest) -> dict[str, Any]:
    """Plain values; a figure that is not finite is null."""
    micros = found.cases.micros
    first = int(found.course.trained_by[0])
    return {
        "table": {
            "rows": found.total,
            "columns": found.columns,
            "time": found.options.time,
            "target": found.options.target,
            "task": found.cases.task,
            "span": [_instant(int(micros[0])), _instant(int(micros[-1]))],
        },
        "model": {
            "kind": found.model,
            "features": found.cases.features,
            "train_span": [_instant(int(micros[0])), _instant(int(micros[first - 1]))],
        },
        "windows": _windows(found),
        "aging": _aging(found),
        "forecast": _forecasts(found),
        "wandering": _wandering(found),
        "warnings": [
            {
                "at": iso(warning.at),
                "window": warning.window,
                "kind": warning.kind,
                "features": warning.features,
                "evidence": _plain(warning.evidence),
                "effect": _plain(warning.effect),
                "lead_windows": warning.lead,
                "confirmed": warning.lead is not None,
            }
            for warning in found.warnings
        ],
        "policies": _policies(found.asked, found.matrix),
        "price_curve": [
            {"price": priced.relative, "policies": _policies(priced, found.matrix)} for priced in found.curve
        ],
        "recommendation": {
            "policy": found.advice.policy,
            "reason": found.advice.reason,
            "config": found.advice.config,
        },
        "assumptions": found.assumptions,
        "seconds": round(found.seconds, 2),
    }


def _windows(found: Backtest) -> list[dict[str, Any]]:
    shown = metric_named(found.cases.metric).shown
    rows = []
    for window, estimated, drift in zip(found.windows, found.estimated, found.drift, strict=True):
        loss = estimated.loss
        rows.append(
            {
                "index": window.index,
                "start": iso(window.start),
                "end": iso(window.end),
                "rows": window.rows,
                "metric": {
                    "name": found.cases.metric,
                    "value": _plain(shown(window.loss.value)),
                    "interval": _bounds(window.loss, found),
                },
                "baseline": _plain(shown(window.naive)),
                "estimated": {
                    "value": _plain(shown(loss.value)) if loss is not None else None,
                    "interval": _bounds(loss, found) if loss is not None else None,
                    "abstained": estimated.abstained or None,
                },
                "drift": {
                    "top": [
                        {"feature": m.feature, "effect": _plain(m.effect), "unit": m.unit, "matters": _plain(m.matters)}
                        for m in drift.moved[:_TOP]
                    ],
                    "joint_auc": _plain(drift.joint),
                    "alert": drift.alert,
                },
            }
        )
    return rows


def _aging(found: Backtest) -> dict[str, Any]:
    life, aging = found.lifetime, found.lifetime.aging
    curve = aging.curve
    return {
        "verdict": aging.verdict,
        "loss_per_month": {
            "value": _plain(life.month.value),
            "interval": [_plain(life.month.lower), _plain(life.month.upper)],
        },
        "half_life_days": _plain(life.half_life),
        "time_to_threshold_days": {
            "value": _plain(life.reached[1]),
            "interval": [_plain(life.reached[0]), _plain(life.reached[2])],
        },
        "evidence": {
            "share_at_middle_age": _plain(aging.share),
            "step_at_window": aging.step,
            "step_size": _plain(aging.step_size),
            "step_misfit_to_line": _plain(aging.misfit),
            "spread_old_to_young": _plain(aging.spread),
            "threshold": _plain(metric_named(found.cases.metric).shown(life.threshold)),
            "fresh_loss": _plain(aging.fresh),
            "by_age": [
                {"age_days": age * found.course.days(), "quantiles": [low, middle, high], "models": models}
                for age, low, middle, high, models in zip(
                    curve.ages, curve.lower, curve.middle, curve.upper, curve.models, strict=True
                )
            ],
        },
    }


def _wandering(found: Backtest) -> list[dict[str, Any]]:
    left = found.left_out
    if left is None:
        return []
    saved = {"value": _plain(left.saved.value), "interval": [_plain(left.saved.lower), _plain(left.saved.upper)]}
    return [{"feature": left.feature, "since_window": left.since, "saved_share": saved}]


def _forecasts(found: Backtest) -> list[dict[str, Any]]:
    """Each with what came true, null where the table ends before."""
    shown = metric_named(found.cases.metric).shown
    lived = [window.loss.value for window in found.windows]
    return [
        {
            "made_at": _instant(int(found.course.times[one.made])),
            "for_window": one.window,
            "interval": [_plain(shown(one.lower)), _plain(shown(one.upper))],
            "value": _plain(shown(one.value)),
            "realised": _plain(shown(lived[one.window])) if one.window < len(lived) else None,
        }
        for one in [*found.forecast.made[:-1], *found.forecast.coming]
    ]


def _policies(priced: Priced, matrix: Matrix) -> list[dict[str, Any]]:
    return [_policy(outcome, matrix) for outcome in priced.outcomes]


def _policy(outcome: Outcome, matrix: Matrix) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "retrainings": [
            {"window": one.tick, "span": matrix.spans[one.span].name, "kind": one.kind, "reason": one.reason}
            for one in outcome.retrainings
        ],
        "fits": outcome.fits,
        "loss": _plain(outcome.loss),
        "cost": _plain(outcome.cost),
        "regret": _plain(outcome.regret),
        "regret_share": _plain(outcome.regret_share),
    }


def _bounds(interval: Interval, found: Backtest) -> list[float | None]:
    shown = metric_named(found.cases.metric).shown
    return [_plain(shown(max(bound, 0.0))) for bound in (interval.lower, interval.upper)]


def _plain(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _instant(micros: int) -> str:
    return iso(from_micros(micros))
