"""The story in the terminal: a line a week, what happened under it, and what it all cost.

Everything told comes from a tick's report or from the store. The functions are
pure: facts in, lines out; only `Story` prints. At most 100 columns.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from solvent.governance.report.life import Bill
from solvent.governance.report.tables import policy_name
from solvent.governance.report.verdict import retrainings
from solvent.governance.rulings import title_of
from solvent.lineage.entities import Action, Alert, Decision, Measurement
from solvent.pages.words import alike, day, number, plural, times

if TYPE_CHECKING:
    from solvent.automation.report import ModelTick
    from solvent.demo.world import World
    from solvent.governance.report.life import ModelLife

Paint = Callable[[str, str], str]  # text, tone (good, warn, bad, soft, strong) → text

WIDTH = 96
LABEL = 18  # columns of the word before a sentence
CELLS = 12  # of the bar of a week's loss
FULL = 2.5  # times the first week's loss fill it
EIGHTHS = " ▏▎▍▌▋▊▉"

# Kinds of alert that change the word of the week, the gravest first.
STATES = {
    "contract": ("bad", "■ broken data"),
    "gap": ("warn", "▲ gap"),
    "shock": ("warn", "▲ shock"),
    "performance": ("warn", "▲ ageing"),
    "worse": ("warn", "▲ worse"),
    "drift": ("warn", "▲ drifting"),
    "estimate-trend": ("warn", "▲ worsening"),
    "volume": ("warn", "▲ odd volume"),
}


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """One week as it is told. rows: cases scored; flagged: of them; loss: realised mean, as far as known."""

    start: datetime
    rows: int
    flagged: int
    loss: float | None
    champion: int | None
    alerts: list[Alert]
    decisions: list[Decision]


def plain(text: str, _tone: str) -> str:
    """The paint of a terminal without colours."""
    return text


class Story:
    """Tells one life after another. out: gets each line; paint: colours, never the only sign."""

    def __init__(self, out: Callable[[str], None], paint: Paint = plain) -> None:
        self._out = out
        self._paint = paint
        self._first_loss: float | None = None
        self._ageing = False

    def open(self, world: World, unit: str) -> None:
        """The head of a life: what, how long, and the columns."""
        self._first_loss, self._ageing = None, False
        weeks = f"{plural(world.weeks, 'week')} from {day(world.begin(0))}"
        self.say("", self._paint(f"{world.title}: {world.model}, {weeks}, error in {unit}", "strong"), "")
        self.say(self._paint(f"  {'week of':<11} {world.noun:>8}  {'live':<4} {'error':>6}", "soft"))

    def week(self, world: World, week: int, tick: ModelTick, rows: int, flagged: int) -> None:
        """One week, after its tick."""
        told = Week(
            start=world.begin(week),
            rows=rows,
            flagged=flagged,
            loss=realised(tick.measurements),
            champion=tick.champion,
            alerts=tick.alerts,
            decisions=tick.decisions,
        )
        self._first_loss = self._first_loss or told.loss
        self._ageing = still_ageing(told, self._ageing)
        self.say(*week_lines(told, self._first_loss, self._paint, ageing=self._ageing))

    def injected(self, text: str) -> None:
        """Something that people outside did, for the demonstration's sake."""
        self.say(*sentence("injected", text, self._paint, "strong"))

    def decided(self, decisions: Iterable[Decision]) -> None:
        """Decisions that no tick made."""
        for decision in decisions:
            self.say(*decision_lines(decision, self._paint))

    def close(self, life: ModelLife) -> None:
        """What a life cost, against what it might have cost, and what was done in it."""
        self.say("", *cost_lines(life.bills, self._paint), *tally_lines(life, self._paint))

    def end(self, decisions: int, problems: Sequence[str]) -> None:
        """The last word: whether the chain of decisions holds."""
        if problems:
            self.say("", *sentence("chain broken", problems[0], self._paint, "bad"))
        else:
            self.say("", *sentence("chain", f"{plural(decisions, 'decision')}, verified", self._paint, "good"))

    def say(self, *lines: str) -> None:
        for line in lines:
            self._out(line)


