"""The pipeline of a project, from a cache where nothing that it was made from has changed.

A spec is valid as long as every file that the user's modules reach has the same
stat, or at least the same bytes, nothing appeared that would take an import's
place, and interpreter and installed distributions are the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

import solvent
from solvent.foundation.errors import Unexpected, nearest
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import Digest
from solvent.pipeline.environment import environment_digest, installed_distributions
from solvent.pipeline.errors import BadParameter, ChangedMeanwhile, NoPipeline, UnknownStep, by_code
from solvent.pipeline.fingerprint import file_digest
from solvent.pipeline.fingerprint.stamps import Stamp
from solvent.pipeline.messages import Findings, Request
from solvent.pipeline.spec import CacheRules, FileStamp, PipelineSpec, StepSpec

if TYPE_CHECKING:
    from solvent.foundation.settings import Settings

_ATTEMPTS = 3  # to read a pipeline whose files change meanwhile


class Cached(msgspec.Struct, frozen=True, kw_only=True):
    """A spec on disk with what it depends on beside its files. made_ns: wall clock before the files were read."""

    solvent: str
    interpreter: str
    modules: tuple[str, ...]
    made_ns: int
    spec: PipelineSpec


class BrokenChild(Unexpected):
    code = "inspection-failed"


def load_spec(root: Path, settings: Settings, *, cached_only: bool = False) -> PipelineSpec:
    """The project's pipeline, with the settings' parameters, workers and contract rule.

    cached_only: raise NoPipeline instead of importing user code.
    Raises: NoPipeline, BrokenModule, the errors of wiring, UnknownStep, BadParameter.
    """
    root = root.resolve()
    modules = entry_modules(root, settings.pipeline_modules)
    place = root / ".solvent" / "plan" / "spec.json"
    spec = _read_cache(place, root, modules)
    if spec is None:
        if cached_only:
            raise NoPipeline("the pipeline has changed since it was last read", next="`solvent run` reads it")
        spec = _inspect(root, modules, place)
    rules = CacheRules(**{f: getattr(settings.cache, f) for f in CacheRules.__struct_fields__})
    if spec.maps or any(source.partitions for source in spec.sources):
        from solvent.pipeline.expansion import expand

        spec = expand(spec, root)
    spec = with_parameters(spec, settings.parameters, "[parameters] in the settings")
    return msgspec.structs.replace(
        spec, workers=settings.workers, memory=settings.memory, on_break=settings.contracts_on_break, cache=rules
    )


def with_parameters(spec: PipelineSpec, overrides: dict[str, dict[str, Any]], place: str) -> PipelineSpec:
    """The spec with other values for keyword-only parameters. Raises: UnknownStep, BadParameter."""
    changed: dict[str, StepSpec] = {}
    for name, values in overrides.items():
        try:
            steps = _meant(spec, name)
        except UnknownStep as error:
            raise UnknownStep(error.what, where=place, next=error.next) from None
        for step in steps:
            for parameter, value in values.items():
                _refuse_parameter(name, step, parameter, value, place)
            changed[step.name] = msgspec.structs.replace(step, parameters={**step.parameters, **values})
    if not changed:
        return spec
    return msgspec.structs.replace(spec, steps=tuple(changed.get(s.name, s) for s in spec.steps))


def _meant(spec: PipelineSpec, name: str) -> list[StepSpec]:
    """The step of a name, or all elements of what is mapped under it. Raises: UnknownStep."""
    many = set(spec.elements(name))
    return [step for step in spec.steps if step.name in many] or [spec.step(name)]


def _refuse_parameter(name: str, step: StepSpec, parameter: str, value: Any, place: str) -> None:
    """Raises: BadParameter."""
    if parameter not in step.parameters:
        raise BadParameter(
            f"`{name}` has no keyword-only parameter `{parameter}`",
            where=place,
            next=nearest(parameter, list(step.parameters), f"it has: {', '.join(step.parameters) or 'none'}"),
        )
    if parameter in step.mapped:
        raise BadParameter(
            f"`{parameter}` is what tells the elements of `{name}` apart",
            where=place,
            next="change the list in `map`",
        )
    _refuse_other_type(name, parameter, step.parameters[parameter], value, place)


def _refuse_other_type(step: str, parameter: str, default: Any, value: Any, place: str) -> None:
    """A default that is a number wants a number, and so on; None says nothing."""
    number = isinstance(default, int | float) and not isinstance(default, bool)
    fits = (
        isinstance(value, int | float) and not isinstance(value, bool) if number else isinstance(value, type(default))
    )
    if default is not None and value is not None and not fits:
        raise BadParameter(
            f"`{parameter}` of `{step}` is a {type(default).__name__}, got the {type(value).__name__} `{value}`",
            where=place,
        )


def entry_modules(root: Path, configured: list[str]) -> tuple[str, ...]:
    """Names of the modules that hold the pipeline. Raises: NoPipeline."""
    if configured:
        return tuple(configured)
    found = ["pipeline"] if (root / "pipeline.py").exists() else []
    package = root / "pipelines"
    if package.is_dir():
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    if not found:
        raise NoPipeline(
            "no pipeline.py and no package `pipelines`",
            where=str(root),
            next="`solvent init` writes one, or name modules under [pipeline] in solvent.toml",
        )
    return tuple(found)


def _read_cache(place: Path, root: Path, modules: tuple[str, ...]) -> PipelineSpec | None:
    try:
        cached = msgspec.json.decode(place.read_bytes(), type=Cached)
    except (OSError, msgspec.DecodeError):
        return None
    spec, looked_ns = cached.spec, time.time_ns()
    same = (cached.solvent, cached.interpreter, cached.modules) == (solvent.__version__, sys.version, modules)
    if not same or any(os.path.lexists(root / path) for path in cached.spec.absent):
        return None
    if environment_digest(installed_distributions()) != cached.spec.environment:
        return None
    stamps = {name: _restamped(root / name, stamp, cached.made_ns) for name, stamp in cached.spec.files.items()}
    if None in stamps.values():
        return None
    if any(stamp is not cached.spec.files[name] for name, stamp in stamps.items()):
        files = {name: stamp for name, stamp in stamps.items() if stamp is not None}
        _write(
            place, msgspec.structs.replace(cached, made_ns=looked_ns, spec=msgspec.structs.replace(spec, files=files))
        )
    return spec


def _restamped(path: Path, stamp: FileStamp, made_ns: int) -> FileStamp | None:
    """The stamp where it still holds, a new one where the file has another stat and the same bytes, else None."""
    try:
        now = Stamp.of(path.stat())
    except OSError:
        return None
    same = now == Stamp(stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode)
    if same and now.settled(made_ns):
        return stamp
    if now.size != stamp.size or file_digest(path) != stamp.digest:
        return None
    return _stamp(now, stamp.digest)


def _stamp(stat: Stamp, digest: Digest) -> FileStamp:
    return FileStamp(size=stat.size, mtime_ns=stat.mtime_ns, ctime_ns=stat.ctime_ns, inode=stat.inode, digest=digest)


def _inspect(root: Path, modules: tuple[str, ...], place: Path) -> PipelineSpec:
    from solvent.pipeline.documents import keep_document

    for _ in range(_ATTEMPTS):
        made_ns = time.time_ns()
        findings = _ask_child(root, modules)
        if findings.error is not None:
            error = findings.error
            raise by_code(error["code"])(error["what"], where=error["where"], next=error["next"])
        files = _stamps(root, findings.files)
        if files is not None:
            break
    else:
        raise ChangedMeanwhile("the pipeline's files change while they are read", next="run again when they rest")
    distributions = installed_distributions()
    spec = PipelineSpec(
        steps=findings.steps,
        sources=findings.sources,
        models=findings.models,
        maps=findings.maps,
        files=files,
        absent=findings.absent,
        modules=modules,
        environment=environment_digest(distributions),
        distributions=distributions,
        code=keep_document(root, findings.code),
    )
    cached = Cached(solvent=solvent.__version__, interpreter=sys.version, modules=modules, made_ns=made_ns, spec=spec)
    _write(place, cached)
    return spec


def _write(place: Path, cached: Cached) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    staged = place.with_suffix(f".{uuid7()}")
    staged.write_bytes(msgspec.json.encode(cached))
    staged.replace(place)


def _stamps(root: Path, files: dict[str, Digest]) -> dict[str, FileStamp] | None:
    """Stat and digest of each file; None where one is no longer what the child read."""
    stamps = {}
    for name, digest in files.items():
        try:
            stat = Stamp.of((root / name).stat())
            if file_digest(root / name) != digest:
                return None
        except OSError:
            return None
        stamps[name] = _stamp(stat, digest)
    return stamps


def _ask_child(root: Path, modules: tuple[str, ...]) -> Findings:
    with tempfile.TemporaryDirectory(prefix="solvent-") as folder:
        request, answer = Path(folder) / "request.json", Path(folder) / "answer.json"
        request.write_bytes(msgspec.json.encode(Request(str(root), list(modules))))
        command = [sys.executable, "-m", "solvent.pipeline.inspection", str(request), str(answer)]
        done = subprocess.run(command, cwd=root, env=child_environment(), capture_output=True, text=True, check=False)
        if not answer.exists():
            raise BrokenChild(
                f"the process that reads the pipeline ended with {done.returncode}: {done.stderr.strip()[-2000:]}"
            )
        return msgspec.json.decode(answer.read_bytes(), type=Findings)


def child_environment() -> dict[str, str]:
    """The environment of a child process: ours, with the place that this package came from.

    No bytecode is written: Python compares it with its source by whole seconds and
    size, so a quick edit could run as what it was before.
    """
    home = str(Path(solvent.__file__).parent.parent)
    paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONDONTWRITEBYTECODE": "1"}
