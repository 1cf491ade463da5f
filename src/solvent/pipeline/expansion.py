"""From `step.map(...)` and partitioned sources to the steps that there are now: one for each element.

An element is a step like any other, with a recipe of its own, so only new and changed
ones run. Which partitions there are is looked up whenever the pipeline is.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from solvent.data.versions.naming import fixed_part
from solvent.lineage.digests import canonical, digest_value
from solvent.pipeline.gathering import member_annotation, member_name
from solvent.pipeline.sources import files_of
from solvent.pipeline.spec import InputSpec, MapSpec, PipelineSpec, Ref, SourceSpec, StepSpec

_LONGEST = 40  # characters of a value in the name of an element


class Element(NamedTuple):
    """One of many. key: what tells it apart, in its name's brackets."""

    key: str
    node: str


def expand(spec: PipelineSpec, root: Path) -> PipelineSpec:
    """The pipeline with an element for each partition and each combination of values."""
    sources: list[SourceSpec] = []
    groups: dict[str, list[Element]] = {}
    for source in spec.sources:
        parts = _partitions(source, root) if source.partitions else {}
        sources += parts.values() if parts else [source]
        if source.partitions:
            groups[source.name] = [Element(key, part.name) for key, part in parts.items()] or [Element("", source.name)]
    elements: list[StepSpec] = []
    for mapped in _in_order(spec.maps):
        found = _elements(mapped, groups)
        groups[mapped.name] = [Element(key, step.name) for key, step in found.items()]
        elements += found.values()
    steps = tuple(_gathered(step, groups) for step in (*spec.steps, *elements))
    named = {name: tuple(element.node for element in many) for name, many in groups.items()}
    return msgspec.structs.replace(spec, steps=steps, sources=tuple(sources), groups=named, maps=())


def _partitions(source: SourceSpec, root: Path) -> dict[str, SourceSpec]:
    """A source for each file. A contract is checked where there is one; none is inferred from a part."""
    base = root / fixed_part(source.location)
    contract = source.contract if source.contract and (root / source.contract).exists() else ""
    found = {}
    for path in files_of(source, base):
        key = path.relative_to(base).as_posix() if path != base else path.name
        place = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        name = member_name(source.name, key)
        found[key] = msgspec.structs.replace(source, name=name, location=place, contract=contract, partitions=False)
    return found


def _in_order(maps: tuple[MapSpec, ...]) -> list[MapSpec]:
    """Those that are mapped over come before those that map over them."""
    left, ordered = list(maps), list[MapSpec]()
    names = {mapped.name for mapped in maps}
    while left:
        done = names - {mapped.name for mapped in left}
        ready = [m for m in left if all(group in done or group not in names for group in m.over.values())]
        ordered += ready
        left = [m for m in left if m not in ready]
    return ordered


def _elements(mapped: MapSpec, groups: dict[str, list[Element]]) -> dict[str, StepSpec]:
    """The steps of a map by key: for each element that it goes over, each combination of values."""
    found = {}
    for over, combination in product(_ways(mapped, groups), product(*mapped.values.values())):
        chosen = dict(zip(mapped.values, combination, strict=True))
        parts = [e.key for e in over.values()] + [f"{name}={_shown(value)}" for name, value in chosen.items()]
        key = ",".join(parts)
        inputs = tuple(
            msgspec.structs.replace(i, producer=_of(over[i.parameter], i)) if i.parameter in over else i
            for i in mapped.step.inputs
        )
        found[key] = msgspec.structs.replace(
            mapped.step,
            name=member_name(mapped.step.name, key),
            inputs=inputs,
            parameters={**mapped.step.parameters, **chosen},
            mapped=tuple(chosen),
        )
    return found


def _ways(mapped: MapSpec, groups: dict[str, list[Element]]) -> list[dict[str, Element]]:
    ways = [[(parameter, element) for element in groups[group]] for parameter, group in mapped.over.items()]
    return [dict(way) for way in product(*ways)]


def _gathered(step: StepSpec, groups: dict[str, list[Element]]) -> StepSpec:
    """A step that takes all elements of a group, with an input for each."""
    wholes = {i.parameter: i.annotation for i in step.inputs if i.producer.node in groups}
    if not wholes:
        return step
    inputs: list[InputSpec] = []
    for given in step.inputs:
        if given.parameter not in wholes:
            inputs.append(given)
            continue
        inputs += [
            InputSpec(
                parameter=member_name(given.parameter, element.key),
                producer=_of(element, given),
                annotation=member_annotation(given.annotation),
            )
            for element in groups[given.producer.node]
        ]
    return msgspec.structs.replace(step, inputs=tuple(inputs), gathers=wholes)


def _of(element: Element, given: InputSpec) -> Ref:
    """What an element makes for an input that is wired to the whole."""
    return msgspec.structs.replace(given.producer, node=element.node)


def _shown(value: Any) -> str:
    """A value in a name; a long one by its digest."""
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= _LONGEST else digest_value(value)[:12]
