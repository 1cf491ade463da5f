"""What a repository declares to need: requirements, pyproject, setup, Pipfile, environment.yml. Pure, never run."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from solvent.debt.facts.texts import line_of, parse_toml, parse_yaml, strings, table

Kind = Literal["requirements", "pyproject", "setup.cfg", "setup.py", "Pipfile", "environment"]


class Dependency(msgspec.Struct, frozen=True):
    """name: canonical; specifier: PEP 440, empty for any version; line: in its file, 1-based; direct: a URL, path or
    repository rather than versions; fixed: a direct one that names a commit, tag, archive or local path;
    extra: an optional or development group.
    """

    name: str
    specifier: str
    line: int
    direct: bool = False
    fixed: bool = False
    extra: bool = False

    @property
    def bounded(self) -> bool:
        """Whether newer releases are kept out."""
        return self.fixed if self.direct else bounded(self.specifier)


class Declaration(msgspec.Struct, frozen=True):
    """One file. library: it builds a distribution that others install; python: its specifier of interpreters, empty
    where it says nothing; includes: other requirement or constraint files that it names, repository paths.
    """

    path: str
    kind: Kind
    dependencies: list[Dependency]
    library: bool = False
    python: str = ""
    includes: list[str] = []


def bounded(specifier: str) -> bool:
    """Whether a specifier has a pin or an upper bound.

    >>> bounded("==1.2"), bounded("~=1.2"), bounded(">=1,<2"), bounded(">=1"), bounded("")
    (True, True, True, False, False)
    """
    return bool(re.search(r"==|~=|<", specifier))  # conda's versions need not be PEP 440's


def specifiers(text: str) -> SpecifierSet:
    """As PEP 440; an empty set where the text is no specifier."""
    try:
        return SpecifierSet(text, prereleases=True)
    except InvalidSpecifier:
        return SpecifierSet("", prereleases=True)


_REQUIREMENTS = re.compile(
    r"(^|[-_.])(requirements?|reqs?|constraints?)([-_.].*)?\.(txt|in|pip)$|^requirements?$", re.I
)
_ENVIRONMENT = re.compile(r"^(conda[-_.]?|.*[-_.])?env(ironment)?s?([-_.].*)?\.ya?ml$|^conda([-_.].*)?\.ya?ml$", re.I)


def kind_of(path: str) -> Kind | None:
    """Which kind of declaration a path's name announces."""
    pure = PurePosixPath(path)
    name = pure.name
    if name == "pyproject.toml":
        return "pyproject"
    if name in {"setup.cfg", "setup.py", "Pipfile"}:
        return "Pipfile" if name == "Pipfile" else "setup.cfg" if name == "setup.cfg" else "setup.py"
    in_folder = pure.parent.name.lower() in {"requirements", "reqs"} and pure.suffix in {".txt", ".in", ".pip"}
    if in_folder or _REQUIREMENTS.search(name):
        return "requirements"
    return "environment" if _ENVIRONMENT.search(name) else None


def parse_declaration(path: str, text: str) -> Declaration | None:
    """Read one declaring file; None where it declares nothing of the kind (a pyproject of tools only)."""
    kind = kind_of(path)
    if kind == "requirements":
        return parse_requirements(path, text)
    if kind == "pyproject":
        return parse_pyproject(path, text)
    if kind == "setup.cfg":
        return parse_setup_cfg(path, text)
    if kind == "setup.py":
        return parse_setup_py(path, text)
    if kind == "Pipfile":
        return parse_pipfile(path, text)
    return parse_environment(path, text) if kind == "environment" else None


