"""What rules over the repository know of each Python file: small values that can be cached by the file's digest."""

from __future__ import annotations

import msgspec

from solvent.debt.facts.file import FileFacts


class Import(msgspec.Struct, frozen=True):
    """name: dotted, as imported (`sklearn.svm.SVC` for a from-import); level: of a relative import; optional: inside
    `try` with an ImportError handler; line: joined.
    """

    name: str
    level: int
    line: int
    optional: bool


class Call(msgspec.Struct, frozen=True):
    """A call whose name resolves; literals: its arguments that are constants, by position or keyword; scope: dotted
    name of the function or class around it.
    """

    name: str
    line: int
    scope: str
    literals: dict[str, str]


class Summary(msgspec.Struct, frozen=True):
    """Of one document. Grows by what rules over the repository need."""

    path: str
    digest: str
    notebook: bool
    imports: list[Import]
    calls: list[Call]


def summarise(file: FileFacts, digest: str) -> Summary:
    """Of a file's facts; digest: of its bytes."""
    return Summary(file.path, digest, file.document.notebook, [], [])
