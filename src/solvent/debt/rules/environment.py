"""The environment: what is needed, whether it is declared, and whether the world still has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from solvent.debt.facts import images
from solvent.debt.facts.dependencies import Declaration, Dependency, specifiers
from solvent.debt.facts.releases import (
    BROUGHT_BY,
    BROUGHT_BY_MANY,
    PROVIDERS,
    REMOVED,
    REMOVED_KEYWORDS,
    Removed,
    ended,
)
from solvent.debt.facts.repository import Repository, is_aside, is_test, is_vendored
from solvent.debt.facts.summary import Summary, Use
from solvent.debt.facts.texts import line_of
from solvent.debt.facts.types import words
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule


@rule("ENV001", "undeclared-environment", severity="E", principal="c", driver="T", source="mllint; ML Test Score")
def undeclared_environment(repository: Repository) -> Iterator[Found]:
    """Packages are imported, and nothing in the repository says which.

    Why it costs: nobody can run it anew without guessing packages and versions, and guesses age.
    Fix: a requirements.txt or pyproject.toml with versions, from `pip freeze` where it still runs.
    """
    if repository.declarations or repository.locked or _installs_anywhere(repository):
        return
    for summary in repository.python_files():
        needed = [
            one for one in summary.imports if one.level == 0 and not one.optional and repository.foreign(one.name)
        ]
        known = [one for one in needed if one.name.partition(".")[0] in PROVIDERS]
        if known:
            first = known[0]
            name = first.name.partition(".")[0]
            yield Found(
                first.line, (first.line,), f"`{name}` and others" if len(known) > 1 else f"`{name}`", path=summary.path
            )
            return


def _installs_anywhere(repository: Repository) -> bool:
    """Whether a notebook, a Dockerfile or a script installs packages, or another tool's file names them."""
    if any(summary.installs for summary in repository.summaries.values()):
        return True
    tools = {
        "meta.yaml",
        "flake.nix",
        "shell.nix",
        "default.nix",
        "buildspec.yml",
        "pixi.toml",
        "Singularity",
        "WORKSPACE",
    }
    if any(PurePosixPath(path).name in tools or path.endswith((".def", ".nix")) for path in repository.files):
        return True
    scripts = [
        path
        for path in repository.files
        if path.endswith((".sh", "Makefile", ".md", ".rst")) or images.is_dockerfile(path)
    ]
    texts = (repository.text(path) or "" for path in scripts[:200])
    return any(re.search(r"(pip3?|conda|mamba|uv|poetry)\s+(pip\s+)?(install|add|create)\s", text) for text in texts)


@rule("ENV002", "unpinned", severity="W", principal="b", driver="T", source="mllint; Sculley 2015")
def unpinned(repository: Repository) -> Iterator[Found]:
    """Dependencies of an application without a pin or an upper bound, and no lock file.

    Why it costs: the next install is another environment than the one that was tried.
    Fix: pin what is installed now (`pip freeze`, `uv lock`, `pip-compile`), and raise the pins on purpose.
    """
    for declaration in repository.declarations:
        if not _of_application(repository, declaration):
            continue
        loose = [one for one in declaration.dependencies if not (one.extra or one.bounded or one.name in _TOOLS)]
        if loose:
            names = [one.name for one in loose]
            told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            yield Found(
                loose[0].line, tuple(one.line for one in loose[:5]), told, syntax="unpinned", path=declaration.path
            )


_TOOLS = frozenset({"pip", "setuptools", "wheel", "conda"})
_ASIDE_NAME = re.compile(
    r"(^|[-_.])(dev|develop|test|tests|testing|doc|docs|lint|ci|build|optional|extras?|min|minimal|constraints?)([-_.]|$)",
    re.I,
)


def _of_application(repository: Repository, declaration: Declaration) -> bool:
    """Whether a file decides what an application runs with: no library's, no tool's, none that a lock refines."""
    path = PurePosixPath(declaration.path)
    if declaration.library or declaration.kind in {"setup.cfg", "setup.py"} or _ASIDE_NAME.search(path.stem):
        return False
    if is_test(declaration.path) or is_aside(declaration.path) or _ASIDE_NAME.search(path.parent.name):
        return False
    folders = {str(folder) for folder in path.parents}
    beside = [other for other in repository.declarations if str(PurePosixPath(other.path).parent) in folders]
    if any(other.library for other in beside):
        return False
    if any(str(PurePosixPath(lock).parent) in folders for lock in repository.locked):
        return False
    if any("constraint" in include for include in declaration.includes):
        return False
    return not _compiled(declaration, repository)


