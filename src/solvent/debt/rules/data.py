"""Data that nobody declared, that changes under its name, or that lies where it should not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import md5
from pathlib import PurePosixPath

from solvent.debt.facts.repository import Repository, is_test, is_vendored
from solvent.debt.facts.stages import Lock, Script, Stage, joined, parse_dvc_lock, parse_stages, scripts
from solvent.debt.facts.summary import Access
from solvent.debt.facts.types import words
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule

DATA_SUFFIXES = words("""
    .csv .tsv .parquet .pq .feather .arrow .json .jsonl .ndjson .npy .npz .h5 .hdf5 .pkl .pickle .xlsx .xls .avro
    .orc .sqlite .sqlite3 .db .mat .rds .sav .dta .zip .gz .tgz .tar .bz2 .xz .7z .txt .xml .dat .data .arff
    .tfrecord
""")
LARGE = 5_000_000  # bytes


def _stages(repository: Repository) -> list[Stage]:
    paths = sorted(
        path for path in repository.files if PurePosixPath(path).name == "dvc.yaml" and not is_vendored(path)
    )
    return [stage for path in paths for stage in parse_stages(path, repository.text(path) or "")]


def _covered(path: str, declared: set[str]) -> bool:
    """Whether a path is declared, or lies in a folder that is, or is a folder that holds what is."""
    return any(path == each or path.startswith(f"{each}/") or each.startswith(f"{path}/") for each in declared)


@rule(
    "DAT001",
    "undeclared-read",
    severity="W",
    principal="b",
    driver="R",
    source="Sculley 2015: undeclared consumers",
    preview=True,
)
def undeclared_read(repository: Repository) -> Iterator[Found]:
    """A file is read that the project's pipeline knows nothing of.

    Why it costs: it changes or goes missing, and nothing runs again or says why.
    Fix: make it a dependency of the stage, or a source of the pipeline.
    """
    stages = _stages(repository)
    if not stages:
        return
    declared = {path for stage in stages for path in (*stage.deps, *stage.outs, *stage.params)}
    declared |= {path.removesuffix(".dvc") for path in repository.files if path.endswith(".dvc")}
    run = {script.path for stage in stages for script in scripts(stage)}
    written = {
        joined("", access.path) for each in repository.summaries.values() for access in each.accesses if access.write
    }
    for summary in repository.python_files():
        if is_test(summary.path) or summary.notebook or summary.path in run:
            continue  # what a stage's own script reads is the business of stage-lies
        for access in summary.accesses:
            path = joined("", access.path)
            if access.write or not _is_data(path) or path in written or _covered(path, declared):
                continue
            beside = joined(str(PurePosixPath(summary.path).parent), access.path)
            if not {path, beside} & repository.files.keys() and not _covered(beside, declared):
                yield Found(
                    access.line, (access.line,), f"`{path}`", scope=access.scope, syntax=path, path=summary.path
                )


def _is_data(path: str) -> bool:
    inside = not path.startswith(("/", "~", "..", "{")) and ":" not in path and "{" not in path
    return inside and PurePosixPath(path).suffix.lower() in DATA_SUFFIXES - {
        ".txt",
        ".json",
        ".xml",
        ".zip",
        ".gz",
        ".pkl",
        ".pickle",
    }


@rule("DAT003", "stage-lies", severity="W", principal="b", driver="R", source="DVC: dvc.yaml")
def stage_lies(repository: Repository) -> Iterator[Found]:
    """A stage's script reads or writes a file that the stage does not declare.

    Why it costs: the file changes and the stage is still called up to date; or its output is not kept.
    Fix: add it to `deps`, `outs`, `metrics` or `plots` of the stage.
    """
    stages = _stages(repository)
    for path, pairs in _by_script(stages).items():
        summary = repository.summaries.get(path)
        if summary is None or any(stage.templated for stage, _ in pairs):
            continue
        first = pairs[0][0]
        ins = {each for stage, _ in pairs for each in (*stage.deps, *stage.outs, *stage.params)}
        outs = {each for stage, _ in pairs for each in stage.outs}
        told: set[str] = set()
        for access in summary.accesses:
            for place in _places(access, pairs):
                lies = not _covered(place, outs if access.write else ins | _defaults(pairs))
                if lies and place not in told and _matters(access, place):
                    told.add(place)
                    verb = "writes" if access.write else "reads"
                    said = f"stage `{first.name}` {verb} `{place}` undeclared"
                    yield Found(access.line, (access.line,), said, scope=access.scope, syntax=place, path=path)


def _by_script(stages: list[Stage]) -> dict[str, list[tuple[Stage, Script]]]:
    found: dict[str, list[tuple[Stage, Script]]] = {}
    for stage in stages:
        for script in scripts(stage):
            found.setdefault(script.path, []).append((stage, script))
    return found


def _defaults(pairs: list[tuple[Stage, Script]]) -> set[str]:
    """The script itself, and the file of parameters that a stage with `params` reads."""
    return {path for stage, script in pairs for path in (*stage.params, script.path)}


def _places(access: Access, pairs: list[tuple[Stage, Script]]) -> Iterator[str]:
    """Repository paths that an access means in each stage; none where an argument is missing or it leaves the tree."""
    for stage, script in pairs:
        path = access.path
        for number in {int(each) for each in re.findall(r"\{(\d+)\}", path)}:
            given = script.arguments[number - 1] if number <= len(script.arguments) else ""
            path = path.replace(f"{{{number}}}", given if given and not given.startswith("-") else "\0")
        place = joined(stage.folder, path)
        if (
            path
            and "\0" not in path
            and not place.startswith(("/", "~", ".."))
            and "://" not in place
            and "*" not in place
        ):
            yield place


def _matters(access: Access, place: str) -> bool:
    """Logs, caches, code and live folders of experiment trackers are nobody's dependency."""
    first = place.partition("/")[0]
    if first in {"dvclive", "mlruns", "logs", "log", "tmp", "temp", "wandb", "runs", ".dvc", "lightning_logs"}:
        return False
    suffix = PurePosixPath(place).suffix.lower()
    listed = access.by in {"os.listdir", "os.walk", "os.scandir", "glob.glob", "torchvision.datasets.ImageFolder"}
    return suffix not in {"", ".log", ".py", ".lock", ".env", ".md", ".tmp"} or listed


