"""What differs between the code that a step ran with and the code that it has now, to the line.

Both are read from code documents (`documents`): today's, and the one that the run kept.
"""

from __future__ import annotations

import difflib
import re
from typing import Literal, NamedTuple

from solvent.pipeline.documents import Document, facts_of
from solvent.pipeline.fingerprint.modules import normalised

_ASSIGNED = re.compile(r"^\s*([A-Za-z_][\w.]*)(?:\s*:[^=]+)? = (.+)$")
_SHOWN = 40  # characters of a value that is shown in a reason


class Change(NamedTuple):
    """A symbol or file that differs.

    symbol: what differs; what: what it is told as, for a constant the function that uses it. how: changed, new (to
    the step) or gone. old, new: normalised source. through: names on the way from the step to it, the step's own first.
    """

    symbol: str
    what: str
    how: Literal["changed", "new", "gone"]
    old: str
    new: str
    through: tuple[str, ...]

    def diff(self) -> list[str]:
        """The difference as a unified diff."""
        lines = difflib.unified_diff(
            self.old.splitlines(), self.new.splitlines(), self.symbol, self.symbol, lineterm=""
        )
        return list(lines)


def changed_code(before: Document, old_step: str, now: Document, new_step: str) -> list[Change]:
    """What a step reaches now and did not reach in the same form before, nearest first."""
    old_root, new_root = _root(before, old_step), _root(now, new_step)
    old_ways, new_ways = _ways(before, old_root), _ways(now, new_root)
    if not old_ways or not new_ways:
        return []
    names = [n for n in new_ways if n != new_root]
    pairs = [(old_root, new_root), *((n, n) for n in names if n in old_ways)]
    changes = [
        _change(before, now, old, new, new_ways)
        for old, new in pairs
        if before["symbols"][old]["digest"] != now["symbols"][new]["digest"]
    ]
    added = [n for n in names if n not in old_ways]
    gone = [n for n in old_ways if n not in new_ways and n != old_root]
    changes += [_change(before, now, "", n, new_ways) for n in added]
    changes += [_change(before, now, n, "", old_ways) for n in gone]
    return changes


def reached(document: Document, step: str) -> dict[str, str]:
    """Everything that a step's code is made of, as people call it, with its digest; the step itself first."""
    symbols = document.get("symbols", {})
    return {_shown(name): str(symbols[name]["digest"]) for name in _ways(document, _root(document, step))}


def reasons_of(changes: list[Change]) -> list[str]:
    """Changes as clauses of a sentence: what changed itself, or else what took another's place."""
    changed = [c for c in changes if c.how == "changed"]
    if changed:
        return [_reason(c) for c in changed]
    added, gone = [c for c in changes if c.how == "new"], [c for c in changes if c.how == "gone"]
    if added and gone:
        return [f"`{added[0].what}` took the place of `{gone[0].what}`{_through(added[0])}"]
    return [f"`{c.what}` is new to it{_through(c)}" for c in added] + [f"it no longer reaches `{c.what}`" for c in gone]


def distribution_changes(before: list[str], now: list[str]) -> list[str]:
    """Installed versions that differ, as clauses."""
    old, new = (dict(d.split("==", 1) for d in ds) for ds in (before, now))
    changed = [f"{n} {old[n]} → {new[n]}" for n in sorted(old.keys() & new.keys()) if old[n] != new[n]]
    added = [f"{n} {new[n]} is new to it" for n in sorted(new.keys() - old.keys())]
    removed = [f"it no longer uses {n}" for n in sorted(old.keys() - new.keys())]
    found = changed + added + removed
    return [*found[:3], f"and {len(found) - 3} more distributions"] if len(found) > 3 else found


def _root(document: Document, step: str) -> str:
    return str(facts_of(document, step).get("root", ""))


def _ways(document: Document, root: str) -> dict[str, tuple[str, ...]]:
    """Every symbol that a root reaches with the shortest way to it, the root first and the symbol left out."""
    symbols = document.get("symbols", {})
    if root not in symbols:
        return {}
    ways: dict[str, tuple[str, ...]] = {root: ()}
    level = [root]
    while level:
        below = []
        for name in level:
            for target in symbols[name]["uses"]:
                if target in symbols and target not in ways:
                    ways[target] = (*ways[name], name)
                    below.append(target)
        level = below
    return ways


def _change(before: Document, now: Document, old: str, new: str, ways: dict[str, tuple[str, ...]]) -> Change:
    was, is_ = _source(before, old), _source(now, new)
    name = new or old
    owner, way = name, list(ways[name])
    kind = (now if new else before)["symbols"][name].get("kind", "file")
    if kind == "constant" and way and old and new:
        owner = way.pop()  # a constant is told as part of the function that uses it
    how: Literal["changed", "new", "gone"] = "changed" if old and new else "new" if new else "gone"
    return Change(_shown(name), _shown(owner), how, was, is_, tuple(_short(n) for n in way))


def _source(document: Document, name: str) -> str:
    return normalised(document["symbols"][name].get("text", "")) if name else ""


def _reason(change: Change) -> str:
    return f"`{change.what}` changed{_how(change)}{_through(change)}"


def _how(change: Change) -> str:
    """The one line that differs, where there is only one: a constant with both values, else the line's old and new."""
    lines = [line for line in change.diff()[2:] if line[:1] in "+-"]
    old, new = ([line[1:] for line in lines if line[0] == sign] for sign in "-+")
    if len(old) != 1 or len(new) != 1:
        return f" ({max(len(old), len(new))} lines)" if lines else ""
    one, other = _ASSIGNED.match(old[0]), _ASSIGNED.match(new[0])
    if one and other and one[1] == other[1]:
        return f" (constant `{one[1]}` {_cut(one[2])} → {_cut(other[2])})"
    return f" (`{_cut(old[0].strip())}` → `{_cut(new[0].strip())}`)"


def _through(change: Change) -> str:
    return f", reached through {', '.join(f'`{n}`' for n in reversed(change.through))}" if change.through else ""


def _shown(name: str) -> str:
    return name.removeprefix("step ")


def _short(name: str) -> str:
    return name.rpartition("::")[2]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
