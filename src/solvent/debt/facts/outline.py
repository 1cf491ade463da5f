"""A file's imports, functions with what they call, routes, trainings, and uses of what some release removed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from solvent.debt.facts import releases
from solvent.debt.facts.document import Document
from solvent.debt.facts.summary import Call, Function, Import, Use
from solvent.debt.facts.types import words

if TYPE_CHECKING:
    from solvent.debt.facts.file import FileFacts

Def = ast.FunctionDef | ast.AsyncFunctionDef


def imports(file: FileFacts) -> Iterator[Import]:
    """Each name that is imported."""
    for node in file.nodes(ast.Import):
        for alias in node.names:
            yield Import(alias.name, 0, node.lineno, _optional(file, node), bool(file.scope(node).name))
    for each in file.nodes(ast.ImportFrom):
        for alias in each.names:
            name = ".".join(filter(None, (each.module, alias.name)))
            yield Import(name, each.level, each.lineno, _optional(file, each), bool(file.scope(each).name))


def _optional(file: FileFacts, node: ast.AST) -> bool:
    return any(isinstance(above, ast.Try | ast.If | ast.ExceptHandler) for above in file.parents(node))


HUB_CALLS = words("""
    torch.hub.load sentence_transformers.SentenceTransformer sentence_transformers.CrossEncoder
    transformers.pipeline transformers.pipelines.pipeline huggingface_hub.hf_hub_download
    huggingface_hub.snapshot_download
""")
HUB_FAMILIES = ("transformers.", "diffusers.", "peft.", "timm.", "sentence_transformers.", "huggingface_hub.")


def hub_calls(file: FileFacts) -> Iterator[Call]:
    """Calls that fetch weights from a hub."""
    for call in file.nodes(ast.Call):
        name = file.resolve(call.func)
        fetching = name.startswith(HUB_FAMILIES) and name.endswith(".from_pretrained")
        if name in HUB_CALLS or fetching:
            literals = {str(place): _text(file, each) for place, each in enumerate(call.args)}
            literals |= {each.arg: _text(file, each.value) for each in call.keywords if each.arg}
            known = {place: text for place, text in literals.items() if text is not None}
            given = [each.arg or "**" for each in call.keywords]
            yield Call(name, call.lineno, file.scope(call).name, known, given)


def _text(file: FileFacts, node: ast.expr) -> str | None:
    """A string, also through a name that is assigned once."""
    if isinstance(node, ast.Name) and (found := file.binding(node)) is not None and len(found[1]) == 1:
        node = found[1][0].value if found[1][0].kind == "assign" and found[1][0].value else node
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


_ROUTERS = {
    "fastapi.FastAPI": "FastAPI",
    "fastapi.APIRouter": "FastAPI",
    "flask.Flask": "Flask",
    "flask.Blueprint": "Flask",
    "bentoml.Service": "BentoML",
    "sanic.Sanic": "Sanic",
}
_VERBS = words("route get post put patch api_route websocket api")
_VIEWS = {
    "rest_framework.": "Django",
    "django.views.": "Django",
    "flask_restful.Resource": "Flask",
    "flask_restx.Resource": "Flask",
    "flask.views.": "Flask",
    "tornado.web.": "Tornado",
}
_PLAIN_DECORATORS = words("""
    cross_origin csrf_exempt login_required limit require_http_methods staticmethod api_view permission_classes doc
    expect
""")


def functions(file: FileFacts) -> Iterator[Function]:
    """Functions and methods; what a nested function calls belongs to the outer one too."""
    calls: dict[str, list[str]] = {}
    for call in file.nodes(ast.Call):
        name = file.scope(call).name
        called = _called(file, call)
        while name and called:
            calls.setdefault(name, []).append(called)
            name = name.rpartition(".")[0]
    defined: list[Def] = [*file.nodes(ast.FunctionDef), *file.nodes(ast.AsyncFunctionDef)]
    for node in defined:
        name = f"{file.scope(node).name}.{node.name}".lstrip(".")
        route = _route(file, node)
        yield Function(name, node.lineno, route, _wrapped(file, node), sorted(set(calls.get(name, []))))


def _called(file: FileFacts, call: ast.Call) -> str:
    func = call.func
    name = file.resolve(func)
    if name:
        return name
    if isinstance(func, ast.Name):
        return f":{func.id}"
    if isinstance(func, ast.Attribute):
        own = isinstance(func.value, ast.Name) and func.value.id in {"self", "cls"}
        return f":{func.attr}" if own else f"?.{func.attr}"
    return ""


def _route(file: FileFacts, node: Def) -> str:
    for decorator in node.decorator_list:
        framework = _routing(file, decorator)
        if framework:
            return framework
    around = next(iter(file.parents(node)), None)
    if isinstance(around, ast.ClassDef):
        return _of_view(file, around, node)
    asks = bool(node.args.args) and node.args.args[0].arg == "request"
    if asks and file.path.endswith("views.py") and any(one.name.startswith("django.") for one in imports(file)):
        return "Django"
    return ""


def _routing(file: FileFacts, decorator: ast.expr) -> str:
    """Framework whose route a decorator makes: `@app.post(...)`, where `app` is typed or comes from the project."""
    func = decorator.func if isinstance(decorator, ast.Call) else decorator
    if file.resolve(func) == "bentoml.api":
        return "BentoML"
    if not isinstance(func, ast.Attribute) or func.attr not in _VERBS:
        return ""
    framework = _ROUTERS.get(file.type_of(func.value), "")
    if not framework and isinstance(func.value, ast.Name) and file.resolve(func.value):
        known = {one.name.partition(".")[0] for one in imports(file)}
        framework = "FastAPI" if "fastapi" in known else "Flask" if "flask" in known and func.attr == "route" else ""
    return framework


def _of_view(file: FileFacts, around: ast.ClassDef, node: Def) -> str:
    bases = [file.resolve(base) for base in around.bases]
    if any(base.endswith("Servicer") and "grpc" in base for base in bases):
        return "gRPC" if node.name[:1].isupper() else ""
    if node.name not in {"get", "post", "put", "patch"}:
        return ""
    return next((name for base in bases for start, name in _VIEWS.items() if base.startswith(start)), "")


def _wrapped(file: FileFacts, node: Def) -> bool:
    for decorator in node.decorator_list:
        func = decorator.func if isinstance(decorator, ast.Call) else decorator
        last = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        if last not in _PLAIN_DECORATORS and not _routing(file, decorator):
            return True
    return False


LEARNERS = words("""
    sklearn torch tensorflow keras xgboost lightgbm catboost statsmodels fastai pytorch_lightning lightning
    transformers imblearn prophet pycaret autogluon surprise implicit gensim flax jax river pyod skorch
