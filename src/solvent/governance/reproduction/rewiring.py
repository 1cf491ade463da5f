"""A revision's pipeline made to read the data as it was: every source from the recorded bytes, none from outside."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import msgspec

from solvent.data.versions.naming import fixed_part
from solvent.governance.reproduction.model import Order, RecordedStep
from solvent.pipeline.download import is_url
from solvent.pipeline.planning import with_logged_rows
from solvent.pipeline.spec import PipelineSpec, SourceSpec

ROWS = "rows.parquet"  # of the prediction log, as a file


def put_back(root: Path, steps: list[RecordedStep], spec: PipelineSpec) -> bool:
    """Link the files of partitioned sources to where they lay: they decide which elements the pipeline has.

    spec: as it is without them. Returns: whether it has to be read again.
    """
    linked = False
    for step in steps:
        source, bracket, key = step.step.removesuffix("]").partition("[")
        declared = next((s for s in spec.sources if s.name == source and s.partitions), None)
        if declared is None or not bracket or len(step.files) != 1 or is_url(declared.location):
            continue
        place = root / fixed_part(declared.location) / key
        if not place.exists():
            _link(place, step.files[0].path)
            linked = True
    return linked


def rewired(spec: PipelineSpec, order: Order, names: dict[str, str]) -> PipelineSpec:
    """The spec with the sources of the recorded steps at their recorded bytes, and logged rows as a source.

    Contracts are left out: they were checked then, and change no result. Raises: UnknownStep.
    """
    for place, step in enumerate(order.steps):
        node = names[step.step]
        folder = Path(order.scratch) / f"source-{place}"  # by number: a name may hold signs of a glob
        if step.given:
            spec = _given(spec, step, node, folder)
        elif step.files:
            sources = tuple(_moved(s, step, folder) if s.name == node else s for s in spec.sources)
            spec = msgspec.structs.replace(spec, sources=sources)
    return spec


def _moved(source: SourceSpec, step: RecordedStep, folder: Path) -> SourceSpec:
    """The source at a folder of links to the recorded objects; a glob keeps its pattern."""
    location = source.location
    if len(step.files) == 1 and not step.files[0].name:
        path = PurePosixPath(urlsplit(location).path if is_url(location) else location)
        _link(folder / (path.name or "download"), step.files[0].path)
        return msgspec.structs.replace(source, location=str(folder / (path.name or "download")), contract="")
    for file in step.files:
        _link(folder / file.name, file.path)
    pattern = location if fixed_part(location) == "." else location[len(fixed_part(location)) :].lstrip("/")
    return msgspec.structs.replace(source, location=str(folder / pattern), contract="")


def _given(spec: PipelineSpec, step: RecordedStep, node: str, folder: Path) -> PipelineSpec:
    """What the log gave then, as a source in the place of the step that read the log."""
    extended = with_logged_rows(spec, str(step.recipe.parameters["model"]))
    made = extended.logged[0]
    _link(folder / ROWS, step.files[0].path)
    source = SourceSpec(
        name=made.name, location=str(folder / ROWS), time=None, known_at=None, id=None, contract="", file=node, line=0
    )
    return msgspec.structs.replace(extended, logged=(), sources=(*extended.sources, source))


def _link(place: Path, target: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
