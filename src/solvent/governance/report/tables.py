"""The tables of a report: costs, decisions, warnings, the figures. On a narrow page rows are cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from solvent.governance.report.life import Bill, ModelLife, Ruling, Warn, Window
from solvent.lineage.entities import Action
from solvent.pages.figures import Figure
from solvent.pages.markup import Html, join, tag
from solvent.pages.parts import cell, table
from solvent.pages.words import (
    alike,
    between,
    capital,
    day,
    interval,
    listed,
    month,
    number,
    percent,
    plural,
    with_interval,
)

MOST_ROWS = 400  # rows of a table of decisions or warnings; older ones are counted by month
FIGURE_KEYS = {"value", "lower", "upper", "level", "unit", "rows"}  # what may stand beside a figure's interval
MOST_EVIDENCE = 24  # figures shown of one decision's evidence
POLICIES = {
    "never": "never",
    "monthly": "monthly",
    "hindsight": "the best in hindsight",
    "oracle": "the oracle",
    "solvent": "Solvent",
}
TONES = {
    Action.PROMOTE: ("good", "●"),
    Action.ROLL_BACK: ("bad", "◆"),
    Action.REFUSE: ("idle", "✕"),
    Action.HOLD: ("idle", "○"),
    Action.RETRAIN: ("plain", "↻"),
}


def policy_name(policy: str) -> str:
    return POLICIES.get(policy, policy.replace("_", " "))


def costs(life: ModelLife) -> Html:
    """What each policy would have cost, as bars and figures; ours in the accent."""
    base = next((b.cost.value for b in life.bills if b.policy == "oracle"), None)
    base = base or min(b.cost.value for b in life.bills)
    most = max(b.cost.value for b in life.bills) or 1.0
    ordered = sorted(life.bills, key=lambda bill: -bill.cost.value)
    errors = dict(zip([b.policy for b in ordered if b.error is not None], _errors(ordered), strict=True))
    against = "× oracle" if any(b.policy == "oracle" for b in life.bills) else "× cheapest"
    costs = alike([b.cost.value for b in ordered])
    rows = [
        _bill_row(b, cost, errors.get(b.policy), (b.cost.value / most, b.cost.value / base), against)
        for b, cost in zip(ordered, costs, strict=True)
    ]
    unit = life.bills[0].unit
    header = [
        "Policy",
        "",
        f"Cost, {unit}" if unit else "Cost",
        against,
        "Retrained",
        f"Error, {life.unit}".rstrip(", "),
    ]
    return table(header, rows, right=(2, 3, 4, 5), caption=f"What each policy would have cost {life.name}")


def _errors(bills: Sequence[Bill]) -> list[str]:
    return alike([bill.error for bill in bills if bill.error is not None])


def _bill_row(bill: Bill, amount: str, error: str | None, sizes: tuple[float, float], against: str) -> Html:
    """sizes: share of the dearest policy's cost, which the bar shows, and multiple of the cost it is compared with."""
    ours, (share, ratio) = bill.policy == "solvent", sizes
    bar = tag("i", class_=None if ours else "off", style=f"width:{100 * share:.1f}%")
    spread = interval(bill.cost)
    cost = join(amount, tag("span", f" ({spread})", class_="why") if spread else None)
    name = join(policy_name(bill.policy), tag("br"), tag("span", bill.note, class_="why")) if bill.note else bill.policy
    return tag(
        "tr",
        cell(name if bill.note else policy_name(bill.policy), kind="name"),
        cell(tag("span", bar, class_="track", aria_hidden="true"), kind="sp barcell"),
        cell(cost, "cost", kind="n"),
        cell(f"{ratio:.2f}", against, kind="n"),
        cell("–" if bill.retrained is None else f"{bill.retrained:,}", "retrained", kind="n"),
        cell(error or "–", "error", kind="n"),
        class_="ours" if ours else None,
    )


def decisions(life: ModelLife) -> Html:
    """Every decision, newest first; holds in a row are one line that opens; long ago is counted by month."""
    groups = list(_grouped(life.rulings))
    shown, older = groups[:MOST_ROWS], groups[MOST_ROWS:]
    rows = [_ruling_row(group) for group in shown]
    body = table(
        ["When", "Decision", "Reason and evidence", "By", "Chain"], rows, caption=f"Decisions about {life.name}"
    )
    return join(body, _older(older))


