"""Symbols with all that they reach, hashed: equal digests mean that nothing reachable differs.

A node's digest covers its own normal form and, for each name that it uses, the
digests of what that name means. Circles are hashed as one. So a swapped import
counts although the set of symbols stays the same, and code that nobody uses does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from solvent.lineage.digests import Digest, canonical, digest_of
from solvent.pipeline.fingerprint.data import DataFiles
from solvent.pipeline.fingerprint.resolve import Binary, Outside, Resolver, SymbolAt, Target, Whole, relative
from solvent.pipeline.fingerprint.symbols import MUTATED, VALUE, WRITTEN, Module, Symbol
from solvent.pipeline.fingerprint.unseen import DYNAMIC_BUILTINS, draws, reads_environment, unseen

IMPORT = "import "  # labels of edges to what imports do


class Doubt(NamedTuple):
    """Something that cannot be followed.

    widest: any file of the project may be meant. family: of draws at random. state: what others change; it
    matters only to those who use it, not to those who merely import it.
    """

    place: str
    what: str
    widest: bool = False
    family: str = ""
    state: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class Use(NamedTuple):
    """A use of a name from outside."""

    dotted: str
    how: int
    line: int


class Node(NamedTuple):
    """own: digest of its own form. edges: (label, node), in order. module: file that it stands in, '' for data."""

    own: str
    edges: tuple[tuple[str, str], ...]
    module: str
    outside: tuple[Use, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    asked: tuple[tuple[str, str, int], ...] = ()
    imports: tuple[str, ...] = ()


class Graph:
    """Nodes by id (`features.py::scale`), made when first asked for. root: the project's folder."""

    def __init__(self, root: str, resolver: Resolver, data: DataFiles) -> None:
        self.root = root
        self.resolver = resolver
        self.data = data
        self.nodes: dict[str, Node] = {}
        self.symbols: dict[str, Symbol] = {}
        self.portable: set[str] = set()  # classes, and functions that are used as values: a pickle refers to them
        self.writers: dict[SymbolAt, list[tuple[SymbolAt, int]]] = {}
        self._targets: dict[str, Target] = {}
        self._ids: dict[Target, str] = {}
        self._digests: dict[str, Digest] = {}
        self._effects: dict[str, tuple[str, ...]] = {}
        self._loud: dict[str, tuple[int, ...]] = {}

    def prepare(self, paths: Iterable[str]) -> None:
        """Read all modules that these load, at import or later, and learn which globals their functions change."""
        for path in self.loaded_by(paths):
            for index, symbol in enumerate(self.resolver.module(path).symbols):
                runs = symbol.kind in ("function", "class")
                for chain, (how, line) in symbol.uses.items():
                    for target in self.resolver.chain(path, chain) if how & (WRITTEN | MUTATED) else ():
                        if isinstance(target, SymbolAt) and (runs or target.path != path):
                            self.writers.setdefault(target, []).append((SymbolAt(path, index), line))

    def loaded_by(self, paths: Iterable[str]) -> list[str]:
        """Files of all modules that these modules import anywhere, packages included, these first."""
        seen: dict[str, None] = {}
        stack = list(paths)
        while stack:
            path = stack.pop()
            if path in seen:
                continue
            seen[path] = None
            module = self.resolver.module(path)
            names = [entry.partition(" ")[2] for entry in module.imports]
            names += [name for symbol in module.symbols for name in symbol.imports]
            for name in [module.name, *names, *module.stars]:
                stack += self.resolver.loaded(name)
        return list(seen)

    def node(self, name: str) -> Node:
        if name not in self.nodes:
            self.nodes[name] = self._make(self._targets[name])
        return self.nodes[name]

    def add_root(self, name: str, path: str, symbol: Symbol) -> str:
        """A step's own node: its function as the recipe sees it, and what importing its module does."""
        self.symbols[name] = symbol
        node = self._symbol_node(path, symbol, index=-1)
        effects = tuple((f"{IMPORT}{n}", e) for n, e in enumerate(self.effects(path)))
        self.nodes[name] = node._replace(edges=(*node.edges, *effects))
        return name

    def id_of(self, target: Target) -> str:
        """A target's id: its file and name, for people, too."""
        if target not in self._ids:
            self._ids[target] = name = self._named(target)
            self._targets[name] = target
        return self._ids[target]

    def _named(self, target: Target) -> str:
        if isinstance(target, Outside):
            return f"outside {target.dotted}"
        place = relative(target.path, self.root)
        if isinstance(target, SymbolAt):
            module = self.resolver.module(target.path)
            symbol = module.symbols[target.number]
            name = f"{place}::{_ordinal(module, target.number)}"
            self.symbols[name] = symbol
            if symbol.kind == "class":
                self.portable.add(name)
            return name
        return place

    def _make(self, target: Target) -> Node:
        if isinstance(target, Outside):
            return Node(f"{target.dotted} {target.missing}", (), "")
        if isinstance(target, Binary):
            return Node(self.data.digest(target.path), (), "")
        module = self.resolver.module(target.path)
        if isinstance(target, Whole):
            names = [SymbolAt(target.path, i) for i in range(len(module.symbols))]
            edges = [(str(i), self.id_of(n)) for i, n in enumerate(names)]
            for name in module.bindings:
                edges += [(name, self.id_of(t)) for t in self.resolver.chain(target.path, name)]
            return Node(module.digest, tuple(edges), target.path)
        return self._symbol_node(target.path, module.symbols[target.number], target.number)

    def _symbol_node(self, path: str, symbol: Symbol, index: int) -> Node:
        place = relative(path, self.root)
        edges: list[tuple[str, str]] = []
        outside: list[Use] = []
        doubts = [Doubt(f"{place}:{line}", what) for line, what in symbol.doubts]
        if symbol.state:
            doubts.append(
                Doubt(f"{place}:{symbol.line}", f"`{symbol.name}` is a container that others fill", state=True)
            )
        for chain, (how, line) in symbol.uses.items():
            targets = self.resolver.chain(path, chain)
            edges += self._edges(path, index, chain, how, targets)
            outside += [Use(t.dotted, how, line) for t in targets if isinstance(t, Outside)]
            runs = symbol.kind in ("function", "class")
            doubts += self._doubts(f"{place}:{line}", chain, how, targets, runs=runs)
        for writer, line in self.writers.get(SymbolAt(path, index), ()):
            edges.append(("written by", self.id_of(writer)))
            writes = f"{relative(writer.path, self.root)}:{line}"
            doubts.append(Doubt(writes, f"changes the global `{symbol.name}`", state=True))
        for literal in symbol.literals:
            edges += [(f"file {literal}", f) for f in self._files(path, literal)]
        for name in symbol.imports:
            for loaded in self.resolver.loaded(name):
                edges += [(f"{IMPORT}of {name} {n}", e) for n, e in enumerate(self.effects(loaded))]
        if index >= 0 and (symbol.kind != "function" or symbol.called):
            edges.append((f"after {self._effects_before(path, index)} effects", ""))
        return Node(
            symbol.digest, tuple(sorted(edges)), path, tuple(outside), tuple(doubts), symbol.asked, symbol.imports
        )

    def _edges(
        self, path: str, index: int, chain: str, how: int, targets: Iterable[Target]
    ) -> Iterator[tuple[str, str]]:
        """Where a name has several meanings, their order and whether they stand before the user's own line count."""
        several = len(tuple(targets)) > 1
        for number, target in enumerate(targets):
            label = chain
            if how == WRITTEN:  # it is set whatever it was before
                own = isinstance(target, SymbolAt) and target.path == path  # its file may get another name
                yield f"{chain} sets {self.id_of(target).rpartition('::')[2] if own else self.id_of(target)}", ""
                continue
            if several:
                here = isinstance(target, SymbolAt) and target.path == path and index >= 0
                label = f"{chain} {number} {here and isinstance(target, SymbolAt) and target.number < index}"
            if isinstance(target, SymbolAt):
                kind = self.resolver.module(target.path).symbols[target.number].kind
                if kind == "class" or (kind == "function" and how & VALUE):
                    label = f"{label} of {self.resolver.module(target.path).name}"
                    self.portable.add(self.id_of(target))
            yield label, self.id_of(target)

    def _doubts(self, place: str, chain: str, how: int, targets: tuple[Target, ...], *, runs: bool) -> Iterator[Doubt]:
        """runs: in a step rather than once, at import."""
        name = chain.lstrip(":")
        if not targets and name in DYNAMIC_BUILTINS:
            yield Doubt(place, f"loads or reads code by name (`{name}`)", widest=True)
        if not targets and name == "input":
            yield Doubt(place, "asks a person (`input`)")
        for target in targets:
            if isinstance(target, Whole):
                yield Doubt(place, f"uses the module `{name}` as a value")
            elif isinstance(target, Outside):
                if target.missing:
                    continue
                widest = target.dotted.startswith("sys.")
                if (runs or widest) and (how & WRITTEN or (how & MUTATED and "." in target.dotted)):
                    yield Doubt(place, f"changes `{target.dotted}`", widest)
                elif what := unseen(target.dotted, how):
                    yield Doubt(place, what, what.startswith("loads code"), draws(target.dotted))
            elif isinstance(target, SymbolAt) and runs and how & (WRITTEN | MUTATED):
                yield Doubt(place, f"changes the global `{name}`", state=True)

    def _files(self, path: str, literal: str) -> list[str]:
        found = []
        for file in self.data.named(path, literal):
            place = relative(file, self.root)
            self.nodes.setdefault(place, Node(self.data.digest(file), (), ""))
            found.append(place)
        return found

    def effects(self, path: str) -> tuple[str, ...]:
        """What importing a module does beside making values, its own imports included, in order."""
        if path not in self._effects:
            ordered: dict[str, None] = {}
            self._collect(path, ordered, set())
            self._effects[path] = tuple(ordered)
        return self._effects[path]

    def _collect(self, path: str, ordered: dict[str, None], seen: set[str]) -> None:
        stack: list[Iterator[str]] = []
        stack.append(self._steps(path, ordered, seen))
        while stack:
            inner = next(stack[-1], None)
            if inner is None:
                stack.pop()
            else:
                stack.append(self._steps(inner, ordered, seen))

    def _steps(self, path: str, ordered: dict[str, None], seen: set[str]) -> Iterator[str]:
        """Run one module in thought: gives the modules that it loads, notes its effects, in order."""
        if path in seen:
            return
        seen.add(path)
        module = self.resolver.module(path)
        for above in self.resolver.finder.packages_above(module.name):
            place = self.resolver.finder.find(above)
            if place is not None and place.path.endswith(".py") and place.path not in seen:
                yield place.path
        loud = iter(self._loud_in(path))
        next_loud = next(loud, None)
        for entry in module.imports:
            position, _, name = entry.partition(" ")
            while next_loud is not None and next_loud < int(position):
                ordered[self.id_of(SymbolAt(path, next_loud))] = None
                next_loud = next(loud, None)
            for loaded in self.resolver.loaded(name):
                if loaded not in seen:
                    yield loaded
        while next_loud is not None:
            ordered[self.id_of(SymbolAt(path, next_loud))] = None
            next_loud = next(loud, None)

    def _loud_in(self, path: str) -> tuple[int, ...]:
        if path not in self._loud:
            symbols = self.resolver.module(path).symbols
            self._loud[path] = tuple(i for i, s in enumerate(symbols) if self.resolver.is_loud(path, s))
        return self._loud[path]

    def _effects_before(self, path: str, index: int) -> int:
        """How many effects a top-level statement sees: its module's own, and those of modules imported above it."""
        count = sum(1 for i in self._loud_in(path) if i < index)
        for entry in self.resolver.module(path).imports:
            position, _, name = entry.partition(" ")
            if int(position) <= index:
                count += sum(len(self.effects(p)) for p in self.resolver.loaded(name))
        return count

    def reach(self, name: str, *, effects: bool = True) -> set[str]:
        """Ids of all nodes that a node reaches, itself included; with or without what imports do on the way."""
        seen: set[str] = set()
        stack = [name]
        while stack:
            current = stack.pop()
            if current and current not in seen:
                seen.add(current)
                stack += [t for label, t in self.node(current).edges if effects or not label.startswith(IMPORT)]
        return seen

    def digest(self, name: str) -> Digest:
        """A node's digest, over all that it reaches."""
        if name not in self._digests:
            for circle in self._circles(name):
                self._hash(circle)
        return self._digests[name]

    def _hash(self, circle: list[str]) -> None:
        """In a circle the others go by their place in it, not by their files' names, which may change."""
        places = {name: f"in {place}" for place, name in enumerate(sorted(circle))}
        forms = {}
        for name in circle:
            node = self.node(name)
            edges = [(label, places.get(t) or self._digests.get(t, t)) for label, t in node.edges]
            forms[name] = canonical([node.own, edges])
        if len(circle) == 1 and not any(t in places for _, t in self.node(circle[0]).edges):
            self._digests[circle[0]] = digest_of(forms[circle[0]])
            return
        whole = digest_of(canonical([forms[name].decode() for name in places]))
        for name in circle:
            self._digests[name] = digest_of(canonical([whole, places[name]]))

    def _circles(self, start: str) -> Iterator[list[str]]:
        """Strongly connected parts below a node that are not hashed yet, those that others use first (Tarjan 1972)."""
        index: dict[str, int] = {}
        low: dict[str, int] = {}
        path: list[str] = []
        on_path: set[str] = set()
        stack: list[tuple[str, Iterator[str]]] = []

        def enter(name: str) -> None:
            index[name] = low[name] = len(index)
            path.append(name)
            on_path.add(name)
            stack.append((name, iter([t for _, t in self.node(name).edges if t and t not in self._digests])))

        enter(start)
        while stack:
            name, below = stack[-1]
            for target in below:
                if target not in index:
                    enter(target)
                    break
                if target in on_path:
                    low[name] = min(low[name], index[target])
            else:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[name])
                if low[name] == index[name]:
                    circle = []
                    while True:
                        last = path.pop()
                        on_path.discard(last)
                        circle.append(last)
                        if last == name:
                            break
                    yield circle


def _ordinal(module: Module, index: int) -> str:
    """A symbol's name for people; numbered where several statements bind it, or none of its statements has one."""
    names = module.symbols[index].names
    if names:
        same = [b for b in module.bindings[names[0]] if b.startswith("#")]
        return names[0] if len(same) == 1 else f"{names[0]} ({same.index(f'#{index}') + 1})"
    return f"import effect {sum(1 for s in module.symbols[: index + 1] if not s.names)}"


def environment_uses(node: Node) -> list[tuple[str, int]]:
    """Environment variables that a node reads: name ('' where it is not written out) and line."""
    uses = [u for u in node.outside if reads_environment(u.dotted)]
    if not uses:
        return []
    named = [(literal, line) for chain, literal, line in node.asked if "import" not in chain]
    return named or [("", u.line) for u in uses]
