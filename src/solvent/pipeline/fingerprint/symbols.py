"""A module as data: its top-level symbols, what each is made of and which names it uses."""

from __future__ import annotations

import msgspec

CALLED, VALUE, WRITTEN, MUTATED, BARE = 1, 2, 4, 8, 16
"""How a name is used: called, taken as a value, stored into, changed by a method, called without arguments."""

Kind = str  # function, class, constant, block, effect


class Symbol(msgspec.Struct, array_like=True, frozen=True):
    """One top-level statement.

    names: what it binds. digest: of its normal form. uses: chain of names (`helpers.scale`; `:pkg.f`
    where an import inside it says so) → how and in which line. imports: modules that it loads when it
    runs. literals: strings that may name a file. asked: calls whose argument decides what they reach
    (`getenv`, `import_module`): chain, literal or '', line. doubts: what cannot be followed, by line.
    called: chains that are called while the module is imported; loud: it surely changes something then.
    state: it holds an empty container that others fill.
    """

    kind: Kind
    names: tuple[str, ...]
    line: int
    text: str
    digest: str
    uses: dict[str, tuple[int, int]]
    imports: tuple[str, ...]
    literals: tuple[str, ...]
    asked: tuple[tuple[str, str, int], ...]
    doubts: tuple[tuple[int, str], ...]
    called: tuple[str, ...]
    loud: bool
    state: bool

    @property
    def name(self) -> str:
        return self.names[0] if self.names else f"import effect, line {self.line}"


class Module(msgspec.Struct, array_like=True, frozen=True):
    """A file, read. bindings: name → what binds it, in order: `#3` (a symbol) or `pkg.name` (an import).

    stars: modules whose names a star import takes. imports: modules that it loads at import, in order.
    exported: what `__all__` says, None where it does not or cannot be read. digest: of the whole, normalised.
    """

    name: str
    package: str
    symbols: tuple[Symbol, ...]
    bindings: dict[str, tuple[str, ...]]
    stars: tuple[str, ...]
    imports: tuple[str, ...]
    exported: tuple[str, ...] | None
    digest: str
