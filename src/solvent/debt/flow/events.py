"""What happened to rows in a program, in order: what rules over the flow read."""

from __future__ import annotations

import msgspec

from solvent.debt.flow.values import Model, Rows, Site


class Split(msgspec.Struct, frozen=True):
    """rows: before; shuffles: by chance, or in order; seeded: None where it cannot be known."""

    site: Site
    name: str
    rows: tuple[Rows, ...]
    shuffles: bool
    seeded: bool | None


class Fitted(msgspec.Struct, frozen=True):
    """A model or transformer as it is after `fit`."""

    site: Site
    model: Model


class Predicting(msgspec.Struct, frozen=True):
    site: Site
    model: Model
    rows: Rows


class Scored(msgspec.Struct, frozen=True):
    """A figure of how good a model is on rows.

    how: `score`, `metric`, `picture` (a curve or matrix is drawn), `cv` (on folds of the rows); loop: over settings,
    one of which set the model up.
    """

    site: Site
    model: Model
    rows: Rows
    how: str
    loop: Site | None = None


class Escaped(msgspec.Struct, frozen=True):
    """A model or its answers went where they are not followed."""

    site: Site
    model: Model


Event = Split | Fitted | Predicting | Scored | Escaped
