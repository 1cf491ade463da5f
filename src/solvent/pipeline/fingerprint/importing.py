"""What a statement does to the rest of the program while its module is imported.

A statement that only makes a value is quiet: it counts where its name is used. One
that may change something else (a registry, `sys.path`, another module) is loud: it
counts for every step that imports the module, used or not. Unknown means loud.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator

from solvent.pipeline.fingerprint.scan import MUTATORS
from solvent.pipeline.fingerprint.trees import chain_of

_LOUD_BUILTINS_WORDS = """
    exec eval compile __import__ setattr delattr globals locals vars input next breakpoint
"""
_LOUD_BUILTINS = frozenset(_LOUD_BUILTINS_WORDS.split())
QUIET_BUILTINS = frozenset(dir(builtins)) - _LOUD_BUILTINS
_QUIET_ROOTS_WORDS = """
    re pathlib collections dataclasses enum typing typing_extensions datetime decimal fractions
    functools itertools operator math cmath string types uuid json abc copy statistics textwrap hashlib
    struct zoneinfo contextlib numbers solvent numpy polars pandas pyarrow sklearn scipy numba msgspec
    pydantic attr attrs
"""
_QUIET_ROOTS = frozenset(_QUIET_ROOTS_WORDS.split())
_QUIET = frozenset({"os.getenv", "os.cpu_count", "os.fspath", "logging.getLogger", "os.environ.get", "time.time"})
_SETTERS = (
    "set_", "seed", "register", "use", "enable", "disable", "config", "install", "patch", "init", "add_", "update",
    "seterr", "load_dotenv",
)  # fmt: skip


def calls_at_import(node: ast.stmt) -> tuple[tuple[str, ...], bool]:
    """Chains that a top-level statement calls, decorators and bases included; and whether it surely is loud."""
    chains: list[str] = []
    loud = False
    for part in _executed(node):
        match part:
            case ast.Call(func=function):
                chain = chain_of(function)
                if chain is not None:
                    chains.append(chain)
                elif not isinstance(function, ast.Attribute) or function.attr in MUTATORS:
                    loud = True
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                decorators = [_decorator(d) for d in part.decorator_list]
                chains += [chain for chain in decorators if chain]
                loud = loud or None in decorators
                if isinstance(part, ast.ClassDef):
                    chains += [chain_of(b) or "" for b in part.bases if not isinstance(b, ast.Subscript)]
                    chains += [chain_of(b.value) or "" for b in part.bases if isinstance(b, ast.Subscript)]
                    chains += [chain_of(k.value) or "" for k in part.keywords if k.arg == "metaclass"]
                    loud = loud or any(k.arg not in ("metaclass", "total") for k in part.keywords)
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                loud = True
            case ast.Delete() | ast.Await() | ast.Yield() | ast.YieldFrom():
                loud = True
    return tuple(dict.fromkeys(chains)), loud


def _decorator(node: ast.expr) -> str | None:
    """The chain of a decorator, with `()` where what a call of it gives is called in turn."""
    if isinstance(node, ast.Call):
        chain = chain_of(node.func)
        return chain and f"{chain}()"
    return chain_of(node)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a statement that run at import: no bodies of functions, only their decorators and defaults."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        inside = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        children: list[ast.AST] = [*getattr(node, "decorator_list", []), *inside]
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from _executed(child)


def quiet_outside(dotted: str) -> bool:
    """Does calling (or subclassing) something of another distribution leave this project's names alone?"""
    last = dotted.rpartition(".")[2]
    if last.lower().startswith(_SETTERS) or dotted.startswith("numpy.random.s"):
        return False
    return dotted in _QUIET or dotted.partition(".")[0] in _QUIET_ROOTS or last[:1].isupper()


def quiet_function(text: str, quiet: Callable[[str], bool]) -> bool:
    """Does calling this function of the project change nothing outside it? quiet: whether calling a chain does."""
    node = ast.parse(text).body[0]
    if isinstance(node, ast.ClassDef):
        return _quiet_class(node, quiet)
    if not isinstance(node, ast.FunctionDef):
        return False
    return _quiet_body(node, quiet, frozenset())


def _quiet_class(node: ast.ClassDef, quiet: Callable[[str], bool]) -> bool:
    """Does making an instance, or a subclass, only make it?"""
    making = [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name.startswith("__")]
    names = {f.name for f in making}
    if names & {"__init_subclass__", "__set_name__"} or node.keywords:
        return False
    starts = [f for f in making if f.name in ("__init__", "__new__", "__post_init__", "__call__")]
    return all(_quiet_body(f, quiet, frozenset(a.arg for a in f.args.args[:1])) for f in starts)


def _quiet_body(node: ast.FunctionDef, quiet: Callable[[str], bool], own: frozenset[str]) -> bool:
    """own: names whose attributes it may set (`self`)."""
    parts = [p for statement in node.body for p in _executed(statement)]
    defined = {p.name for p in parts if isinstance(p, ast.FunctionDef | ast.ClassDef)}
    made = {
        t.id
        for p in parts
        if isinstance(p, ast.Assign) and not isinstance(p.value, ast.Name | ast.Attribute | ast.Subscript)
        for t in p.targets
        if isinstance(t, ast.Name)
    }
    for part in parts:
        match part:
            case ast.Global() | ast.Nonlocal() | ast.Delete() | ast.Import() | ast.ImportFrom():
                return False
            case ast.Attribute(ctx=ast.Store(), value=target) | ast.Subscript(ctx=ast.Store(), value=target):
                root = (chain_of(target) or "").partition(".")[0]
                if root not in own | made | defined:
                    return False
            case ast.Call(func=function):
                chain = chain_of(function)
                if chain is None:
                    if not isinstance(function, ast.Attribute) or function.attr in MUTATORS:
                        return False
                elif chain.partition(".")[0] not in made and not quiet(chain):
                    return False
    return True
