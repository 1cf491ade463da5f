"""Errors as part of the interface.

SolventError                 code, what, where, next; an exit code
├── UsageError          2    the command, the configuration or the input is wrong
├── Refusal             1    the question was fine and the answer is no: a closed gate, a failed step
└── Unexpected          3    we are wrong

A subclass fixes `code` (kebab-case) and builds the sentence; the command line
prints `error[code]: what: next`, or the same as JSON.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, ClassVar


class SolventError(Exception):
    """An error with a sentence for people and fields for programs.

    what: one sentence without a full stop; where: file, line, table or setting
    it concerns (may be empty); next: the step that leads out (may be empty).
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", next: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next = next

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f": {self.next}" if self.next else ""
        return f"{place}{self.what}{hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        """From process to process as it is: a subclass may want other arguments than its sentence."""
        return _restored, (type(self), self.args, self.__dict__)

    def as_json(self) -> dict[str, dict[str, str]]:
        """The document that `--json` prints: {"error": {code, what, where, next}}."""
        return {"error": {"code": self.code, "what": self.what, "where": self.where, "next": self.next}}


def _restored(kind: type[SolventError], args: tuple[Any, ...], fields: dict[str, Any]) -> SolventError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class UsageError(SolventError):
    """The command, the configuration or the input is wrong (exit 2)."""

    code = "usage"
    exit_code = 2


class Refusal(SolventError):
    """The question was fine and the answer is no (exit 1)."""

    code = "refused"
    exit_code = 1


class Unexpected(SolventError):
    """Something that should not happen did (exit 3)."""

    code = "unexpected"
    exit_code = 3


def nearest(name: str, known: Collection[str], otherwise: str) -> str:
    """A hint that names the nearest known name, or `otherwise`.

    >>> nearest("trian", ["train", "test"], "`solvent status` lists the steps")
    'did you mean `train`?'
    """
    same = [one for one in known if one.casefold() == name.casefold()]
    near = same or get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else otherwise
