"""Questions to a syntax tree."""

from __future__ import annotations

import ast

from solvent.pipeline.annotations import resolve_relative

_CONTAINERS = frozenset({"dict", "list", "set", "defaultdict", "OrderedDict", "Counter", "deque", "count", "iter"})


def import_targets(node: ast.Import | ast.ImportFrom, package: str) -> list[tuple[str, str, str]]:
    """(bound name, dotted target, module that is loaded) for each name of an import; `*` for a star."""
    if isinstance(node, ast.Import):
        return [
            (a.asname, a.name, a.name) if a.asname else ((top := a.name.partition(".")[0]), top, a.name)
            for a in node.names
        ]
    base = resolve_relative(package, node.module or "", node.level)
    return [(a.asname or a.name, f"{base}.{a.name}" if base else a.name, base or a.name) for a in node.names]


def chain_of(node: ast.AST) -> str | None:
    """`a.b.c` for a chain of attributes that starts at a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return ".".join(reversed(parts))


def without_docstring(statements: list[ast.stmt]) -> list[ast.stmt]:
    """A body without its docstring; one that does nothing is empty."""
    match statements[:1]:
        case [ast.Expr(value=ast.Constant(value=str()))]:
            statements = statements[1:]
    return [] if all(isinstance(s, ast.Pass) for s in statements) else statements


def own_nodes(statements: list[ast.stmt]) -> list[ast.AST]:
    """All nodes of statements but for those inside other functions and classes."""
    found: list[ast.AST] = []
    stack: list[ast.AST] = list(statements)
    while stack:
        node = stack.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack += ast.iter_child_nodes(node)
    return found


def arguments_of(arguments: ast.arguments) -> list[ast.arg | None]:
    """All parameters; None stands between positional-only, ordinary, star, keyword-only and double-star ones."""
    return [
        *arguments.posonlyargs, None, *arguments.args, None, arguments.vararg, None,
        *arguments.kwonlyargs, None, arguments.kwarg,
    ]  # fmt: skip


def is_state(node: ast.expr | None) -> bool:
    """An empty container, or one that is filled by use: state rather than a constant."""
    if isinstance(node, ast.List | ast.Set):
        return not node.elts
    if isinstance(node, ast.Dict):
        return not node.keys
    if isinstance(node, ast.Call):
        chain = (chain_of(node.func) or "").rpartition(".")[2]
        filled = bool(node.args or node.keywords) and chain in (
            "dict",
            "list",
            "set",
            "deque",
            "Counter",
            "OrderedDict",
        )
        return chain in _CONTAINERS and not filled
    return False
