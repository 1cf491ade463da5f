"""Markup that cannot be injected into: plain strings are escaped, only `Html` passes as it is."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

VOID = frozenset({"br", "circle", "hr", "input", "line", "link", "meta", "path", "rect"})


class Html(str):
    """Text that is markup already. Made by `tag` and `join`, or of a literal in this package."""

    __slots__ = ()


Child: TypeAlias = "str | Html | Iterable[Child] | None"
Attribute: TypeAlias = "str | int | float | bool | None"


def join(*children: Child) -> Html:
    """Children one after the other; None is nothing, plain text is escaped."""
    return Html("".join(_flat(children)))


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """One element. Attribute names: `_` stands for `-`, a last `_` is dropped; None and False leave it out.

    >>> tag("p", "a < b", class_="why", data_l=None)
    '<p class="why">a &lt; b</p>'
    """
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}"
    return Html(f"{opening}/>") if name in VOID else Html(f"{opening}>{join(*children)}</{name}>")


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str):
            yield escape(child)
        elif child is not None:
            yield from _flat(child)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    return f' {name}="{escape(text)}"'
