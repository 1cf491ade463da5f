"""Tables and tiles. On a narrow page a table's rows are cards."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from solvent.pages.markup import Child, Html, tag


def table(header: Sequence[str], rows: Sequence[Html], *, right: Sequence[int] = (), caption: str = "") -> Html:
    """A table with a caption for screen readers; `right`: the columns of figures."""
    heads = [tag("th", name, scope="col", class_="n" if i in right else None) for i, name in enumerate(header)]
    return tag(
        "table",
        tag("caption", caption, class_="unseen") if caption else None,
        tag("thead", tag("tr", heads)),
        tag("tbody", rows),
    )


def cell(content: Child, label: str = "", *, kind: str | None = None) -> Html:
    """One cell; `label` is shown before it on a narrow page, where the table's head is gone."""
    return tag("td", content, class_=kind, data_l=label or None)


def tile(name: str, value: str | Html, note: str | Html) -> Html:
    """One figure: what it is, the figure, its uncertainty or its meaning."""
    return tag("div", tag("dt", name), tag("dd", value, class_="v"), tag("dd", note))


def classed(svg: Html, name: str) -> Html:
    """A picture of this class, such as `wide` or `narrow`."""
    return Html(svg.replace("<svg", f'<svg class="{name}"', 1))


def embedded(data: object) -> Html:
    """JSON inside a script element: no `<` can end it early."""
    return Html(msgspec.json.encode(data).decode().replace("<", "\\u003c"))