def _grouped(rulings: Sequence[Ruling]) -> Iterator[list[Ruling]]:
    """Newest first; neighbouring holds of one version together."""
    newest_first = reversed(rulings)
    for action, group in groupby(
        newest_first, key=lambda r: (r.action, r.number if r.action is Action.HOLD else r.key)
    ):
        members = list(group)
        if action[0] is Action.HOLD:
            yield members
        else:
            yield from ([member] for member in members)


def _ruling_row(group: Sequence[Ruling]) -> Html:
    newest, oldest = group[0], group[-1]
    tone, shape = TONES.get(newest.action, ("idle", "○"))
    many = len(group) > 1
    when = day(newest.at) if not many else f"{day(oldest.at, year=oldest.at.year != newest.at.year)} – {day(newest.at)}"
    what = f"{newest.title}, {plural(len(group), 'time')}" if many else newest.title
    return tag(
        "tr",
        cell(tag("time", when, datetime=newest.at.isoformat()), kind="when"),
        cell(join(tag("span", shape, class_=f"shape {tone}", aria_hidden="true"), " ", what), kind="name"),
        cell(join(_reason(newest), _earlier(group[1:]), _evidence(newest.evidence)), kind="sp reason"),
        cell(newest.by, "by", kind="why"),
        cell(tag("span", newest.hash[:10], class_="mono", title=f"entry {newest.position}: {newest.hash}"), "chain"),
        id=f"d-{newest.position}",
        tabindex="-1",
        class_="row",
    )


def _reason(ruling: Ruling) -> Html:
    return tag("div", capital(ruling.reason) or "No reason recorded")


def _earlier(group: Sequence[Ruling]) -> Html | None:
    if not group:
        return None
    items = [
        tag("li", f"{day(r.at)}: {r.reason} ", tag("span", r.hash[:10], class_="mono soft")) for r in group[:MOST_ROWS]
    ]
    rest = len(group) - len(items)
    last = tag("li", f"and {rest:,} before: `solvent decisions` lists them") if rest else None
    return tag("details", tag("summary", f"the {plural(len(group), 'time')} before"), tag("ul", items, last))


def _evidence(evidence: Mapping[str, Any]) -> Html | None:
    pairs = list(told(evidence))
    if not pairs:
        return None
    shown = [(tag("dt", name), tag("dd", text)) for name, text in pairs[:MOST_EVIDENCE]]
    rest = len(pairs) - MOST_EVIDENCE
    more = (
        (tag("dt", "…"), tag("dd", f"{plural(rest, 'more figure')}: `solvent decisions --json`")) if rest > 0 else None
    )
    return tag("details", tag("summary", "evidence"), tag("dl", shown, more, class_="facts"))


def told(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The evidence in words: the gate's checks by their sentences, and no alias move, which the title says."""
    gate = evidence.get("gate")
    checks = gate.get("checks", []) if isinstance(gate, dict) else evidence.get("checks", [])
    for check in checks:
        yield f"{'✓' if check['passed'] else '✗'} {check['name']}", check["sentence"]
    yield from flat(
        {key: value for key, value in evidence.items() if key not in ("move", "ends", "alias", "gate", "checks")}
    )


def flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """(path in words, text) of each leaf of nested facts; a value with its interval is one leaf.

    >>> list(flat({"gain": {"value": 8.1, "lower": 5.9, "upper": 10.2}, "rows": {"fresh": 336}, "worse_slices": []}))
    [('gain', '8.1 (5.9–10)'), ('rows fresh', '336'), ('worse slices', 'none')]
    """
    for key, item in value.items():
        name = f"{above} {str(key).replace('_', ' ')}".strip()
        if isinstance(item, Mapping) and {"value", "lower", "upper"} <= item.keys() <= FIGURE_KEYS:
            yield name, _measured(item)
        elif isinstance(item, Mapping) and item:
            yield from flat(item, name)
        else:
            yield name, leaf(item)


def _measured(item: Mapping[str, Any]) -> str:
    if not all(isinstance(item[key], int | float) for key in ("value", "lower", "upper")):
        return ", ".join(f"{key} {leaf(part)}" for key, part in item.items())
    return with_interval(Figure(value=item["value"], lower=item["lower"], upper=item["upper"]))


def leaf(item: Any) -> str:
    """One fact as text: figures short, digests cut, lists joined."""
    if item is None or item in ([], {}, ""):
        return "none"
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, int):
        return f"{item:,}"
    if isinstance(item, float):
        text = number(item, 3)
        return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    if isinstance(item, list | tuple):
        parts = [", ".join(f"{k} {v}" for k, v in flat(i)) if isinstance(i, Mapping) else leaf(i) for i in item[:8]]
        more = f" and {len(item) - 8} more" if len(item) > 8 else ""
        return f"{'; '.join(parts) if any(isinstance(i, Mapping) for i in item) else ', '.join(parts)}{more}"
    text = str(item)
    return text[:10] if len(text) in (32, 64) and all(c in "0123456789abcdef" for c in text) else text