def _compiled(declaration: Declaration, repository: Repository) -> bool:
    """Whether another file beside it fixes more than it leaves open: `requirements.in` and its `.txt`, a freeze."""
    folder = PurePosixPath(declaration.path).parent
    open_names = {one.name for one in declaration.dependencies if not one.bounded}
    for other in repository.declarations:
        near = PurePosixPath(other.path).parent
        if other.path != declaration.path and (near == folder or near.parent == folder):
            fixed = {one.name for one in other.dependencies if one.bounded}
            if open_names <= fixed:
                return True
    return False


@rule("ENV003", "missing-dependency", severity="W", principal="a", driver="T", source="mllint; Sculley 2015")
def missing_dependency(repository: Repository) -> Iterator[Found]:
    """A package is imported that the repository's dependency files do not name.

    Why it costs: a fresh install stops at the import, or runs only as long as another package happens to bring it.
    Fix: declare it, with a version.
    """
    if not repository.declarations:
        return
    declared = _declared(repository)
    if declared & {"anaconda", "jupyter-scipy-notebook", "databricks-runtime"} or _rich_images(repository):
        return
    library = any(one.library for one in repository.declarations)
    program = library or any(_imports_others(repository, each) for each in repository.python_files())
    told: set[str] = set()
    for summary in repository.python_files():
        if is_test(summary.path) or (summary.notebook and program) or (library and is_aside(summary.path)):
            continue
        near = _near(repository, summary.path)
        if not near or not all(each.dependencies or each.includes for each in near):
            continue  # nothing governs the file, or something does that cannot be read, such as a computed list
        for one in summary.imports:
            name = one.name.partition(".")[0]
            if one.level or one.optional or (library and one.local) or name in told or not repository.foreign(one.name):
                continue
            if name in PROVIDERS and not declared & set(PROVIDERS[name]) and not _brought(repository, declared, name):
                told.add(name)
                yield Found(one.line, (one.line,), f"`{PROVIDERS[name][0]}`", syntax=name, path=summary.path)


def _imports_others(repository: Repository, summary: Summary) -> bool:
    """Whether a module or script needs packages: then dependency files speak for it, not for notebooks beside it."""
    return not summary.notebook and any(not one.level and repository.foreign(one.name) for one in summary.imports)


def _brought(repository: Repository, declared: set[str], name: str) -> bool:
    """Whether something that is declared brings a package along; a lock that is read would have listed it."""
    if any(repository.locked.values()):
        return False
    return name in BROUGHT_BY_MANY or bool(declared & BROUGHT_BY.get(name, frozenset()))


def _declared(repository: Repository) -> set[str]:
    """Canonical names of all that is declared, locked, or installed by a notebook or a Dockerfile."""
    found = {one.name for each in repository.declarations for one in each.dependencies}
    for lock in repository.locked.values():
        found |= lock.keys()
    installed = [
        each for summary in repository.summaries.values() for line in summary.installs.values() for each in line
    ]
    for path in repository.files:
        if images.is_dockerfile(path) or path.endswith((".sh", "Makefile", ".yml", ".yaml", ".md", ".rst")):
            for command in re.findall(
                r"(?:pip3?|conda|mamba)\s+install\s+((?:.*\\\n)*.*)", repository.text(path) or ""
            ):
                installed += re.findall(r"[A-Za-z][\w.-]+", command)
    found |= {
        str(canonicalize_name(match[0])) for each in installed if (match := re.match(r"[A-Za-z0-9][\w.-]*", each))
    }
    return found


def _rich_images(repository: Repository) -> bool:
    """Whether a base image brings packages of its own."""
    rich = re.compile(
        r"notebook|anaconda|tensorflow|pytorch|sagemaker|databricks|kaggle|deeplearning|nvcr|mlflow|spark"
    )
    return any(rich.search(image.name) for bases in repository.bases.values() for image in bases)


