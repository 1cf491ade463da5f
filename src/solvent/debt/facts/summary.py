"""What rules over the repository know of each Python file: small values that can be cached by the file's digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from solvent.debt.facts.file import FileFacts


class Import(msgspec.Struct, frozen=True):
    """name: dotted, as imported (`sklearn.svm.SVC` for a from-import); level: of a relative import; line: joined;
    optional: inside `try`, a condition or a type-checking block; local: within a function.
    """

    name: str
    level: int
    line: int
    optional: bool
    local: bool


class Call(msgspec.Struct, frozen=True):
    """A call that fetches weights or models. literals: its constant arguments by position (`0`) or keyword; given: all
    keywords; scope: dotted name of the function or class around it.
    """

    name: str
    line: int
    scope: str
    literals: dict[str, str]
    given: list[str]


class Function(msgspec.Struct, frozen=True):
    """name: dotted within the file; route: the framework whose requests reach it, or empty; wrapped: by a decorator
    that is not known to leave input and output alone; calls: what it calls: dotted names through imports (`a.b`,
    `.util.load`), the file's own functions and methods (`:load`), methods of what is not known (`?.predict`).
    """

    name: str
    line: int
    route: str
    wrapped: bool
    calls: list[str]


class Access(msgspec.Struct, frozen=True):
    """A file that is read or written. path: constant, with `{1}` for the script's first argument; empty where it is
    not known; by: dotted name of the call, or `?.to_csv` for a method.
    """

    path: str
    write: bool
    line: int
    by: str
    scope: str


class Block(msgspec.Struct, frozen=True):
    """Code that may be copied: a function, a cell or the whole file, as a digest of its syntax without local names.

    line, last: joined; shown: the first line as people see it, behind its cell's number in a notebook.
    """

    digest: str
    kind: str
    line: int
    last: int
    statements: int
    scope: str
    shown: str


class Remote(msgspec.Struct, frozen=True):
    """Data fetched from an address that may change. line: of the call; origin: of the literal; syntax: the call."""

    line: int
    origin: int
    address: str
    syntax: str


class Use(msgspec.Struct, frozen=True):
    """Of a name or keyword (`name(keyword)`) that some release removed; guarded: in `try` or under a condition on a
    version or an attribute's existence.
    """

    name: str
    line: int
    guarded: bool


class Summary(msgspec.Struct, frozen=True):
    """Of one document. main: it is run, not imported (`if __name__`, or it reads its arguments); fits: lines where
    something is trained; installs: requirements that its cells install, by line; stars: it imports everything.
    """

    path: str
    digest: str
    notebook: bool
    lines: int
    imports: list[Import]
    calls: list[Call]
    functions: list[Function]
    accesses: list[Access]
    blocks: list[Block]
    uses: list[Use]
    remotes: list[Remote]
    fits: list[int]
    installs: dict[int, list[str]]


def summarise(file: FileFacts, digest: str) -> Summary:
    """Of a file's facts; digest: of its bytes."""
    from solvent.debt.facts import accesses, clones, outline, remotes

    return Summary(
        path=file.path,
        digest=digest,
        notebook=file.document.notebook,
        lines=file.document.text.count("\n") + 1,
        imports=list(outline.imports(file)),
        calls=list(outline.hub_calls(file)),
        functions=list(outline.functions(file)),
        accesses=list(accesses.accesses(file)),
        blocks=list(clones.blocks(file)),
        uses=list(outline.uses(file)),
        remotes=list(remotes.remotes(file)),
        fits=list(outline.fits(file)),
        installs=outline.installs(file.document),
    )