def parse_requirements(path: str, text: str) -> Declaration:
    """pip's format: continuation lines, hashes, markers, `-r`, `-c`, `-e`, URLs."""
    found: list[Dependency] = []
    includes: list[str] = []
    for number, line in _logical_lines(text):
        option = re.match(r"(-r|--requirement|-c|--constraint)[\s=]+(\S+)", line)
        if option:
            includes.append(_beside(path, option[2]))
            continue
        editable = re.match(r"(-e|--editable)[\s=]+(.+)", line)
        if line.startswith("-") and not editable:
            continue
        one = parse_requirement(editable[2] if editable else line, number)
        if one is not None:
            found.append(one)
    return Declaration(path, "requirements", found, includes=includes)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments and per-requirement options; a trailing backslash joins."""
    joined, first = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw).strip()
        first = first or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        whole = re.sub(r"\s--(hash|global-option|config-settings|install-option)[=\s]\S+", "", joined + line).strip()
        if whole:
            yield first, whole
        joined, first = "", 0


def _beside(path: str, name: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(path).parent.parts, *PurePosixPath(name).parts):
        if part == ".." and parts:
            parts.pop()
        elif part not in {".", ".."}:
            parts.append(part)
    return "/".join(parts)


_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(.*)$")
_FIXED_URL = re.compile(r"\.git@[^@/]+|@[0-9a-f]{7,40}\b|@v?\d[\w.]*(#|$)|\.(whl|zip|tar\.gz|tgz|tar\.bz2)([#?]|$)")


def parse_requirement(text: str, line: int, *, extra: bool = False) -> Dependency | None:
    """One requirement, PEP 508 or what pip accepts beside it; None where no name can be told."""
    text = text.strip().strip("'\"")
    if re.match(r"^(\.|/|file:|~)", text):
        return None  # the project itself or a folder beside it
    if "://" in text and "@ " not in text and " @" not in text:
        egg = re.search(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)", text) or re.search(
            r"/([A-Za-z0-9._-]+?)(\.git)?(@[^/]*)?$", text
        )
        if egg is None:
            return None
        return Dependency(canonicalize_name(egg[1]), "", line, True, bool(_FIXED_URL.search(text)), extra)
    try:
        read = Requirement(text)
    except InvalidRequirement:
        loose = _NAME.match(text)
        if loose is None:
            return None
        return Dependency(canonicalize_name(loose[1]), _loose(loose[3].split(";")[0]), line, extra=extra)
    direct = read.url is not None
    return Dependency(
        canonicalize_name(read.name),
        str(read.specifier),
        line,
        direct,
        direct and bool(_FIXED_URL.search(read.url or "")),
        extra,
    )


def _loose(text: str) -> str:
    """A specifier as people write it (`=1.2`, `^1.2`, `1.2.*`, `~1.2`) as PEP 440; empty where it says nothing."""
    clauses = []
    for clause in text.replace(" ", "").split(","):
        version = re.sub(r"^[=<>!~^]+", "", clause)
        if not version or version == "*" or not re.match(r"^v?\d", version):
            continue
        if clause.startswith("^"):
            clauses.extend(_caret(version))
        elif re.match(r"^~[^=]", clause):
            clauses.append(f"=={'.'.join(version.split('.')[:2])}.*")
        elif re.match(r"^(=[^=]|\d)", clause):
            exact = version if version.endswith(".*") else version.rstrip("*").rstrip(".")
            clauses.append(f"=={exact}")
        else:
            clauses.append(clause)
    joined = ",".join(clauses)
    return joined if specifiers(joined) or not joined else ""


def _caret(version: str) -> list[str]:
    """Poetry's `^1.2.3`: up to the next change of the leftmost part that is not zero."""
    numbers = [int(part) for part in re.findall(r"\d+", version)[:3]]
    for index, number in enumerate(numbers):
        if number or index == len(numbers) - 1:
            upper = [*numbers[:index], number + 1]
            return [f">={version}", f"<{'.'.join(map(str, upper))}"]
    return [f">={version}"]


def parse_pyproject(path: str, text: str) -> Declaration | None:
    """PEP 621 with its groups, Poetry, PDM, uv."""
    document = parse_toml(text)
    project, poetry = table(document, "project"), table(document, "tool", "poetry")
    groups = [
        *table(document, "dependency-groups").values(),
        *table(document, "tool", "pdm", "dev-dependencies").values(),
    ]
    groups += [table(document, "tool", "uv").get("dev-dependencies")]
    optional = [*table(project, "optional-dependencies").values(), *groups]
    found = [_at(text, each) for each in strings(project.get("dependencies"))]
    found += [_at(text, each, extra=True) for group in optional for each in strings(group)]
    found += _poetry(text, table(poetry, "dependencies"), extra=False)
    old = [table(poetry, "dev-dependencies")]
    for group in [*old, *(table(each, "dependencies") for each in table(poetry, "group").values())]:
        found += _poetry(text, group, extra=True)
    known = [each for each in found if each is not None and each.name != "python"]
    python = str(project.get("requires-python") or "")
    if not python and "python" in table(poetry, "dependencies"):
        python = _loose_any(table(poetry, "dependencies")["python"])
    managed = "dependencies" in project or "dependencies" in poetry
    dynamic = "dependencies" in strings(project.get("dynamic"))
    if not (managed or dynamic or known):
        return None
    packaged = table(document, "tool", "uv").get("package") is not False and poetry.get("package-mode") is not False
    library = packaged and bool(table(document, "build-system")) and bool(project.get("name") or poetry.get("name"))
    return Declaration(path, "pyproject", known, library, python)


def _at(text: str, requirement: str, *, extra: bool = False) -> Dependency | None:
    name = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    return parse_requirement(requirement, line_of(text, name[0]) if name else 1, extra=extra)