""")


def learns(file: FileFacts) -> bool:
    """Whether a library is imported that trains models."""
    return any(one.level == 0 and one.name.partition(".")[0] in LEARNERS for one in imports(file))


def fits(file: FileFacts) -> Iterator[int]:
    """Lines where a model is trained: `x.fit(data)`, boosters' `train`, a step after a backward pass."""
    if not learns(file):
        return
    for call in file.nodes(ast.Call):
        name = file.resolve(call.func)
        method = call.func.attr if isinstance(call.func, ast.Attribute) and not name else ""
        given = bool(call.args or call.keywords)
        if name in {"xgboost.train", "lightgbm.train"} or method == "backward" or (method == "fit" and given):
            yield call.lineno


_REMOVED_NAMES = frozenset(releases.REMOVED)
_REMOVED_ROOTS = frozenset(name.partition(".")[0] for name in releases.REMOVED)
_METHODS = {name.rpartition(".")[2] for name in releases.REMOVED if ".DataFrame." in name or ".Series." in name}


def uses(file: FileFacts) -> Iterator[Use]:
    """Names and keywords of the dated tables, once a line."""
    seen: set[tuple[str, int]] = set()
    for name, node in _named(file):
        removed = next((part for part in _prefixes(name) if part in _REMOVED_NAMES), "")
        if removed and (removed, node.lineno) not in seen:
            seen.add((removed, node.lineno))
            yield Use(removed, node.lineno, _guarded(file, node))
    for call in file.nodes(ast.Call):
        name = file.resolve(call.func)
        for keyword in call.keywords:
            if (name, keyword.arg) in releases.REMOVED_KEYWORDS:
                yield Use(f"{name}({keyword.arg})", keyword.value.lineno, _guarded(file, call))


def _named(file: FileFacts) -> Iterator[tuple[str, ast.Attribute | ast.stmt]]:
    for node in file.nodes(ast.Import):
        yield from ((alias.name, node) for alias in node.names)
    for each in file.nodes(ast.ImportFrom):
        if each.level == 0 and each.module:
            yield from ((f"{each.module}.{alias.name}", each) for alias in each.names)
    for attribute in file.nodes(ast.Attribute):
        name = file.resolve(attribute)
        if name:
            yield name, attribute
        elif attribute.attr in _METHODS:
            owner = file.type_of(attribute.value)
            yield f"{owner}.{attribute.attr}", attribute


def _prefixes(name: str) -> Iterator[str]:
    if name.partition(".")[0] in _REMOVED_ROOTS:
        parts = name.split(".")
        yield from (".".join(parts[:length]) for length in range(2, len(parts) + 1))


def _guarded(file: FileFacts, node: ast.AST) -> bool:
    for above in file.parents(node):
        if isinstance(above, ast.Try | ast.ExceptHandler):
            return True
        if isinstance(above, ast.If | ast.IfExp):
            condition = ast.unparse(above.test).lower()
            if "version" in condition or "hasattr" in condition or "getattr" in condition:
                return True
    return False


_PIP = re.compile(
    r"^\s*[!%]+\s*(?:\{?sys\.executable\}?\s+-m\s+|python3?\s+-m\s+|sudo\s+)*(?:uv\s+)?pip3?\s+install\s+(.*)$"
)
_VALUED = words("""
    -r --requirement -c --constraint -f --find-links -i --index-url --extra-index-url -t --target -e
""")


def installs(document: Document) -> dict[int, list[str]]:
    """Requirements that a notebook installs by `!pip install` or `%pip install`, by joined line."""
    found = {}
    for line, text in document.blanked.items():
        command = _PIP.match(text)
        if command:
            found[line] = _requirements(re.split(r"\s*(?:&&|\||;)\s*|\s+[>#]\s*", command[1])[0])
    return found


def _requirements(arguments: str) -> list[str]:
    kept, skip = [], False
    for word in re.findall(r"\"[^\"]*\"|'[^']*'|\S+", arguments):
        if skip:
            skip = False
        elif word in _VALUED:
            skip = True
        elif not word.startswith("-"):
            kept.append(word.strip("'\""))
    return kept
