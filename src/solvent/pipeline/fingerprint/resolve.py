"""What a chain of names in a module means: symbols of the project, files, or names from outside."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from solvent.pipeline.fingerprint.cache import ModuleCache
from solvent.pipeline.fingerprint.finding import Finder, Place
from solvent.pipeline.fingerprint.importing import QUIET_BUILTINS, quiet_function, quiet_outside
from solvent.pipeline.fingerprint.symbols import Module, Symbol

_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__package__", "__spec__", "__path__"}
_OF_STEPS = frozenset({"bind", "map"})  # methods of a step that make another and leave it as it is


class SymbolAt(NamedTuple):
    """Symbol number `index` of the module in `path`."""

    path: str
    number: int


class Whole(NamedTuple):
    """A module as a value: anything in it may be used."""

    path: str


class Outside(NamedTuple):
    """A name of another distribution, of the interpreter, or of nothing at all (missing)."""

    dotted: str
    missing: bool = False


class Binary(NamedTuple):
    """A compiled module of the project."""

    path: str


Answer = TypeVar("Answer")
Target = SymbolAt | Whole | Outside | Binary


class _Memo(Generic[Answer]):
    """Answers by key, to questions that may lead back to themselves.

    default: what a question that is being asked already is answered with. An answer that
    rests on it is kept only for the question that was asked first.
    """

    def __init__(self, default: Answer) -> None:
        self.default = default
        self._known: dict[tuple[str, str], Answer] = {}
        self._asked: set[tuple[str, str]] = set()
        self._circular = False

    def get(self, key: tuple[str, str], ask: Callable[[str, str], Answer]) -> Answer:
        if key in self._known:
            return self._known[key]
        if key in self._asked:
            self._circular = True
            return self.default
        self._asked.add(key)
        answer = ask(*key)
        self._asked.discard(key)
        if not self._asked:
            self._circular = False
        if not self._circular:
            self._known[key] = answer
        return answer


class Resolver:
    """Names → targets, over the modules of one project."""

    def __init__(self, finder: Finder, modules: ModuleCache) -> None:
        self.finder = finder
        self.modules = modules
        self._chains: _Memo[tuple[Target, ...]] = _Memo(())  # a name that is defined by itself means nothing
        self._quiet: _Memo[bool] = _Memo(default=True)  # a function that calls itself does no more than its rest

    def chain(self, path: str, chain: str) -> tuple[Target, ...]:
        """What a chain means in the module of `path`; empty for a builtin. `:a.b` is absolute."""
        return self._chains.get((path, chain), self._chain)

    def _chain(self, path: str, chain: str) -> tuple[Target, ...]:
        parts = chain.lstrip(":").split(".")
        return tuple(dict.fromkeys(self._absolute(parts) if chain.startswith(":") else self._inside(path, parts)))

    def module(self, path: str) -> Module:
        return self.modules.read(path)

    def _inside(self, path: str, parts: list[str]) -> list[Target]:
        module, name = self.module(path), parts[0]
        found: list[Target] = []
        for binding in module.bindings.get(name, ()):
            if binding.startswith("#"):
                found.append(SymbolAt(path, int(binding[1:])))
            else:
                found += self._absolute([*binding.split("."), *parts[1:]])
        if not found or any(not isinstance(f, SymbolAt) for f in found):
            found += self._starred(module, parts)
        if found:
            return found
        if name == "__name__":
            return [Outside(f"the name {module.name}")]
        if name in _BUILTINS:
            return []
        if "__getattr__" in module.bindings:
            return [Whole(path)]
        return [Outside(f"{module.name}.{name}", missing=True)]

    def _starred(self, module: Module, parts: list[str]) -> list[Target]:
        """Names that star imports bring; the last one wins, so all that may do so count."""
        found: list[Target] = []
        for star in module.stars:
            place = self.finder.find(star)
            if place is None:
                found += [] if parts[0] in _BUILTINS else [Outside(f"{star}.{'.'.join(parts)}")]
            elif place.path.endswith(".py"):
                source = self.module(place.path)
                if source.exported is not None and parts[0] not in source.exported:
                    continue
                if source.exported is None and "__all__" not in source.bindings and parts[0].startswith("_"):
                    continue
                known = parts[0] in source.bindings or bool(source.stars)
                inner = self.chain(place.path, ".".join(parts)) if known else ()
                found += [t for t in inner if not (isinstance(t, Outside) and t.missing)]
        return found

    def _absolute(self, parts: list[str]) -> list[Target]:
        """A dotted name from the top: as deep as there are modules, then a name in the last of them."""
        place = self.finder.find(parts[0])
        if place is None:
            return [Outside(".".join(parts))]
        name = parts[0]
        for depth, part in enumerate(parts[1:], 1):
            if place.path.endswith(".py"):
                module = self.module(place.path)
                if part in module.bindings or (module.stars and self._starred(module, [part])):
                    return list(self.chain(place.path, ".".join(parts[depth:])))
            elif place.path:
                return [Binary(place.path)]
            name = f"{name}.{part}"
            inner = self.finder.find(name)
            if inner is None:
                return self._without(place, parts, depth)
            place = inner
        return (
            [Whole(place.path) if place.path.endswith(".py") else Binary(place.path)]
            if place.path
            else [Outside(name, missing=True)]
        )

    def _without(self, place: Place, parts: list[str], depth: int) -> list[Target]:
        """A name that its module does not bind."""
        if not place.path:
            return [Outside(".".join(parts), missing=True)]
        dynamic = parts[depth] == "*" or parts[depth] == "__dict__"
        if dynamic or "__getattr__" in self.module(place.path).bindings:
            return [Whole(place.path)]
        return [Outside(".".join(parts), missing=True)]

    def loaded(self, name: str) -> list[str]:
        """Files of the project that importing `name` runs: its packages', then its own; it may end in an attribute."""
        found = []
        for each in [*self.finder.packages_above(name), name]:
            place = self.finder.find(each)
            if place is not None and place.path.endswith(".py"):
                found.append(place.path)
        return found

    def is_loud(self, path: str, symbol: Symbol) -> bool:
        """Does a top-level statement do more, at import, than make a value?"""
        return symbol.loud or not all(self.is_quiet(path, chain) for chain in symbol.called)

    def is_quiet(self, path: str, chain: str) -> bool:
        """Does calling a chain change nothing but what it gives back?"""
        return self._quiet.get((path, chain), self._calls_quietly)

    def _calls_quietly(self, path: str, chain: str) -> bool:
        plain = chain.removesuffix("()")
        targets = self.chain(path, plain)
        if not targets:
            return plain in QUIET_BUILTINS
        for target in targets:
            if isinstance(target, Outside):
                if target.missing or not quiet_outside(target.dotted):
                    return False
            elif isinstance(target, SymbolAt):
                symbol = self.module(target.path).symbols[target.number]
                whole = symbol.kind in ("function", "class") and not chain.endswith("()")
                method = "." in plain and plain.rpartition(".")[2] not in symbol.names  # `f.register`, `K.make`
                if method and whole and plain.rpartition(".")[2] in _OF_STEPS and self._is_step(target.path, symbol):
                    continue
                if not whole or method or not self._quiet_symbol(target.path, symbol):
                    return False
            else:
                return False
        return True

    def _is_step(self, path: str, symbol: Symbol) -> bool:
        """Is it a function that nothing but `solvent.step` decorates, and that calls nothing when it is made?"""
        made = [self.chain(path, chain.removesuffix("()")) for chain in symbol.called]
        return bool(made) and all(targets == (Outside("solvent.step"),) for targets in made)

    def _quiet_symbol(self, path: str, symbol: Symbol) -> bool:
        called = all(self.is_quiet(path, c) for c in symbol.called)
        return called and quiet_function(symbol.text, lambda chain: self.is_quiet(path, chain))


def relative(path: str, root: str) -> str:
    """A path relative to the root with forward slashes; as it is outside it."""
    inside = path.startswith(root + os.sep)
    return path[len(root) + 1 :].replace(os.sep, "/") if inside else path