def _loose_any(value: Any) -> str:
    version = value.get("version") if isinstance(value, dict) else value
    return _loose(version) if isinstance(version, str) else ""


def _poetry(text: str, entries: dict[str, Any], *, extra: bool) -> list[Dependency | None]:
    """Poetry's and Pipfile's tables: a version, or a table with version, git, path or url."""
    found: list[Dependency | None] = []
    for name, value in entries.items():
        line = line_of(text, name)
        entry = table(value)
        direct = any(key in entry for key in ("git", "url", "path", "file"))
        fixed = any(key in entry for key in ("rev", "tag", "ref", "url", "path", "file"))
        found.append(Dependency(canonicalize_name(name), _loose_any(value), line, direct, fixed, extra))
    return found


def parse_pipfile(path: str, text: str) -> Declaration:
    """Pipenv's file."""
    document = parse_toml(text)
    found = _poetry(text, table(document, "packages"), extra=False)
    found += _poetry(text, table(document, "dev-packages"), extra=True)
    requires = table(document, "requires")
    python = str(requires.get("python_full_version") or requires.get("python_version") or "")
    return Declaration(path, "Pipfile", [each for each in found if each], python=f"=={python}.*" if python else "")


def parse_setup_cfg(path: str, text: str) -> Declaration | None:
    """setuptools' declarative form; None where it configures tools only."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    if not parser.has_section("metadata") and not parser.has_section("options"):
        return None
    required = parser.get("options", "install_requires", fallback="").splitlines()
    found = [_at(text, line) for line in required if line.strip()]
    if parser.has_section("options.extras_require"):
        for value in dict(parser.items("options.extras_require")).values():
            found += [_at(text, line, extra=True) for line in value.splitlines() if line.strip()]
    python = parser.get("options", "python_requires", fallback="")
    library = parser.has_option("metadata", "name")
    return Declaration(path, "setup.cfg", [each for each in found if each], library, python)


def parse_setup_py(path: str, text: str) -> Declaration | None:
    """Literal arguments of `setup(...)`, also through names that are assigned a literal; the file is never run."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    literals: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            literals[node.targets[0].id] = _literal(node.value, literals)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "setup":
            given = {each.arg: _literal(each.value, literals) for each in node.keywords if each.arg}
            found = [_at(text, each) for each in strings(given.get("install_requires"))]
            extras = given.get("extras_require")
            for group in table(extras).values():
                found += [_at(text, each, extra=True) for each in strings(group)]
            python = given.get("python_requires")
            kept = [each for each in found if each]
            return Declaration(path, "setup.py", kept, True, python if isinstance(python, str) else "")
    return None


def _called(call: ast.Call) -> str:
    return (
        call.func.id
        if isinstance(call.func, ast.Name)
        else call.func.attr
        if isinstance(call.func, ast.Attribute)
        else ""
    )


def _literal(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None


def parse_environment(path: str, text: str) -> Declaration | None:
    """conda's environment; its `pip:` part is requirements. None where it is another kind of YAML."""
    document = parse_yaml(text)
    entries = document.get("dependencies") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return None
    found: list[Dependency | None] = []
    python = ""
    for entry in entries:
        if isinstance(entry, str):
            wanted = entry.split("::")[-1].strip()
            plain = re.match(r"[A-Za-z0-9_][A-Za-z0-9._-]*", wanted)
            if plain is None:
                continue
            one = _conda(plain[0], wanted[len(plain[0]) :], line_of(text, plain[0]))
            if one.name == "python":
                python = one.specifier
            else:
                found.append(one)
        elif isinstance(entry, dict):
            found += [_at(text, each) for each in strings(entry.get("pip")) if not each.startswith("-")]
    includes = [
        _beside(path, each.split(maxsplit=1)[1])
        for entry in entries
        if isinstance(entry, dict)
        for each in strings(entry.get("pip"))
        if re.match(r"(-r|-c)\s+\S", each)
    ]
    return Declaration(path, "environment", [each for each in found if each], python=python, includes=includes)


def _conda(name: str, rest: str, line: int) -> Dependency:
    """`numpy=1.2=build`, `numpy==1.2`, `numpy>=1.2`, `numpy 1.2`, `numpy=1.2.*`."""
    rest = rest.strip()
    exact = re.match(r"^={1,2}\s*([\w.]+?)(\.?\*)?(=.*)?$", rest) or re.match(r"^(\d[\w.]*?)(\.?\*)?(\s.*)?$", rest)
    if exact:
        double = rest.startswith("==")
        return Dependency(canonicalize_name(name), f"=={exact[1]}" + ("" if double else ".*"), line)
    return Dependency(canonicalize_name(name), _loose(rest), line)
