"""Notebooks that do not run from top to bottom as they stand."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from solvent.debt.facts.document import Cell
from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.outline import imports, installs
from solvent.debt.facts.repository import is_exercise
from solvent.debt.facts.types import words
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule


@rule("PIP002", "out-of-order", severity="I", principal="b", driver="R", source="pynblint: non-linear execution")
def out_of_order(file: FileFacts) -> Iterator[Found]:
    """A cell was run before the cell above it that makes what it reads.

    Why it costs: what the notebook shows rests on a value that no cell above has; run from the top it may differ.
    Fix: restart, run all, save.
    """
    above: dict[str, tuple[int, int | None]] = {}  # of each name: the line that made it last, and when that was run
    for cell in file.document.cells:
        reads, made = _names(file, cell)
        for name, line in reads.items():
            maker, count = above.get(name, (0, None))
            if count is not None and cell.count is not None and count > cell.count:
                said = f"In [{cell.count}] reads `{name}`, made above in In [{count}]"
                yield Found(line, (maker, line), said, syntax="order")
                return
        above.update({name: (line, cell.count) for name, line in made.items()})


def _names(file: FileFacts, cell: Cell) -> tuple[dict[str, int], dict[str, int]]:
    """Names that a cell reads and that it makes, each with a line; what it imports is the same in any order."""
    known: set[str] = set()
    reads: dict[str, int] = {}
    made: dict[str, int] = {}
    for statement in file.tree.body:
        if not cell.first <= statement.lineno < cell.first + cell.lines:
            continue
        before = set(known)
        for name, line in _Loads(known).of(statement):
            reads.setdefault(name, line)
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            made.update(dict.fromkeys(known - before, statement.lineno))
    return reads, made


@rule("REP005", "saved-error", severity="I", principal="b", driver="R", source="pynblint")
def saved_error(file: FileFacts) -> Iterator[Found]:
    """A notebook was left and kept where a cell failed: nothing was run after it.

    Why it costs: it did not run to its end, so nobody knows that it does.
    Fix: mend or remove the cell, restart, run all, save.
    Allow when: the failure is what the notebook shows. An error that later runs went past is not told.
    """
    last = max((cell.count or 0 for cell in file.document.cells), default=0)
    for cell in file.document.cells:
        if cell.error and cell.error not in _MEANT and cell.count == last and not is_exercise(file.path):
            lines = range(cell.first, cell.first + cell.lines)
            line = next((number for number in lines if file.document.line(number)), cell.first)
            yield Found(line, (line,), cell.error, syntax=file.document.line(line))


_MEANT = words("KeyboardInterrupt SystemExit NotImplementedError")  # stopped by hand, or not yet written


@rule("ENV007", "unpinned-install", severity="W", principal="a", driver="T", source="Sculley 2015")
def unpinned_install(file: FileFacts) -> Iterator[Found]:
    """A notebook installs whatever release of a package is the newest.

    Why it costs: it runs with other code each month, until one day it does not run.
    Fix: `%pip install name==version`, or install from a file with versions.
    """
    for line, requirements in installs(file.document).items():
        loose = [each for each in requirements if _is_loose(each)]
        if loose:
            yield Found(line, (line,), ", ".join(loose), syntax=" ".join(loose))


def _is_loose(requirement: str) -> bool:
    if requirement in {"pip", "setuptools", "wheel"}:
        return False
    if re.search(r"[{}$]|^\.|/|\.(whl|txt|zip|gz)$", requirement):
        return requirement.startswith("git+") and requirement.rpartition("/")[2].count("@") == 0
    return bool(re.fullmatch(r"[A-Za-z0-9][\w.-]*(\[[\w,.-]*\])?((>=?|!=)[\w.*]+)?", requirement))


# Magics that bind no name. Any other makes what is bound unknown.
_HARMLESS = words("""
    matplotlib load_ext reload_ext unload_ext autoreload config time timeit pip conda mamba env set_env cd pwd ls ll
    mkdir rm rmdir mv cp cat bash sh html javascript js latex markdown svg writefile tensorboard watermark who whos
    who_ls precision xmode pdb debug prun memit mprun lprun alias_magic logstart logstop history hist system sx
    pinfo pinfo2 pdoc psource pycat quickref lsmagic magic man more less page pprint dhist doctest_mode gui notebook
    aimport black file script ruby perl capture
""")
_GIVEN = words("""
    In Out display get_ipython exit quit spark sc sqlContext dbutils displayHTML sql spark_session table udf ipython
    xrange unicode raw_input reduce unichr long basestring cmp file reload execfile
    __file__ __doc__ __builtins__ __session__ __spec__ __loader__ __package__ __annotations__
