"""The page of what the statistics promised and kept, and its pictures, from the last `make calibrate`."""

from __future__ import annotations

from typing import Any

INTRODUCTION = (
    "# Calibration: what is promised, and what was seen\n\n"
    "Drawn by `make calibrate` (share {share:g} of the full number of draws, {minutes:.0f} minutes, {machine}). "
    "A false-alarm promise is kept where the observed rate's 95% interval includes it or lies below, a coverage where "
    "it includes it or lies above. Real tables are shuffled in time, so that nothing ages; for coverage their rows are "
    "then drawn so that only inputs move: one feature, a threshold of one, the output, or a sum of two is tilted by up "
    "to 1.5 deviations. Intervals say 90%; 85% is promised. The Kolmogorov–Smirnov rows are the test that drift "
    "libraries run by default, at 5% a window shared among the features; it takes rows as independent, and they are "
    "not.\n"
)
WIDTH, ROW, LEFT = 720, 22, 330
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#222}line{stroke:#999}.seen{stroke:#2456a6;stroke-width:2}"
    "circle{fill:#2456a6}.promise{stroke-dasharray:2 3}.kept{stroke:#c9c9c9}.peer{fill:#777}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>"
)


def page(found: dict[str, Any]) -> str:
    """All rates as tables, with the pictures above them."""
    head = INTRODUCTION.format(share=found["share"], minutes=found["seconds"] / 60, machine=found["machine"])
    parts = [head, "## False alarms", "", "Share of windows (blocks, sequences) with an alarm.", ""]
    parts += _table(found["false alarms"], 4)
    parts += ["", "## Coverage", "", "![Coverage of 90% intervals](../images/calibration-coverage.svg)", ""]
    parts += _table(found["coverage"], 3)
    parts += ["", "## Power", "", "Shifts of one feature of three that were told within eight windows.", ""]
    parts += ["![Share of shifts that were told](../images/calibration-power.svg)", "", *_table(found["power"], 3, "")]
    return "<!-- made by docs/generate.py -->\n\n" + "\n".join(parts) + "\n"


def _table(rates: list[dict[str, Any]], digits: int, promise: str = "promised") -> list[str]:
    head = ["| what | seen | 95% interval |" + (f" {promise} | kept |" if promise else ""), "| --- | --- | --- |"]
    head[1] += " --- | --- |" if promise else ""
    rows = []
    for one in rates:
        low, high = one["interval"]
        more = f" {one['promise']:.{digits}f} | {'yes' if one['kept'] else 'no'} |" if promise else ""
        name = f"{one['name']} ({one['note']})" if one["note"] else one["name"]
        rows.append(f"| {name} | {one['rate']:.{digits}f} | {low:.{digits}f} to {high:.{digits}f} |{more}")
    return head + rows


def coverage_picture(found: dict[str, Any]) -> str:
    """A line a table or method: the observed coverage with its interval, the promise dotted."""
    rates = found["coverage"]
    height = ROW * len(rates) + 40

    def x(share: float) -> float:
        return LEFT + (share - 0.7) / 0.3 * (WIDTH - LEFT - 20)

    marks = [
        f'<line class="promise" x1="{x(0.85):.1f}" x2="{x(0.85):.1f}" y1="10" y2="{height - 24}"/>',
        f'<text x="{x(0.85) - 30:.1f}" y="{height - 8}">85% promised</text>',
        f'<text x="{x(1.0) - 24:.1f}" y="{height - 8}">100%</text>',
    ]
    for at, one in enumerate(rates):
        y, (low, high) = 20 + at * ROW, one["interval"]
        marks += [
            f'<text x="4" y="{y + 4}">{one["name"]}</text>',
            f'<line class="seen" x1="{x(max(low, 0.7)):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}"/>',
            f'<circle cx="{x(one["rate"]):.1f}" cy="{y}" r="4"/>',
        ]
    return _picture("Coverage of 90% intervals by table and method", height, marks)


def power_picture(found: dict[str, Any]) -> str:
    """A curve for each kind of noise: share of shifts that were told within eight windows, by their size."""
    height, left, bottom = 260, 60, 210
    curves: dict[str, list[tuple[float, float]]] = {}
    for one in found["power"]:
        size, _, kind = one["name"].removeprefix("drift of ").partition(" deviations, ")
        curves.setdefault(kind, []).append((float(size), one["rate"]))
    widest = max(size for curve in curves.values() for size, _ in curve)

    def at(size: float, rate: float) -> tuple[float, float]:
        return left + size / widest * (WIDTH - left - 150), bottom - rate * 180

    marks = [f'<line x1="{left}" x2="{WIDTH - 150}" y1="{bottom}" y2="{bottom}"/>']
    marks += [f'<text x="18" y="{at(0, share)[1] + 4:.1f}">{share:.0%}</text>' for share in (0, 0.5, 1)]
    sizes = sorted({size for curve in curves.values() for size, _ in curve})
    marks += [f'<text x="{at(size, 0)[0] - 8:.1f}" y="{bottom + 18}">{size:g}</text>' for size in sizes]
    marks.append(f'<text x="{left}" y="{bottom + 40}">shift, standard deviations</text>')
    for kind, curve in curves.items():
        points = [at(*point) for point in sorted(curve)]
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        marks.append(f'<polyline class="seen" fill="none" points="{line}"/>')
        marks.append(f'<text x="{points[-1][0] + 8:.1f}" y="{points[-1][1] + 4:.1f}">{kind}</text>')
    return _picture("Share of shifts told within eight windows, by size", height, marks)


def _picture(title: str, height: int, marks: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">'
    return "\n".join([head, f"<title>{title}</title>", STYLE, *marks, "</svg>"]) + "\n"