def _older(groups: Sequence[Sequence[Ruling]]) -> Html | None:
    if not groups:
        return None
    rows = []
    for name, months in groupby((r for group in groups for r in group), key=lambda r: month(r.at)):
        counts = Counter(r.action.value.replace("-", " ") for r in months)
        said = listed([f"{action} {number(count, 4)}" for action, count in counts.most_common()])
        rows.append(tag("li", f"{name}: {said}"))
    total = sum(len(group) for group in groups)
    summary = f"{plural(total, 'older decision')}, by month"
    return tag("details", tag("summary", summary), tag("ul", rows), class_="older")


def warnings(life: ModelLife) -> Html:
    """Every warning, newest first, with its cause and what it was held to."""
    newest = life.warnings[::-1]
    rows = [_warning_row(warning) for warning in newest[:MOST_ROWS]]
    body = table(["When", "Warning", "Cause", "Held to"], rows, caption=f"Warnings about {life.name}")
    rest = len(newest) - MOST_ROWS
    more = tag("p", f"{plural(rest, 'older warning')}: `solvent monitor report`", class_="why") if rest > 0 else None
    return join(body, more)


def _warning_row(warning: Warn) -> Html:
    shape, tone = ("○", "idle") if warning.note else ("■", "bad") if warning.kind == "contract" else ("▲", "warn")
    when = between(warning.window_start, warning.window_end)
    return tag(
        "tr",
        cell(tag("time", when, datetime=warning.window_start.isoformat()), kind="when"),
        cell(
            join(tag("span", shape, class_=f"shape {tone}", aria_hidden="true"), " ", warning.title),
            kind="name",
        ),
        cell(_pairs(warning.cause), "cause", kind="sp reason"),
        cell(_pairs(warning.held_to), kind="sp why"),
        id=f"a-{warning.key}",
        tabindex="-1",
        class_="row",
    )


def _pairs(pairs: Sequence[tuple[str, str]]) -> Html:
    if not pairs:
        return Html("–")
    return join(
        [tag("div", tag("span", f"{name} ", class_="soft") if name else None, text) for name, text in pairs[:8]]
    )


def behind(life: ModelLife, windows: Sequence[Window]) -> Html:
    """Every figure of the picture as a table, folded away."""
    has_never = any(w.never is not None for w in windows)
    has_monthly = any(w.monthly is not None for w in windows)
    header = ["Window", "Version", "Rows", "With outcome", "Realised", "Estimated"]
    header += ["Never retrained"] * has_never + ["Monthly"] * has_monthly
    rows = []
    for window in windows:
        cells = [
            cell(between(window.start, window.end), kind="when"),
            cell(f"v{window.version}" if window.version else "–", "version", kind="n"),
            cell(f"{window.rows:,}", "rows", kind="n"),
            cell("–" if window.labelled is None else percent(window.labelled), "with outcome", kind="n"),
            cell(_figure(window.realised), "realised", kind="n"),
            cell(_figure(window.estimated), "estimated", kind="n"),
        ]
        if has_never:
            cells.append(cell("–" if window.never is None else number(window.never), "never", kind="n"))
        if has_monthly:
            cells.append(cell("–" if window.monthly is None else number(window.monthly), "monthly", kind="n"))
        rows.append(tag("tr", cells))
    body = table(header, rows, right=range(1, len(header)), caption=f"Loss of {life.name} by window")
    return tag(
        "details",
        tag("summary", capital(f"the figures behind the picture: {plural(len(windows), 'window')}")),
        tag("div", body, class_="scroll"),
        class_="behind",
    )


def _figure(figure: Figure | None) -> str:
    return "–" if figure is None else with_interval(figure)
