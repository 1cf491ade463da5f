"""What `monitor check` and `monitor report` tell: windows side by side, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from solvent.foundation.clock import iso
from solvent.lineage.entities import Alert, Measurement

_TOLD = (
    "volume",
    "labelled",
    "contract.breaches",
    "loss.realised",
    "loss.estimated",
    "loss.powered",
    "drift",
    "performance",
)


def summarise(measurements: Iterable[Measurement], alerts: Iterable[Alert]) -> dict[str, Any]:
    """One document per model and version: a sentence, the windows in order, the alerts.

    measurements: of one model, newest per window and name; alerts: of the same model. A figure is
        `{value, lower, upper, level, unit, rows}`; figures that were not measured are absent.
    """
    windows: dict[tuple[str, str], dict[str, Any]] = {}
    for found in measurements:
        if found.slice:
            continue
        key = (iso(found.window_start), iso(found.window_end))
        window = windows.setdefault(key, {"start": key[0], "end": key[1], "version": found.number, "features": {}})
        if found.name in _TOLD:
            window[found.name] = _figure(found)
        elif found.name.startswith("drift."):
            window["features"][found.name.removeprefix("drift.")] = _figure(found)
    ordered = [windows[key] for key in sorted(windows)]
    told = [_alert(alert) for alert in sorted(alerts, key=lambda alert: alert.window_start)]
    return {"says": _sentence(ordered, told), "windows": ordered, "alerts": told}


def _figure(found: Measurement) -> dict[str, Any]:
    figure: dict[str, Any] = {"value": found.value, "unit": found.unit, "rows": found.rows}
    if found.lower is not None or found.upper is not None:
        figure |= {"lower": found.lower, "upper": found.upper, "level": found.level}
    if found.about:
        figure["about"] = found.about
    return figure


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "kind": alert.kind,
        "severity": alert.evidence.get("severity", "alert"),
        "title": alert.title,
        "start": iso(alert.window_start),
        "end": iso(alert.window_end),
        "cause": alert.cause,
    }


def _sentence(windows: list[dict[str, Any]], alerts: list[dict[str, Any]]) -> str:
    if not windows:
        return "no window has closed yet"
    last = windows[-1]
    loss = last.get("loss.realised") or last.get("loss.estimated")
    sent = [alert for alert in alerts if alert["severity"] == "alert"]
    now = [alert for alert in sent if alert["end"] == last["end"]]
    state = now[-1]["title"] if now else "nothing is wrong in the last window"
    figure = f"; its loss is {loss['value']:.3g} {loss['unit']}" if loss and loss["value"] is not None else ""
    plural = "" if len(windows) == 1 else "s"
    return f"{state}{figure}; {len(windows)} window{plural} and {len(sent)} alert{'' if len(sent) == 1 else 's'} so far"
