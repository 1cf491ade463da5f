"""The page of who would have warned first, from the last `benchmarks/bench_warnings.py`."""

from __future__ import annotations

from typing import Any

OURS = "Solvent, without labels"
INTRODUCTION = """# Who warns first

**Question.** How many windows before a model's loss crosses its threshold does a warning come, and how often for \
nothing, with Solvent and with the defaults of two libraries?

Real tables ({names}), each cut at {cuts} of its rows into {windows} windows and \
lived by one model, as they are and with their rows shuffled in time, so that nothing ages. All saw the same model, \
rows and reference. Evidently {evidently}: its data drift preset (half of the columns drifted). NannyML {nannyml}: \
univariate drift on any column, and its estimate of performance (CBPE: ROC AUC, accuracy; DLE: the metric) beyond its \
thresholds on the worse side. Both peers were spared functions of the clock, which Solvent leaves out by itself. \
*Lead*: windows from the first warning near the crossing (at most eight windows apart) to the crossing; *missed*: none \
near; *anew*: a warning begins in the eight windows before, for one that is always on announces nothing. A run of \
windows with a warning that no crossing follows within eight is one *false* warning. Intervals are 90%, of shares with \
tables as the unit; they are few.
"""
POOLED = (
    ("warned before", "warned before", 100),
    ("warned before, anew", "anew", 100),
    ("missed", "missed", 100),
    ("median lead", "median lead, windows", 1),
    ("false per 100, as it is", "false in 100 windows", 1),
    ("windows under a false warning per 100, as it is", "windows under one, of 100", 1),
    ("false per 100, shuffled", "false in 100, shuffled", 1),
    ("windows under a false warning per 100, shuffled", "under one, shuffled", 1),
)


def page(found: dict[str, Any]) -> str:
    """Pooled figures, where peers are earlier, and each table."""
    peers = {peer: found["machine"][peer] for peer in ("evidently", "nannyml")}
    tables = list(found["tables"])
    cuts = _listed([f"{cut:.0%}" for cut in found["cuts"]])
    head = INTRODUCTION.format(names=", ".join(tables), cuts=cuts, windows=found["windows"], **peers)
    parts = ["<!-- made by docs/generate.py -->", "", head]
    parts += _row(["", *(title for _, title, _ in POOLED)], head=True)
    for method, figures in found["pooled"].items():
        parts += _row([_bold(method), *(_said(figures.get(what), scale) for what, _, scale in POOLED)])
    parts += ["", "Plainly:", "", _plainly(found)]
    parts += ["", "## Crossing by crossing", "", _summed(found), ""]
    parts += _row(["earlier / same / later than Solvent without labels", *tables, "all"], head=True)
    for method, by_table in found["against"].items():
        counts = [by_table[table] for table in tables]
        counts.append([sum(at) for at in zip(*counts, strict=True)])
        parts += _row([method, *(" / ".join(map(str, one)) for one in counts)])
    parts += ["", "## By table", ""]
    for table, methods in found["tables"].items():
        parts += [f"**{table}**: {_crossed(found['crossings'][table])}.", ""]
        parts += _row(["", *(title for _, title, _ in POOLED)], head=True)
        for method, figures in methods.items():
            cells = (_figure(figures.get(what), scale) for what, _, scale in POOLED)
            parts += _row([_bold(method), *cells])
        parts.append("")
    parts += ["**Source** `benchmarks/bench_warnings.py`; every warning in its [result](../reference/benchmarks.md)."]
    return "\n".join(parts) + "\n"


def _plainly(found: dict[str, Any]) -> str:
    """How many crossings each method told beforehand, and at what price."""
    crossings = sum(at is not None for one in found["crossings"].values() for at in one)
    said = []
    for method, figures in found["pooled"].items():
        before, anew = (round(figures[what][0] * crossings) for what in ("warned before", "warned before, anew"))
        under, false = figures["windows under a false warning per 100, as it is"], figures["false per 100, shuffled"]
        said.append(
            f"- {method}: before {before} of {crossings} crossings, {anew} of them anew; under a false warning in "
            f"{under[0]:.0f} of 100 windows; {false[0]:.1f} false warnings in 100 where nothing ages."
        )
    return "\n".join(said)


def _summed(found: dict[str, Any]) -> str:
    """Where a method that is not ours warned earlier, in a sentence each."""
    said = []
    for method, by_table in found["against"].items():
        if method.startswith("Solvent"):
            continue
        earlier, same, later = (sum(one[at] for one in by_table.values()) for at in range(3))
        where = [f"{table} {one[0]}" for table, one in by_table.items() if one[0]]
        places = f" ({', '.join(where)})" if where else ""
        said.append(
            f"{method} warned earlier in {earlier} of {earlier + same + later} crossings{places}, later in {later}; in "
            f"{same} both warned in one window or neither did."
        )
    return " ".join(said)


def _crossed(crossings: list[int | None]) -> str:
    at = [str(one + 1) for one in crossings if one is not None]
    if not at:
        return f"the loss never crosses, at any of {len(crossings)} cuts"
    return f"the loss crosses at {len(at)} of {len(crossings)} cuts, in window {', '.join(at)}"


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


def _figure(value: float | None, scale: float) -> str:
    if value is None:
        return "–"
    return f"{value:.0%}" if scale == 100 else f"{value:.3g}"
