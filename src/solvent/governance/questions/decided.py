"""The decisions of a project, filtered, with their place in the chain."""

from __future__ import annotations

from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING

import msgspec

from solvent.foundation.errors import UsageError, nearest
from solvent.governance.report.life import Ruling
from solvent.governance.rulings import ruling_of
from solvent.lineage.entities import Action
from solvent.pages.words import capital, day, plural

if TYPE_CHECKING:
    from solvent.store import Store

WIDTH = 80
INDENT = 13


class UnknownModelName(UsageError):
    code = "unknown-model"


class UnknownAction(UsageError):
    code = "unknown-action"


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions that fit, oldest first. total: how many the project's chain holds in all."""

    model: str | None
    action: Action | None
    since: datetime | None
    total: int
    decisions: list[Ruling]


def decisions(
    store: Store,
    *,
    model: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> Decisions:
    """Decisions about a model, of one action, since a date; with a limit the last so many.

    Raises: UnknownModelName, UnknownAction (both name the nearest).
    """
    known = store.facts.models()
    if model is not None and model not in known:
        hint = nearest(model, known, "`solvent models list` lists the models")
        raise UnknownModelName(f"no model `{model}` in this project", next=hint)
    wanted = _action(action)
    newest = store.facts.decisions(limit=1)
    found = store.facts.decisions(model, action=wanted, since=since, limit=limit)
    return Decisions(
        model=model,
        action=wanted,
        since=since,
        total=newest[-1].position + 1 if newest else 0,
        decisions=[ruling_of(decision) for decision in found],
    )


def _action(text: str | None) -> Action | None:
    if text is None:
        return None
    words = [action.value for action in Action]
    if text not in words:
        raise UnknownAction(f"`{text}` is no action", next=nearest(text, words, f"actions: {', '.join(words)}"))
    return Action(text)


def render_decisions(answer: Decisions) -> list[str]:
    """The answer for a terminal: a line for each decision, its reason below."""
    about = f" about {answer.model}" if answer.model else ""
    if not answer.decisions:
        return [
            f"No decision{about} fits; the chain holds {plural(answer.total, 'decision')}.",
            "",
            "Next: solvent tick",
        ]
    shown = len(answer.decisions)
    of_all = f" of {answer.total:,}" if shown != answer.total else ""
    noun = "decision" if shown == 1 and not of_all else "decisions"
    lines = [f"{shown:,}{of_all} {noun}{about}, the newest last.", ""]
    for ruling in answer.decisions:
        head = f"{day(ruling.at):<{INDENT - 1}} {ruling.title}"
        tail = f"{ruling.by}  {ruling.hash[:8]}"
        lines.append(f"{head}{tail:>{max(WIDTH - len(head), len(tail) + 2)}}")
        lines += [f"{' ' * INDENT}{line}" for line in wrap(capital(ruling.reason), WIDTH - INDENT)]
    return [*lines, "", "Next: solvent verify · solvent decisions --json has the evidence"]
