"""The fingerprints of a pipeline's steps, and the document that explains them later."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from solvent.lineage.digests import Digest, digest_value
from solvent.pipeline.fingerprint.cache import ModuleCache
from solvent.pipeline.fingerprint.data import DataFiles
from solvent.pipeline.fingerprint.distributions import Distributions, Installed
from solvent.pipeline.fingerprint.finding import SKIPPED_FOLDERS, Finder
from solvent.pipeline.fingerprint.graph import Doubt, Graph, environment_uses
from solvent.pipeline.fingerprint.modules import step_symbol
from solvent.pipeline.fingerprint.resolve import Outside, Resolver, Target, relative
from solvent.pipeline.fingerprint.unseen import seeds

_DECLARING = frozenset({"solvent.step", "solvent.pipeline.declarations.step"})


class StepCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a step's result may depend on, beside parameters and inputs.

    code: of all that it reaches, symbol by symbol. whole: of all modules that it could reach, '' where
    nothing is uncertain. doubts: what cannot be followed. distributions: `name==version` that its modules
    import. native: one of them has compiled parts. data: files that are no modules. root: id in the document.
    """

    code: Digest
    whole: str
    doubts: tuple[str, ...]
    distributions: tuple[str, ...]
    native: bool
    data: tuple[str, ...]
    root: str


