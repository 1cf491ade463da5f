"""What something came of (`lineage`), and what hangs on it (`impact`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Literal

import msgspec

from solvent.debt.findings import FileDebts, debts_of_steps
from solvent.governance.questions.naming import Meant, PredictionPlace, meaning
from solvent.governance.questions.things import Thing, Tie, things_of
from solvent.lineage.entities import NodeKind, Subgraph
from solvent.lineage.findings import FindingState
from solvent.pages.words import capital, day, in_words, listed, moment, number, plural

if TYPE_CHECKING:
    from solvent.store import Store

WIDTH = 80
MOST_LINES = 60  # of a tree in the terminal; `--json` has everything
MOST_DEBTS = 4  # of one file that are named
NAMED_BY_KEY = (NodeKind.VERSION, NodeKind.MODEL)
ROLES = ("artifact", "made-by", "about", "answered", "watched", "deployed", "column")  # said by the kinds already
Direction = Literal["ancestors", "descendants"]
FOLDED = (NodeKind.RECIPE, NodeKind.COLUMN, NodeKind.MODEL)  # told on the line of the thing that they belong to
NOUNS = {
    "any": ("value", "values"),
    "metrics": ("set of metrics", "sets of metrics"),
    "model": ("fitted model", "fitted models"),
    "version": ("model version", "model versions"),
    "predictions": ("segment of predictions", "segments of predictions"),
    "outcomes": ("segment of outcomes", "segments of outcomes"),
    "evidence": ("piece of evidence", "pieces of evidence"),
}


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything up or down from what was asked about.

    said: how the name was read. roots: ids of the things asked about. things, ties: nodes and
    edges. live: aliases that point at versions among them. rests_on: debts that are owed where the steps behind it
    stand, by file. truncated: there is more than was fetched.
    """

    what: str
    said: str
    direction: Direction
    roots: list[int]
    things: list[Thing]
    ties: list[Tie]
    live: list[str]
    uses: list[str] = msgspec.field(default_factory=list)
    prediction: PredictionPlace | None = None
    rests_on: list[FileDebts] = msgspec.field(default_factory=list)
    truncated: bool = False


def lineage_of(store: Store, what: str, *, limit: int = 100_000) -> Lineage:
    """Everything that `what` came of: data, code, parameters, runs. Raises: UnknownName, AmbiguousName."""
    return _answer(store, meaning(store, what), "ancestors", limit)


def impact_of(store: Store, what: str, *, limit: int = 100_000) -> Lineage:
    """Everything that hangs on `what`: what must be made again, or breaks, when it goes.

    For a column `uses` names the versions that read it. Raises: UnknownName, AmbiguousName.
    """
    return _answer(store, meaning(store, what), "descendants", limit)


def _answer(store: Store, meant: Meant, direction: Direction, limit: int) -> Lineage:
    reach = store.facts.ancestors if direction == "ancestors" else store.facts.descendants
    subgraphs: list[Subgraph] = [reach(node.kind, node.key, limit=limit) for node in meant.nodes]
    things, ties = things_of(store, subgraphs)
    live = [f"{t.name.partition('/')[0]}@{alias}" for t in things if t.kind is NodeKind.VERSION for alias in t.aliases]
    column = meant.nodes[0].name if meant.nodes[0].kind is NodeKind.COLUMN else None
    return Lineage(
        what=meant.what,
        said=meant.said,
        direction=direction,
        roots=[node.id for node in meant.nodes],
        things=things,
        ties=ties,
        live=sorted(live),
        uses=_readers(store, things, column) if column else [],
        prediction=meant.prediction,
        rests_on=_debts(store, meant, subgraphs if direction == "ancestors" else None, limit),
        truncated=any(subgraph.truncated for subgraph in subgraphs),
    )


def _debts(store: Store, meant: Meant, above: Sequence[Subgraph] | None, limit: int) -> list[FileDebts]:
    """What is owed in the files of the steps that the things asked about came of. above: where it was fetched."""
    owed = store.facts.findings([FindingState.OPEN])
    if not owed:
        return []
    if above is None:
        above = [store.facts.ancestors(node.kind, node.key, limit=limit) for node in meant.nodes]
    steps = {node.name for subgraph in above for node in subgraph.nodes if node.kind is NodeKind.RUN}
    return debts_of_steps(steps, owed)


def _readers(store: Store, things: Iterable[Thing], column: str) -> list[str]:
    """Versions among the things whose signature names the column as a feature."""
    names = [thing.name for thing in things if thing.kind is NodeKind.VERSION]
    found = []
    for name in names:
        model, _, version = name.rpartition("/")
        known = store.facts.version(model, int(version))
        if known is not None and column in known.signature.get("features", {}):
            found.append(name)
    return found


def render_lineage(answer: Lineage) -> list[str]:
    """The answer for a terminal: a sentence, a tree with the nearest first, what to try next."""
    up = answer.direction == "ancestors"
    lines = [*wrap(_sentence(answer), WIDTH), ""]
    if answer.prediction:
        lines += [*_prediction_lines(answer.prediction), ""]
    lines += _tree(answer)
    if answer.uses:
        lines += ["", *wrap(f"Read as a feature by {listed(answer.uses)}.", WIDTH)]
    if answer.rests_on:
        lines += ["", *wrap(f"Rests on: {listed([_owed(debts) for debts in answer.rests_on])}.", WIDTH)]
    if answer.truncated:
        lines += ["", f"There is more: only the nearest {len(answer.things):,} are told."]
    other = "impact" if up else "lineage"
    subject = f"{answer.prediction.model}/{answer.prediction.version}" if answer.prediction else answer.what
    return [*lines, "", f"Next: solvent {other} {subject} · --json tells everything"]