def realised(measurements: Sequence[Measurement]) -> float | None:
    """The realised loss of the newest window; of several versions in it, weighted by rows."""
    known = [m for m in measurements if m.name == "loss.realised" and not m.slice and m.value is not None]
    newest = max((m.window_start for m in known), default=None)
    parts = [(m.value, max(m.rows, 1)) for m in known if m.window_start == newest and m.value is not None]
    total = sum(rows for _, rows in parts)
    return sum(value * rows for value, rows in parts) / total if parts else None


def still_ageing(week: Week, before: bool) -> bool:
    """A warning about performance holds until a version changes or it is taken back."""
    if any(d.decision.action in (Action.PROMOTE, Action.ROLL_BACK) for d in week.decisions):
        return False
    kinds = {alert.kind for alert in week.alerts}
    return "performance" in kinds or (before and "recovered" not in kinds)


def state_of(week: Week, *, ageing: bool) -> tuple[str, str]:
    """(tone, shape and word) of a week."""
    if any(d.decision.action is Action.ROLL_BACK for d in week.decisions):
        return "bad", "■ failing"
    kinds = {alert.kind for alert in week.alerts} | ({"performance"} if ageing else set())
    for kind, state in STATES.items():
        if kind in kinds:
            return state
    return ("warn", "▲ blind") if week.loss is None else ("good", "● healthy")


def week_lines(week: Week, first_loss: float | None, paint: Paint, *, ageing: bool) -> list[str]:
    """The line of a week, and under it its alerts and decisions; a plain hold stays on the line."""
    loss = "–" if week.loss is None else figure(week.loss)
    tone, word = state_of(week, ageing=ageing)
    version = f"v{week.champion}" if week.champion else "–"
    held = next((hold_words(d) for d in week.decisions if d.decision.action is Action.HOLD), "")
    head = f"  {day(week.start):<11} {week.rows:>8,}  {version:<4} {loss:>6} {bar(week.loss, first_loss)} "
    line = head + paint(f"{word:<13}", tone) + " " + paint(held[: WIDTH - len(head) - 14], "soft")
    lines = [line.rstrip()]
    for alert in week.alerts:
        tone = STATES.get(alert.kind, ("soft", ""))[0]
        late = f" (week of {day(alert.window_start, year=False)})" if alert.window_start < week.start else ""
        lines += sentence(alert.kind.replace("-", " "), f"{alert.title}{late}", paint, tone)
    if week.flagged:
        lines += sentence("flagged", f"{week.flagged:,} of {week.rows:,} answers, by the contract", paint, "warn")
    for decision in week.decisions:
        lines += decision_lines(decision, paint)
    return lines


def decision_lines(decision: Decision, paint: Paint) -> list[str]:
    """A decision with its reason; a hold has none here."""
    made = decision.decision
    if made.action is Action.HOLD:
        return []
    tones = {Action.PROMOTE: "good", Action.ROLL_BACK: "bad", Action.REFUSE: "warn", Action.WAIVE: "warn"}
    by = "" if made.actor.kind in ("policy", "scheduler") else f" (by {made.actor.name})"
    return sentence(title_of(made), f"{made.reason}{by}", paint, tones.get(made.action, "strong"))


def hold_words(decision: Decision) -> str:
    """Why nothing was done, in a few words, from the decision's evidence."""
    evidence = decision.decision.evidence
    span = (evidence.get("spans") or {}).get(evidence.get("span")) or {}
    worth, price = span.get("worth"), evidence.get("price")
    barred = f", {evidence['because']}" if evidence.get("because") in ("cool-down", "budget") else ""
    if worth is not None and price is not None:
        return f"held: worth {number(round(worth))} of {number(round(price))}{barred}"
    if (saves := evidence.get("saves")) is not None:
        return f"held: a retraining {'saves' if saves > 0 else 'loses'} {number(round(abs(saves)))}{barred}"
    return f"held: {str(evidence.get('because') or 'nothing to decide').replace('-', ' ')}"


