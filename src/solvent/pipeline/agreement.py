"""Whether a producer's annotation fits a consumer's. Runs in the child process that has imported both."""

from __future__ import annotations

import importlib
from typing import Any

from solvent.pipeline.gathering import member_annotation, takes_many
from solvent.pipeline.serialisers.base import for_annotation, outer
from solvent.pipeline.serialisers.tables import TABLES

MANY = "many["
_OPEN = {"", "typing.Any", "object"}
_NUMBERS = {"bool": 0, "int": 1, "float": 2, "complex": 3}
_MAPPINGS = {"dict", "typing.Dict", "typing.Mapping", "collections.abc.Mapping"}


def agree(produced: str, wanted: str) -> bool:
    """Doubt counts as agreement: the value's real type is checked when it is saved.

    produced: dotted annotation, or `source` for a source's table; `many[…]` for any number of such.
    """
    if produced.startswith(MANY):
        return takes_many(wanted) and agree(one_of_many(produced), member_annotation(wanted))
    if produced in _OPEN or wanted in _OPEN:
        return True
    if produced == "source":
        return any(outer(w) in TABLES or outer(w) == "pathlib.Path" for w in members(wanted))
    return any(_one(p, w) for p in members(produced) for w in members(wanted))


def one_of_many(produced: str) -> str:
    """The annotation of one of many."""
    return produced.removeprefix(MANY).removesuffix("]")


def members(annotation: str) -> list[str]:
    """The members of a union; one annotation otherwise."""
    if annotation.startswith("typing.Optional["):
        return [annotation.removeprefix("typing.Optional[").removesuffix("]"), "None"]
    return annotation.split(" | ")


def _one(produced: str, wanted: str) -> bool:
    p, w = outer(produced), outer(wanted)
    if "None" in (p, w):
        return p == w
    if p == w or (p in TABLES and w in TABLES) or (p in _MAPPINGS and w in _MAPPINGS):
        return True
    if p in _NUMBERS and w in _NUMBERS:
        return _NUMBERS[p] <= _NUMBERS[w]
    made, taken = resolve(p), resolve(w)
    if isinstance(made, type) and isinstance(taken, type):
        try:
            return issubclass(made, taken)
        except TypeError:  # a protocol with data members cannot be asked
            return True
    first, second = for_annotation(produced), for_annotation(wanted)
    return first is None or second is None or first is second


def resolve(dotted: str) -> Any:
    """What a dotted name stands for, None where it cannot be imported."""
    module, _, name = dotted.rpartition(".")
    if not module:
        import builtins

        return getattr(builtins, name, None)
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
