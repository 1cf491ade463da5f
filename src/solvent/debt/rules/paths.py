"""Code that no run reaches, and options that nothing reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.repository import is_test
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule


@rule(
    "PIP004", "dead-path", severity="I", principal="b", driver="C", source="Sculley 2015: dead experimental code paths"
)
def dead_path(file: FileFacts) -> Iterator[Found]:
    """A branch that cannot run, or an option that nothing reads.

    Why it costs: whoever reads or changes the code must think it through, and believes that the option does something.
    Fix: delete it; version control keeps it.
    """
    if is_test(file.path):
        return
    tests = [node.test for node in file.nodes(ast.If)] + [node.test for node in file.nodes(ast.IfExp)]
    for test in tests:
        if _is_never(test):
            yield Found.at(test, said="never runs")
    yield from _dead_flags(file)
    yield from _dead_options(file)


def _is_never(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_never(value) for value in test.values)
    return (
        isinstance(test, ast.Constant) and (test.value is False or test.value == 0) and not isinstance(test.value, str)
    )


def _dead_flags(file: FileFacts) -> Iterator[Found]:
    """A flag within a function that is set once, to a literal, and then decides: one of its branches cannot run."""
    for node in file.nodes(ast.If):
        test = (
            node.test.operand if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not) else node.test
        )
        if not isinstance(test, ast.Name):
            continue
        found = file.binding(test)
        if found is None or len(found[1]) != 1 or not isinstance(found[0].node, ast.FunctionDef):
            continue
        value, bound = found[1][0].value, found[1][0].node
        fixed = isinstance(value, ast.Constant) and isinstance(value.value, bool) and found[1][0].kind == "assign"
        if fixed and isinstance(bound, ast.Name) and found[0] is file.scope(test) and not _in_branch(file, bound):
            yield Found.at(node.test, value, said=f"`{test.id}` is never anything else") if value else Found.at(test)


def _in_branch(file: FileFacts, node: ast.AST) -> bool:
    return any(isinstance(above, ast.If | ast.For | ast.While | ast.Try | ast.With) for above in file.parents(node))


def _dead_options(file: FileFacts) -> Iterator[Found]:
    """Options of argparse that the file declares and never reads, where all that reads them can be seen."""
    made = [each for each in file.nodes(ast.Call) if file.resolve(each.func) == "argparse.ArgumentParser"]
    parsed = [each for each in file.nodes(ast.Call) if _method(each) in {"parse_args", "parse_known_args"}]
    if (
        len(made) != 1
        or len(parsed) != 1
        or _method(parsed[0]) != "parse_args"
        or (made[0].keywords and _has_parents(made[0]))
    ):
        return
    target = _target(file, parsed[0])
    if target is None or not _only_read_by_attribute(file, target):
        return
    read = {node.attr for node in file.nodes(ast.Attribute)} | _strings(file)
    for call in file.nodes(ast.Call):
        if _method(call) == "add_argument" and file.type_of(_owner(call)) == "argparse.ArgumentParser":
            option = _option(call)
            if option and option not in read:
                yield Found.at(call, said=f"nothing reads `{option}`")


def _has_parents(call: ast.Call) -> bool:
    return any(keyword.arg == "parents" for keyword in call.keywords)


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _owner(call: ast.Call) -> ast.expr:
    return call.func.value if isinstance(call.func, ast.Attribute) else call.func


def _target(file: FileFacts, call: ast.Call) -> ast.Name | None:
    statement = file.statement(call)
    if isinstance(statement, ast.Assign) and statement.value is call and len(statement.targets) == 1:
        target = statement.targets[0]
        return target if isinstance(target, ast.Name) else None
    return None


def _only_read_by_attribute(file: FileFacts, target: ast.Name) -> bool:
    """Whether the parsed options never go anywhere whole: then every reading is an attribute in this file."""
    for name in file.nodes(ast.Name):
        if name.id == target.id and isinstance(name.ctx, ast.Load):
            above = next(iter(file.parents(name)), None)
            if not isinstance(above, ast.Attribute) or above.attr.startswith("_"):
                return False
    return True


def _strings(file: FileFacts) -> set[str]:
    """Strings outside of the declarations, for `getattr(args, name)` and the like are not followed."""
    return {
        node.value for node in file.nodes(ast.Constant) if isinstance(node.value, str) and node.value.isidentifier()
    }


def _option(call: ast.Call) -> str:
    """Name of the attribute that an option becomes; empty where it is positional, exits at once, or is computed."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    action = given.get("action")
    if (isinstance(action, ast.Constant) and action.value in {"version", "help"}) or None in given:
        return ""
    dest = given.get("dest")
    if dest is not None:
        return dest.value if isinstance(dest, ast.Constant) and isinstance(dest.value, str) else ""
    names = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if len(names) != len(call.args) or names == ["-f"]:  # what Jupyter passes to a script
        return ""
    long = next((name for name in names if name.startswith("--")), names[0] if names and names[0][:1] == "-" else "")
    return long.lstrip("-").replace("-", "_")