""")
_HISTORY = re.compile(r"_+\d*|_i+\d*|_oh|_dh|_exit_code")


@rule("PIP003", "hidden-state", severity="E", principal="b", driver="R", source="pynblint; Pimentel 2019")
def hidden_state(file: FileFacts) -> Iterator[Found]:
    """A cell uses a name that no cell before it makes.

    Why it costs: it worked in the session of its author, by a cell that was moved, changed or deleted; run from the
        top it stops here.
    Fix: restart, run all; make the name in a cell above.
    """
    if not file.document.notebook or is_exercise(file.path) or not _is_plain(file):
        return
    known = set(dir(builtins)) | _GIVEN | _bound_by_lines(file)
    missing: dict[int, dict[str, int]] = {}  # line of each name by cell
    told: set[str] = set()
    for statement in file.tree.body:
        known |= _declared_global(statement)
        cell = file.document.cell(statement.lineno)
        if _is_bare_magic(file, statement):
            continue
        for name, line in _Loads(known).of(statement):
            if name not in told and not _HISTORY.fullmatch(name) and cell is not None and not cell.error:
                missing.setdefault(cell.number, {})[name] = line
            told.add(name)
    for names in missing.values():
        lines = tuple(sorted(set(names.values())))
        yield Found(lines[0], lines, ", ".join(f"`{name}`" for name in names), syntax=" ".join(names))


def _is_bare_magic(file: FileFacts, statement: ast.stmt) -> bool:
    """`pwd` or `watermark -iv`: a magic needs no percent sign."""
    first = re.match(r"(\w+)(\s+[^=]*)?$", file.document.line(statement.lineno))
    return isinstance(statement, ast.Expr) and first is not None and first[1] in _HARMLESS | {"clear", "pylab", "run"}


def _is_plain(file: FileFacts) -> bool:
    """Whether all that binds names can be seen."""
    if file.star_imports or file.document.gaps or any(one.name.startswith("pyforest") for one in imports(file)):
        return False
    for text in file.document.blanked.values():
        magic = re.match(r"\s*(?:\w[\w\s,]*=\s*)?%{1,2}\s*(\w+)", text)
        if magic and magic[1] not in _HARMLESS:
            return False
    for node in file.nodes(ast.Name):
        if node.id in {"exec", "eval", "globals", "locals", "vars", "get_ipython"}:
            return False
    return not any("papermill" in text for text in file.document.blanked.values())


def _bound_by_lines(file: FileFacts) -> set[str]:
    """Names that `%%capture out` and the like make."""
    found: set[str] = set()
    for text in file.document.blanked.values():
        given = re.match(r"\s*%%?capture\s+(?:--\S+\s+)*(\w+)", text) or re.search(r"--(?:out|err|proc)[= ](\w+)", text)
        if given:
            found.add(given[1])
    return found


def _declared_global(statement: ast.stmt) -> set[str]:
    return {name for node in ast.walk(statement) if isinstance(node, ast.Global) for name in node.names}


class _Loads(ast.NodeVisitor):
    """Names that a statement at the top level loads now, in order of evaluation, while `known` grows by those bound.

    Bodies of functions run later and are passed over; branches are taken as if all ran.
    """

    def __init__(self, known: set[str]) -> None:
        self._known = known
        self._found: list[tuple[str, int]] = []

    def of(self, statement: ast.stmt) -> list[tuple[str, int]]:
        self.visit(statement)
        return self._found

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id not in self._known:
            self._found.append((node.id, node.lineno))
        elif isinstance(node.ctx, ast.Store):
            self._known.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name) and node.target.id not in self._known:
            self._found.append((node.target.id, node.lineno))
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        for each in (*node.body, *node.orelse):
            self.visit(each)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._header(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._header(node)

    def _header(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for each in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(each)
        self._known.add(node.name)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for each in (*node.decorator_list, *node.bases):
            self.visit(each)
        self._known.add(node.name)  # its body has a scope of its own

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for each in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(each)

    def visit_Import(self, node: ast.Import) -> None:
        self._known.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._known.update(alias.asname or alias.name for alias in node.names)

    def visit_Try(self, node: ast.Try) -> None:
        """What a handler catches may be the missing name; so loads within are not judged."""
        before = len(self._found)
        self.generic_visit(node)
        del self._found[before:]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._known.update({node.name} if node.name else set())
        self.generic_visit(node)

    def visit_Match(self, node: ast.Match) -> None:
        for each in ast.walk(node):
            name = getattr(each, "name", None) if isinstance(each, ast.MatchAs | ast.MatchStar) else None
            self._known.update({name} if name else set())
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node.generators, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node.generators, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, generators: list[ast.comprehension], elements: list[ast.expr]) -> None:
        inner = _Loads(set(self._known))
        for generator in generators:
            inner.visit(generator.iter)
            inner.visit(generator.target)
            for condition in generator.ifs:
                inner.visit(condition)
        for element in elements:
            inner.visit(element)
        self._found += inner._found
        walrus = [each for element in elements for each in ast.walk(element) if isinstance(each, ast.NamedExpr)]
        self._known.update(each.target.id for each in walrus)
