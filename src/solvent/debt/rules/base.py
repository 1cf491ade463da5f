"""What a rule is, and how all of them are found."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal

import msgspec

from solvent.debt import rules
from solvent.debt.finding import Found, Severity
from solvent.foundation.errors import UsageError

GROUP, PREFIX = "solvent.plugins", "rule."
RULE_SET = "1"  # part of every cache key and report; raised when a rule's findings change

Principal = Literal["a", "b", "c", "d", "e"]
Driver = Literal["C", "U", "R", "T", "V", "X"]
Check = Callable[..., Iterator[Found]]


class BadPlugin(UsageError):
    code = "bad-plugin"


class Rule(msgspec.Struct, frozen=True):
    """check: takes `file: FileFacts` or `repository: Repository`; principal, driver: classes of the price table;
    preview: off unless asked for; doc: the rule's docstring.
    """

    code: str
    name: str
    severity: Severity
    principal: Principal
    driver: Driver
    source: str
    preview: bool
    doc: str
    scope: Literal["file", "repository"]
    check: Check


def rule(
    code: str,
    name: str,
    *,
    severity: Severity,
    principal: Principal,
    driver: Driver,
    source: str,
    preview: bool = False,
) -> Callable[[Check], Check]:
    """Make a function a rule. Its one parameter, `file` or `repository`, says what it looks at."""

    def made(check: Check) -> Check:
        scope: Any = next(iter(inspect.signature(check).parameters))
        doc = inspect.getdoc(check) or ""
        check.rule = Rule(code, name, severity, principal, driver, source, preview, doc, scope, check)  # type: ignore[attr-defined]
        return check

    return made


@cache
def all_rules() -> tuple[Rule, ...]:
    """Built-in ones and those of plugins, by code. Raises: BadPlugin."""
    from importlib.metadata import entry_points

    names = [module.name for module in pkgutil.iter_modules(rules.__path__, f"{rules.__name__}.")]
    modules = [importlib.import_module(name) for name in names]
    for point in entry_points(group=GROUP):
        if point.name.startswith(PREFIX):
            try:
                modules.append(point.load())
            except Exception as error:
                raise BadPlugin(
                    f"the plugin `{point.value}` cannot be loaded: {error}", next="update or remove it"
                ) from error
    found = {
        value.rule
        for module in modules
        for value in vars(module).values()
        if isinstance(getattr(value, "rule", None), Rule)
    }
    return tuple(sorted(found, key=lambda one: one.code))