@rule("ENV004", "end-of-life", severity="W", principal="d", driver="T", source="devguide.python.org/versions")
def end_of_life(repository: Repository) -> Iterator[Found]:
    """The Python or base image that is asked for gets no fixes any more.

    Why it costs: security holes stay open, new releases of packages no longer install, and the move gets longer.
    Fix: move to a supported version; a release behind the newest has most packages.
    """
    told: set[str] = set()  # versions that a CI file asks for: the same in ten workflows is one debt
    for path in sorted(repository.files):
        if is_vendored(path) or is_test(path):
            continue
        for line, product, version in _asked(repository, path):
            day = ended(product, version)
            if day and version not in told:
                told |= {version} if images.is_ci(path) else set()
                name = "Python" if product == "python" else product.capitalize()
                yield Found(line, (line,), f"{name} {version} ended on {day}", syntax=f"{product} {version}", path=path)
                break  # one a file


def _asked(repository: Repository, path: str) -> Iterator[tuple[int, str, str]]:
    """(line, product, version) of each interpreter or base image that a file asks for."""
    name = PurePosixPath(path).name
    if name in {".python-version", "runtime.txt"}:
        one = images.parse_runtime(repository.text(path) or "")
        if one is not None:
            yield one.line, "python", one.version
    elif images.is_dockerfile(path):
        for image in repository.bases.get(path, []):
            for product, version in _of_image(image):
                yield image.line, product, version
    elif images.is_ci(path):
        yield from _of_ci(repository.text(path) or "")
    else:
        yield from _of_declaration(repository, path)


def _of_declaration(repository: Repository, path: str) -> Iterator[tuple[int, str, str]]:
    """conda's environments and Pipfiles that fix the interpreter; a lower bound says little."""
    for one in repository.declarations:
        fixed = re.match(r"==(\d\.\d+)", one.python)
        if one.path == path and one.kind in {"environment", "Pipfile"} and fixed:
            yield line_of(repository.text(path) or "", "python"), "python", fixed[1]


def _of_image(image: images.Image) -> Iterator[tuple[str, str]]:
    """Product and version of a base image: `python:3.7-slim-buster` is Python 3.7."""
    last = image.name.rpartition("/")[2]
    if image.computed:
        return
    if last == "python":
        version = re.match(r"\d\.\d+", image.tag)
        if version:
            yield "python", version[0]
    elif last in {"ubuntu", "debian", "centos"}:
        version = re.match(r"\d+(\.\d+)?|[a-z]+", image.tag)
        if version:
            yield last, version[0].partition(".")[0] if last != "ubuntu" else version[0]
    else:
        system = re.search(r"(ubuntu|debian|centos)-?(\d+(?:\.\d+)?)", image.tag)
        if system:
            yield system[1], system[2] if system[1] == "ubuntu" else system[2].partition(".")[0]


def _of_ci(text: str) -> Iterator[tuple[int, str, str]]:
    """The newest Python of a CI file: a matrix that goes from old to new is a library's care, not a debt."""
    asked = [
        (tuple(map(int, one.version.removesuffix("-dev").split(".")[:2])), one.line) for one in images.parse_ci(text)
    ]
    if asked:
        (major, minor), line = max(asked)
        yield line, "python", f"{major}.{minor}"


def python_of(declaration: Declaration) -> str:
    """The one minor version of Python that a declaration allows; empty where it allows newer ones."""
    clauses = list(specifiers(declaration.python))
    exact = [re.match(r"\d\.\d+", clause.version) for clause in clauses if clause.operator in {"==", "~="}]
    return exact[0][0] if len(exact) == 1 and exact[0] and len(clauses) == 1 else ""


