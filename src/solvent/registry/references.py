"""How people name a version: `NAME@alias`, `NAME/3`, or `NAME` for its champion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from solvent.foundation.errors import UsageError, nearest
from solvent.lineage.entities import ModelVersion

if TYPE_CHECKING:
    from solvent.store import Store

CHAMPION = "champion"
CANARY = "canary"
LATEST = "latest"  # computed, no alias: the highest number
_FORM = re.compile(r"^(?P<model>[^@/\s]+)(?:@(?P<alias>[^@/\s]+)|/(?P<number>\d{1,9}))?$")


class BadReference(UsageError):
    code = "bad-reference"


class UnknownModel(UsageError):
    code = "unknown-model"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        otherwise = f"known models: {', '.join(known)}" if known else "`solvent run` makes the first one"
        super().__init__(f"no model `{name}`", next=nearest(name, known, otherwise))


class UnknownAlias(UsageError):
    code = "unknown-alias"

    def __init__(self, model: str, alias: str, known: Sequence[str]) -> None:
        super().__init__(
            f"model `{model}` has no alias `{alias}`",
            next=nearest(alias, known, f"it has {', '.join(known)}" if known else f"`{model}@{LATEST}` is its newest"),
        )


class UnknownVersion(UsageError):
    code = "unknown-version"

    def __init__(self, model: str, number: int, known: Sequence[ModelVersion]) -> None:
        newest = max((version.number for version in known), default=0)
        super().__init__(
            f"model `{model}` has no version {number}",
            next=f"its versions are 1 to {newest}" if newest else "it has no version yet: `solvent run`",
        )


def require_model(store: Store, model: str) -> None:
    """Raises: UnknownModel, which names the nearest one."""
    known = store.facts.models()
    if model not in known:
        raise UnknownModel(model, known)


def split_reference(reference: str) -> tuple[str, str | None, int | None]:
    """(model, alias, number) of a reference, unlooked up. Raises: BadReference.

    >>> split_reference("bike-demand@champion")
    ('bike-demand', 'champion', None)
    >>> split_reference("bike-demand/3")
    ('bike-demand', None, 3)
    """
    match = _FORM.match(reference)
    if match is None:
        raise BadReference(f"`{reference}` names no model version", next="write NAME@alias or NAME/3")
    number = match["number"]
    return match["model"], match["alias"], int(number) if number else None


def resolve(store: Store, reference: str, *, as_of: datetime | None = None) -> ModelVersion:
    """The version that a reference names now, or named `as_of`.

    Raises: BadReference, UnknownModel, UnknownAlias, UnknownVersion; each names the nearest or the known ones.
    """
    model, alias, number = split_reference(reference)
    require_model(store, model)
    if number is None:
        number = _alias_number(store, model, alias or CHAMPION, as_of)
    version = store.facts.version(model, number)
    if version is None:
        raise UnknownVersion(model, number, store.facts.versions(model))
    return version


def _alias_number(store: Store, model: str, alias: str, as_of: datetime | None) -> int:
    if alias == LATEST:
        return max((version.number for version in store.facts.versions(model)), default=0)
    number = store.facts.alias(model, alias, as_of=as_of)
    if number is None:
        raise UnknownAlias(model, alias, sorted({move.alias for move in store.facts.alias_moves(model)} | {LATEST}))
    return number