@rule("DAT005", "stale-lock", severity="W", principal="c", driver="R", source="DVC: dvc.lock")
def stale_lock(repository: Repository) -> Iterator[Found]:
    """dvc.lock says that a stage ran with another command, other dependencies or other files than there are now.

    Why it costs: the results in the repository are not those of its code and data; nobody can tell which are.
    Fix: `dvc repro`, then commit the lock with the change.
    """
    for path in sorted(repository.files):
        if PurePosixPath(path).name != "dvc.lock" or is_vendored(path):
            continue
        locks = parse_dvc_lock(repository.text(path) or "")
        beside = str(PurePosixPath(path).with_name("dvc.yaml"))
        for stage in parse_stages(beside, repository.text(beside) or ""):
            lock = locks.get(stage.name)
            said = _staleness(repository, stage, lock) if lock is not None and not stage.templated else ""
            if said:
                yield Found(stage.line, (stage.line,), f"stage `{stage.name}`: {said}", syntax=stage.name, path=beside)


def _staleness(repository: Repository, stage: Stage, lock: Lock) -> str:
    """Why a lock does not fit its stage; empty where it fits as far as the tree can tell."""
    if [_words(each) for each in lock.cmd] != [_words(each) for each in stage.cmd]:
        return "another command"
    locked = {joined(stage.folder, each): value for each, value in lock.deps.items()}
    if set(locked) != set(stage.deps):
        return f"other dependencies (`{sorted(set(locked) ^ set(stage.deps))[0]}`)"
    for dep, digest in locked.items():
        entry = repository.files.get(dep)
        if entry is None or not entry.tracked or not digest or entry.size > LARGE:
            continue
        if digest not in _digests(repository.bytes_of(dep)):
            return f"`{dep}` has changed since"
    return ""


def _words(command: str) -> list[str]:
    return command.split()


def _digests(content: bytes) -> set[str]:
    """DVC's MD5 of a file, with the line ends of any system: before its version 3, text was hashed with Unix ones."""
    variants = {content, content.replace(b"\r\n", b"\n"), content.replace(b"\n", b"\r\n")}
    return {md5(each, usedforsecurity=False).hexdigest() for each in variants}


@rule("DAT004", "data-in-git", severity="W", principal="c", driver="C", source="mllint; pynblint")
def data_in_git(repository: Repository) -> Iterator[Found]:
    """A large file of data or of a model is kept in git.

    Why it costs: every clone carries every version of it for ever, and git shows nothing of what changed in it.
    Fix: a data versioner (`solvent data add`, DVC, Git LFS), and git for code.
    """
    if not repository.git:
        return
    for path in sorted(repository.files):
        entry = repository.files[path]
        data = PurePosixPath(path).suffix.lower() in DATA_SUFFIXES
        if data and entry.tracked and entry.size > LARGE and not is_test(path) and not is_vendored(path):
            yield Found(1, (), f"{entry.size / 1e6:.0f} MB", syntax="data", path=path)


@rule(
    "DAT002",
    "mutable-remote",
    severity="W",
    principal="b",
    driver="T",
    source="Sculley 2015: unstable data dependencies",
)
def mutable_remote(repository: Repository) -> Iterator[Found]:
    """Data is read from an address whose content its owner may change: a branch, or `latest`.

    Why it costs: the same commit gives other results next month, and nothing here changed.
    Fix: an address with a commit or version, and a checksum; or keep a copy under version control.
    """
    for summary in repository.python_files():
        for one in () if is_test(summary.path) else summary.remotes:
            if not _of_this_repository(repository, one.address):
                lines = tuple(sorted({one.line, one.origin}))
                yield Found(one.line, lines, syntax=one.syntax, path=summary.path)


def _of_this_repository(repository: Repository, address: str) -> bool:
    """Whether the file that is fetched lies here too: its owner is who reads this."""
    path = re.sub(r"^https?://[^/]+/[^/]+/[^/]+/(raw/|blob/)?(refs/heads/)?[^/]+/", "", address)
    return path in repository.files
