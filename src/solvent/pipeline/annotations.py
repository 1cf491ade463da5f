"""Names in a module without evaluating them: what its imports make of an annotation.

`pl.DataFrame` under `import polars as pl` is `polars.DataFrame`, also where the
import stands under `TYPE_CHECKING` and the annotation is a string.
"""

from __future__ import annotations

import ast
import builtins
from pathlib import Path


class ModuleNames:
    """A module's syntax tree and what its top-level names mean.

    name: dotted name of the module; package: the package that relative imports start from.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.tree = ast.parse(path.read_bytes(), filename=str(path))
        self.name = name
        self.package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        self.imports: dict[str, str] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._collect(self.tree.body)

    def _collect(self, body: list[ast.stmt]) -> None:
        for node in body:
            match node:
                case ast.Import():
                    for alias in node.names:
                        self.imports[alias.asname or alias.name.partition(".")[0]] = (
                            alias.name if alias.asname else alias.name.partition(".")[0]
                        )
                case ast.ImportFrom():
                    base = resolve_relative(self.package, node.module or "", node.level)
                    for alias in node.names:
                        self.imports[alias.asname or alias.name] = f"{base}.{alias.name}"
                case ast.ClassDef():
                    self.classes[node.name] = node
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.functions[node.name] = node
                case ast.If():
                    self._collect(node.body)
                    self._collect(node.orelse)
                case ast.Try():
                    for part in (node.body, *(h.body for h in node.handlers), node.orelse, node.finalbody):
                        self._collect(part)

    def dotted(self, node: ast.expr | None) -> str:
        """An annotation as text with dotted names: `dict[str, float]`, `polars.DataFrame`; '' for none."""
        match node:
            case None:
                return ""
            case ast.Constant(value=str() as text):
                try:
                    return self.dotted(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    return text
            case ast.Constant(value=value):
                return "None" if value is None else repr(value)
            case ast.Name(id=name):
                return self._name(name)
            case ast.Attribute(value=value, attr=attr):
                return f"{self.dotted(value)}.{attr}"
            case ast.Subscript(value=value, slice=index):
                inside = index.elts if isinstance(index, ast.Tuple) else [index]
                outer = self.dotted(value)
                if outer == "typing.Annotated":
                    return self.dotted(inside[0])
                return f"{outer}[{', '.join(self.dotted(i) for i in inside)}]"
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return f"{self.dotted(left)} | {self.dotted(right)}"
            case ast.List(elts=elements):
                return f"[{', '.join(self.dotted(e) for e in elements)}]"
            case _:
                return ast.unparse(node)

    def _name(self, name: str) -> str:
        if name in self.imports:
            return self.imports[name]
        if name in self.classes or not hasattr(builtins, name):
            return f"{self.name}.{name}"
        return name

    def named_tuple(self, dotted: str) -> dict[str, str] | None:
        """Fields → annotations where `dotted` is a NamedTuple class of this module, else None."""
        module, _, name = dotted.rpartition(".")
        found = self.classes.get(name) if module == self.name else None
        if found is None or not any(self.dotted(b) == "typing.NamedTuple" for b in found.bases):
            return None
        return {
            item.target.id: self.dotted(item.annotation)
            for item in found.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }


def resolve_relative(package: str, module: str, level: int) -> str:
    """The absolute name that `from ..module import` means in `package`."""
    if level == 0:
        return module
    parts = package.split(".") if package else []
    base = ".".join(parts[: len(parts) - (level - 1)])
    return ".".join(part for part in (base, module) if part)