class CodeMap:
    """Fingerprints over one project.

    folders: where its modules are looked for, in order. excluded: files and folders that sources
    declare. state: the `.solvent` folder that keeps what was read; None for nowhere.
    """

    def __init__(
        self, root: Path, folders: Sequence[str], excluded: Iterable[Path] = (), state: Path | None = None
    ) -> None:
        plan = state / "plan" if state else None
        self.root = root.resolve()
        self.finder = Finder(self.root, folders)
        self.modules = ModuleCache(self.finder.names, plan / "modules.msgpack" if plan else None)
        self.data = DataFiles(self.root, excluded)
        self.resolver = Resolver(self.finder, self.modules)
        self.graph = Graph(str(self.root), self.resolver, self.data)
        self.distributions = Distributions(plan / "distributions.json" if plan else None)
        self._wholes: dict[tuple[str, bool], Digest] = {}
        self._by_module: dict[str, dict[str, Installed]] = {}

    def prepare(self, modules: Iterable[tuple[str, str]]) -> None:
        """Read the modules (name, file) that hold the pipeline, and all that they load."""
        paths = []
        for name, path in modules:
            self.finder.find(name)
            self.finder.know(name, path)
            paths.append(path)
        self.graph.prepare(paths)

    def step(self, module: str, path: str, function: str, env: Sequence[str] = ()) -> StepCode:
        """The fingerprint of one function as a step. env: variables that it declares."""
        self.finder.know(module, path)
        root = self._root(path, function)
        reach = self.graph.reach(root)
        nodes = [self.graph.node(name) for name in reach]
        seeded = self._seeded(reach)
        used = self.graph.reach(root, effects=False)
        doubts = {d for n in reach for d in self.graph.node(n).doubts if n in used or not d.state}
        doubts = {d for d in doubts if not d.family or d.family not in seeded}
        doubts |= {
            Doubt(f"{self.name(node.module)}:{line}", _variable(name))
            for node in nodes
            for name, line in environment_uses(node)
            if name not in env or not name
        }
        found = self._distributions(nodes)
        code = self.graph.digest(root)
        widest = any(d.widest for d in doubts)
        return StepCode(
            code=code,
            whole=digest_value([code, self._whole(path, widest)]) if doubts else "",
            doubts=tuple(sorted(map(str, doubts))),
            distributions=tuple(sorted(found)),
            native=any(i.native for i in found.values()),
            data=tuple(sorted(n for n in reach if "::" not in n and not n.startswith("outside ") and self._is_data(n))),
            root=root,
        )

    def component(self, module: str, function: str) -> StepCode:
        """The fingerprint of a function that an installed distribution brings: its name, at its version."""
        found = self._outside(module)
        return StepCode(
            code=digest_value(["component", module, function]),
            whole="",
            doubts=(),
            distributions=tuple(sorted(found)),
            native=any(i.native for i in found.values()),
            data=(),
            root="",
        )

    def carried(self, root: str) -> list[Digest]:
        """Digests of the classes and function values that a step reaches: what its result, pickled, may refer to."""
        return sorted(self.graph.digest(name) for name in self.graph.reach(root) & self.graph.portable)

    def name(self, path: str) -> str:
        """Path relative to the root, absolute outside it."""
        return relative(path, str(self.root))

    def files(self) -> dict[str, Digest]:
        """Everything that was read, by path relative to the root, with the digest of its bytes."""
        read = {path: self.modules.bytes_digest(path) for path in self.modules.read_files}
        return {self.name(path): digest for path, digest in {**read, **self.data.digests}.items()}

    def absent(self) -> list[str]:
        """Paths whose appearance would change something."""
        found = self.finder.absent | self.data.absent
        return sorted(self.name(path) for path in found if not Path(path).exists())

    def document(self, roots: Iterable[str]) -> dict[str, Any]:
        """Symbols by id, with digest, source and what they use: enough to say later what changed, and on which way."""
        symbols: dict[str, Any] = {}
        reached: set[str] = set()
        for root in roots:
            if root not in reached:
                reached |= self.graph.reach(root)
        for name in sorted(reached):
            node, symbol = self.graph.node(name), self.graph.symbols.get(name)
            if name.startswith("outside "):
                continue
            uses = sorted({target for _, target in node.edges if target})
            facts: dict[str, Any] = {"digest": node.own, "uses": uses}
            if symbol is not None:
                facts |= {"kind": symbol.kind, "line": symbol.line, "text": symbol.text}
            symbols[name] = facts
        return symbols

    def _root(self, path: str, function: str) -> str:
        root = f"step {self.name(path)}::{function}"
        if root in self.graph.nodes:
            return root
        module = self.modules.read(path)
        numbers = [int(b[1:]) for b in module.bindings.get(function, ()) if b.startswith("#")]
        symbol = module.symbols[numbers[-1]]
        if symbol.kind == "function":
            symbol = step_symbol(symbol, module.package, self._declarators(path))
        return self.graph.add_root(root, path, symbol)

    def _declarators(self, path: str) -> frozenset[str]:
        """How a module writes `@step`."""
        module = self.modules.read(path)
        written = {c for s in module.symbols if s.kind in ("function", "block") for c in s.called}
        names = {c.removesuffix("()") for c in written}
        return frozenset(
            n
            for n in names
            if any(isinstance(t, Outside) and t.dotted in _DECLARING for t in self.resolver.chain(path, n))
        )

    def _seeded(self, reach: set[str]) -> set[str]:
        """Families of draws that a function seeds; a seed at import says nothing about the second step in a process."""
        functions = [n for n in reach if n in self.graph.symbols and self.graph.symbols[n].kind == "function"]
        return {seeds(u.dotted, u.how) for name in functions for u in self.graph.node(name).outside}

    def _distributions(self, nodes: Iterable[Any]) -> dict[str, Installed]:
        found: dict[str, Installed] = {}
        for module in {node.module for node in nodes if node.module}:
            found |= self._imported_by(module)
        for node in nodes:
            for name in (*(use.dotted for use in node.outside), *node.imports):
                found |= self._outside(name)
        return found

    def _imported_by(self, path: str) -> dict[str, Installed]:
        if path not in self._by_module:
            found: dict[str, Installed] = {}
            for entry in self.modules.read(path).imports:
                found |= self._outside(entry.partition(" ")[2])
            self._by_module[path] = found
        return self._by_module[path]

    def _outside(self, dotted: str) -> dict[str, Installed]:
        top = dotted.partition(".")[0]
        own = top == "solvent" and dotted.partition(".")[2] in ("step", "source", "model", "")
        if own or self.finder.find(top) is not None:
            return {}
        return {i.label: i for i in self.distributions.of(top)}

    def _whole(self, path: str, widest: bool) -> Digest:
        """All modules that a module may load, whole; with widest, all of the project."""
        key = (path, widest)
        if key not in self._wholes:
            paths = [path, *(self._all_modules() if widest else ())]
            loaded = self.graph.loaded_by(paths)
            parts = [[m.name, m.digest] for m in map(self.modules.read, loaded)]
            literals = {(p, text) for p in loaded for s in self.modules.read(p).symbols for text in s.literals}
            files = {f for p, text in literals for f in self.data.named(p, text)}
            self._wholes[key] = digest_value([sorted(parts), sorted(self.data.digest(f) for f in files)])
        return self._wholes[key]

    def _all_modules(self) -> list[str]:
        found = []
        for folder, folders, names in os.walk(self.root):
            here = Path(folder)
            kept = [f for f in folders if not f.startswith(".") and f not in SKIPPED_FOLDERS]
            folders[:] = [f for f in kept if not (here / f / "pyvenv.cfg").exists()]
            for name in names:
                if name.endswith(".py"):
                    found.append(f"{folder}{os.sep}{name}")
                    self.finder.know(".".join((here / name[:-3]).relative_to(self.root).parts), found[-1])
        return sorted(found)

    def _is_data(self, name: str) -> bool:
        return not self.graph.node(name).module and not name.endswith(".py")


def _declares(target: Target) -> bool:
    return isinstance(target, Outside) and target.dotted in _DECLARING


def _variable(name: str) -> str:
    if not name:
        return "reads environment variables"
    return f"reads the environment variable {name}, which the step does not declare"