@rule("ENV005", "removed-API", severity="E", principal="b", driver="T", source="release notes of each package")
def removed_api(repository: Repository) -> Iterator[Found]:
    """A name or argument is used that newer releases no longer have, and the declared versions allow those releases.

    Why it costs: the next fresh install stops here.
    Fix: use what took its place; or keep the releases out with an upper bound.
    """
    for summary in repository.python_files():
        groups: dict[tuple[str, str], list[tuple[Use, Removed]]] = {}
        for use in sorted(summary.uses, key=lambda one: one.line):
            removed = _removed(use.name)
            if removed is not None and not use.guarded and _allowed(repository, summary.path, removed):
                groups.setdefault((removed.distribution, removed.since), []).append((use, removed))
        for (distribution, since), uses in groups.items():
            first, removed = uses[0]
            names = sorted({use.name for use, _ in uses})
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            told = f"`{first.name}`{more}, gone since {distribution} {since}; instead: {removed.instead}"
            lines = tuple(sorted({use.line for use, _ in uses})[:5])
            yield Found(first.line, lines, told, syntax=first.name, path=summary.path)


def _removed(name: str) -> Removed | None:
    if name.endswith(")"):
        function, _, keyword = name[:-1].rpartition("(")
        return REMOVED_KEYWORDS.get((function, keyword))
    return REMOVED.get(name)


def _allowed(repository: Repository, path: str, removed: Removed) -> bool:
    """Whether the declarations that govern a file let in a release without the name. Silent where none names it."""
    locked = [lock[removed.distribution] for lock in repository.locked.values() if removed.distribution in lock]
    if locked:
        return all(_at_least(version, removed.since) for version in locked)
    if not repository.declarations:
        return not repository.locked
    governing = [one for each in _governing(repository, path) for one in each.dependencies if _is(one, removed)]
    if any(_older_python(each, removed) for each in repository.declarations) or not governing:
        return False
    return all(_lets_in(one.specifier, removed) and not one.direct for one in governing)


def _is(one: Dependency, removed: Removed) -> bool:
    return one.name in {removed.distribution, {"scikit-learn": "sklearn", "torch": "pytorch"}.get(removed.distribution)}


def _governing(repository: Repository, path: str) -> list[Declaration]:
    """Declarations in a file's folder or above; where there are none, all."""
    return _near(repository, path) or repository.declarations


def _near(repository: Repository, path: str) -> list[Declaration]:
    """Declarations in a file's folder or above it; those of a folder of requirements count for its parent."""
    folders = {str(folder) for folder in PurePosixPath(path).parents}
    return [each for each in repository.declarations if _home(each) in folders]


def _home(declaration: Declaration) -> str:
    folder = PurePosixPath(declaration.path).parent
    named = folder.name.lower() in {"requirements", "reqs", "conda", "env", "envs", "environments", "binder", "docker"}
    return str(folder.parent if named else folder)


def _older_python(declaration: Declaration, removed: Removed) -> bool:
    asked = python_of(declaration)
    return bool(asked) and Version(asked) < Version(removed.python)


def _lets_in(specifier: str, removed: Removed) -> bool:
    """Whether a specifier has a release that lacks the name, among those of the table and those it speaks of."""
    allowed = specifiers(specifier)
    spoken = [clause.version.removesuffix(".*") for clause in allowed]
    return any(
        _at_least(each, removed.since) and allowed.contains(each) for each in (removed.since, removed.newest, *spoken)
    )


def _at_least(version: str, since: str) -> bool:
    try:
        return Version(version) >= Version(since)
    except InvalidVersion:
        return False


_OFFICIAL = words("""
    python debian ubuntu alpine centos fedora node nginx redis postgres mysql mongo golang openjdk r-base jupyter
    busybox amazonlinux rockylinux almalinux eclipse-temurin pypy julia httpd rabbitmq traefik
""")


@rule("ENV006", "floating-image", severity="W", principal="a", driver="T", source="Docker: best practices")
def floating_image(repository: Repository) -> Iterator[Found]:
    """A Dockerfile builds on whatever image is the newest.

    Why it costs: the same commit builds another system each month.
    Fix: a tag with a version, better with its digest.
    """
    for path, bases in repository.bases.items():
        for image in bases:
            known = "/" in image.name or image.name in _OFFICIAL  # another name is an image that is built here
            if known and not image.digest and not image.computed and image.tag in {"", "latest"} and not is_test(path):
                yield Found(image.line, (image.line,), f"`{image.name}`", syntax=image.name, path=path)
