"""What a rule is, and how all of them are found."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal

import msgspec

from solvent.debt import rules
from solvent.debt.finding import Found, Severity
from solvent.foundation.errors import UsageError

_HEADING = re.compile(r"[A-Z][a-z ]+:")
GROUP, PREFIX = "solvent.plugins", "rule."
RULE_SET = "1"  # part of every cache key and report; raised when a rule's findings change

Principal = Literal["a", "b", "c", "d", "e"]
Driver = Literal["C", "U", "R", "T", "V", "X"]
Check = Callable[..., Iterator[Found]]


class BadPlugin(UsageError):
    code = "bad-plugin"


class Rule(msgspec.Struct, frozen=True):
    """check: takes `file: FileFacts`, `repository: Repository` or `allows: Sequence[Allowed]`; principal, driver:
    classes of the price table; preview: off unless asked for; doc: the rule's docstring.
    """

    code: str
    name: str
    severity: Severity
    principal: Principal
    driver: Driver
    source: str
    preview: bool
    doc: str
    scope: Literal["file", "repository", "allows"]
    check: Check

    @property
    def title(self) -> str:
        """What is wrong, without a full stop."""
        return self._part(0).rstrip(".")

    @property
    def why(self) -> str:
        """Why it costs."""
        return self._section("Why it costs:")

    @property
    def fix(self) -> str:
        return self._section("Fix:")

    @property
    def allow_when(self) -> str:
        """When to leave it; empty where the rule does not say."""
        return self._section("Allow when:")

    def _part(self, at: int) -> str:
        return " ".join(self.doc.split("\n\n")[at].split())

    def _section(self, heading: str) -> str:
        found: list[str] = []
        for line in self.doc.splitlines():
            if line.startswith(heading):
                found = [line.removeprefix(heading).strip()]
            elif found and (not line.strip() or _HEADING.match(line)):
                break
            elif found:
                found.append(line.strip())
        return " ".join(found)


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
    """Make a function a rule. Its one parameter, `file`, `repository` or `allows`, says what it looks at."""

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