def _owed(debts: FileDebts) -> str:
    """`2 debts in features.py (DAT101 line 12, REP001 line 30)`."""
    shown = [f"{one.rule} line {one.spot.line}" for one in debts.findings[:MOST_DEBTS]]
    more = [f"{len(debts.findings) - MOST_DEBTS} more"] if len(debts.findings) > MOST_DEBTS else []
    return f"{plural(len(debts.findings), 'debt')} in {debts.path} ({', '.join([*shown, *more])})"


def _sentence(answer: Lineage) -> str:
    said = answer.said if answer.said.startswith(f"{answer.what} ") else capital(answer.said)
    others = [thing for thing in answer.things if thing.id not in answer.roots and thing.kind not in FOLDED]
    if not others:
        nothing = (
            "nothing that the store knows came before it" if answer.direction == "ancestors" else "nothing uses it"
        )
        return f"{said}: {nothing}."
    counted = Counter(thing.type or thing.kind.value for thing in others)
    parts = [_counted(kind, count) for kind, count in counted.most_common()]
    verb = "made of" if answer.direction == "ancestors" else "used for"
    live = f" In service: {listed(answer.live)}." if answer.live else ""
    return f"{said}: {verb} {listed(parts)}.{live}"


def _counted(kind: str, count: int) -> str:
    one, many = NOUNS.get(kind, (kind, f"{kind}s"))
    return f"{in_words(count)} {one if count == 1 else many}"


def _prediction_lines(place: PredictionPlace) -> list[str]:
    segments = ", ".join(digest[:10] for digest in place.segments) or "the log, not sealed yet"
    return [
        f"  prediction  {place.prediction_id}",
        f"  answered    {moment(place.answered_at)}, for {moment(place.event_time)}",
        f"  output      {'none' if place.output is None else number(place.output, 4)}",
        f"  by          {place.model}/{place.version}",
        f"  kept in     {segments}",
    ]


def _tree(answer: Lineage) -> list[str]:
    """The things as an indented list: each is opened where it is met first, and named where it is met again."""
    up = answer.direction == "ancestors"
    nexts: dict[int, list[Tie]] = defaultdict(list)
    for tie in answer.ties:
        nexts[tie.target if up else tie.source].append(tie)
    by_id = {thing.id: thing for thing in answer.things}
    shown = {i for i, thing in by_id.items() if thing.kind not in FOLDED or i in answer.roots}
    columns = _columns(answer, by_id) if up else {}
    lines: list[str] = []
    seen: set[int] = set()
    for thing, depth, role in _walk(answer.roots, nexts, up=up):
        if thing not in shown or (thing in seen and role == "made-by"):
            continue
        if len(lines) == MOST_LINES:
            rest = len(shown) - len(seen)
            return [*lines, f"  … and {rest:,} more"] if rest else lines
        lines.append(_line(by_id[thing], depth, role, columns.get(thing, []), again=thing in seen))
        seen.add(thing)
    return lines


def _columns(answer: Lineage, by_id: dict[int, Thing]) -> dict[int, list[str]]:
    """Names of the columns of each table."""
    named: dict[int, list[str]] = defaultdict(list)
    for tie in answer.ties:
        if by_id[tie.source].kind is NodeKind.COLUMN:
            named[tie.target].append(by_id[tie.source].name)
    return named


def _walk(roots: Sequence[int], nexts: dict[int, list[Tie]], *, up: bool) -> Iterator[tuple[int, int, str]]:
    """(thing, depth, role) depth first; what was opened before is named again but not opened."""
    opened: set[int] = set()
    stack = [(root, 0, "") for root in reversed(roots)]
    while stack:
        thing, depth, role = stack.pop()
        yield thing, depth, role
        if thing in opened:
            continue
        opened.add(thing)
        below = [((tie.source if up else tie.target), depth + 1, tie.role) for tie in nexts[thing]]
        stack.extend(reversed(below))


def _line(thing: Thing, depth: int, role: str, columns: list[str], *, again: bool) -> str:
    noun = thing.type or thing.kind.value
    alias = f" @{', @'.join(thing.aliases)}" if thing.aliases else ""
    as_role = f" ({role})" if role and role not in (thing.name, noun, *ROLES) else ""
    with_columns = [", ".join(columns) if len(columns) <= 3 else plural(len(columns), "column")] if columns else []
    told = [thing.about, *with_columns, day(thing.at)]
    tail = "above" if again else ", ".join(part for part in told if part)
    return _fit(f"{'  ' * (min(depth, 16) + 1)}{noun} {_label(thing)}{alias}{as_role}  {tail}")


def _label(thing: Thing) -> str:
    """The name and as much of the key as finds it again."""
    if thing.kind is NodeKind.COLUMN:
        owner = thing.key.rpartition("#")[0]
        return f"{thing.name} of {owner if '/' in owner else owner[:10]}"
    if thing.kind in NAMED_BY_KEY:
        return thing.key
    if thing.kind in (NodeKind.ALERT, NodeKind.DEPLOYMENT):
        return thing.name
    return f"{thing.name} {thing.key[: 16 if len(thing.key) == 32 else 10]}".strip()


def _fit(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