def sentence(label: str, text: str, paint: Paint, tone: str) -> list[str]:
    """A word or two in a column of their own, and a sentence beside them, over several lines where it must be."""
    room = WIDTH - 6 - LABEL
    first, *rest = textwrap.wrap(text, room) or [""]
    if len(label) > LABEL - 1:
        return [f"      {paint(label, tone)}", *(f"{'':{6 + LABEL}}{line}" for line in (first, *rest))]
    return [f"      {paint(f'{label:<{LABEL}}', tone)}{first}", *(f"{'':{6 + LABEL}}{line}" for line in rest)]


def bar(loss: float | None, first_loss: float | None) -> str:
    """A week's loss as a bar; its whole width is two and a half times what the first week lost."""
    if loss is None or not first_loss:
        return " " * CELLS
    eighths = min(round(loss / first_loss / FULL * CELLS * 8), CELLS * 8)
    full, part = divmod(eighths, 8)
    return f"{'█' * full}{EIGHTHS[part].strip()}".ljust(CELLS)


def figure(value: float) -> str:
    """A loss with as many digits as a reader needs to see it move.

    >>> figure(33.31), figure(0.5268), figure(5.234)
    ('33', '0.527', '5.2')
    """
    return number(value, 3) if abs(value) < 1 else number(value)


def cost_lines(bills: Sequence[Bill], paint: Paint) -> list[str]:
    """The policies, the dearest first, with their cost as a multiple of the best fixed schedule's and the oracle's."""
    if not bills:
        return []
    costs = {bill.policy: bill.cost.value for bill in bills}
    errors = alike([bill.error or 0.0 for bill in bills])
    rows = sorted(zip(bills, errors, strict=True), key=lambda pair: -pair[0].cost.value)
    head = (
        f"  {'policy':<24} {'retrained':>9} {'error':>8} {'cost, ' + bills[0].unit:>16} {'× best':>7} {'× oracle':>9}"
    )
    lines = [paint(head, "soft")]
    for bill, error in rows:
        ratios = [_ratio(bill.cost.value, costs.get(name)) for name in ("hindsight", "oracle")]
        line = (
            f"  {policy_name(bill.policy):<24} {bill.retrained or 0:>9} {error:>8} "
            f"{number(round(bill.cost.value)):>16} {ratios[0]:>7} {ratios[1]:>9}"
        )
        lines.append(paint(line, "strong") if bill.policy == "solvent" else line)
    notes = {bill.policy: bill.note for bill in bills if bill.note}
    if notes.get("hindsight"):
        lines.append(paint(f"  best = the cheapest fixed schedule, chosen knowing all: {notes['hindsight']}", "soft"))
    return lines


def tally_lines(life: ModelLife, paint: Paint) -> list[str]:
    """What was done in a life, counted; alerts by cause."""
    kinds: dict[str, int] = {}
    for warning in life.warnings:
        kinds[warning.kind] = kinds.get(warning.kind, 0) + 1
    done = (
        f"retrained and promoted {times(retrainings(life))}, refused {times(life.count(Action.REFUSE))}, "
        f"rolled back {times(life.count(Action.ROLL_BACK))}, held {times(life.count(Action.HOLD))}"
    )
    alerts = ", ".join(f"{kind.replace('-', ' ')} {count}" for kind, count in sorted(kinds.items())) or "none"
    return ["", *sentence("decisions", done, paint, "soft"), *sentence("alerts", alerts, paint, "soft")]


def _ratio(cost: float, base: float | None) -> str:
    return f"{cost / base:.2f}" if base else "–"
