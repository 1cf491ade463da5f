"""A call as it is evaluated, and what all kinds of calls share."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

import msgspec

from solvent.debt.flow import events
from solvent.debt.flow.stacks import constant, elements
from solvent.debt.flow.values import UNKNOWN, Constant, Many, Model, Origin, Predicted, Record, Rows, Site, Value

if TYPE_CHECKING:
    from solvent.debt.flow.expressions import Expressions


_Kind = TypeVar("_Kind")


class Call(msgspec.Struct, frozen=True, eq=False):
    """A call whose arguments are evaluated. name, dotted: of an imported function, by library and in full; `**` among
    the keywords: a dict that is spread; starred: so is a list.
    """

    flow: Expressions
    name: str
    dotted: str
    node: ast.Call
    site: Site
    args: list[Value]
    keywords: dict[str, Value]
    starred: bool = False

    def argument(self, position: int, *names: str) -> Value:
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        return self.args[position] if position < len(self.args) and not self.starred else UNKNOWN

    def says(self, name: str, value: object) -> bool:
        """Whether a keyword is this constant."""
        given = self.keywords.get(name)
        return isinstance(given, Constant) and type(given.value) is type(value) and given.value == value

    def values(self) -> list[Value]:
        return [*self.args, *self.keywords.values()]

    def seeded(self, keyword: str = "random_state") -> bool | None:
        """Whether it names a seed; None where a spread dict may."""
        if keyword in self.keywords:
            return constant(self.keywords[keyword], default=0) is not None
        return None if "**" in self.keywords else False


def as_rows(value: Value, site: Site, field: str = "") -> Rows:
    """Rows, whatever it is: something unknown is a table of its own."""
    return value if isinstance(value, Rows) else Rows(Origin(site, field, field), columns=None)


def nested(value: Value, kind: type[_Kind]) -> Iterator[_Kind]:
    """All values of a kind within lists, tuples and dicts."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, Record | Many):
        for each in elements(value):
            yield from nested(each, kind)


def unfollowed(call: Call) -> Value:
    """A call that is not followed: models that it is given may be used there; its answer is a thing of its own."""
    for value in call.values():
        for model in nested(value, Model):
            call.flow.record(events.Escaped(call.site, model), model.site)
        for answer in nested(value, Predicted):
            call.flow.record(events.Escaped(call.site, answer.model), answer.model.site)
    return Rows(Origin(call.site), columns=None)


def scored(call: Call, model: Model, rows: Rows, how: str) -> None:
    call.flow.record(events.Scored(call.site, model, rows, how, model.loop), (model.site, rows.origin, rows.part))
