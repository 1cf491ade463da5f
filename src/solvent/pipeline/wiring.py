"""From names to edges: which output each parameter consumes. Pure.

A bare name means, in this order, what `bind` says, the producer of that name in
the step's own module, the only producer of that name elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from solvent.foundation.errors import nearest
from solvent.pipeline.agreement import MANY, one_of_many
from solvent.pipeline.errors import BadStep, Cycle, EdgeTypes, MissingInput, TwoProducers
from solvent.pipeline.spec import RESULT, InputSpec, OutputSpec, Ref


class Producer(NamedTuple):
    """Something that makes a value: where it stands and what it is. family: of serialiser, '' unknown."""

    ref: Ref
    place: str
    annotation: str
    label: str


class Consumer(NamedTuple):
    """A step before wiring. parameters: (name, annotation, has a default) of the positional ones.

    each: those that take the elements of many one by one.
    """

    name: str
    module: str
    place: str
    parameters: tuple[tuple[str, str, bool], ...]
    bindings: dict[str, Ref]
    outputs: tuple[OutputSpec, ...]
    several: bool
    each: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        return self.name.rpartition(".")[2]


Agree = Callable[[str, str], bool]


Producers = dict[str, dict[str, list[Producer]]]  # module → bare name → who makes it


def producers_by_module(steps: list[Consumer]) -> Producers:
    """The outputs of steps; those of sources and maps are added."""
    table: Producers = {}
    for step in steps:
        add_producers(table, step.module, step.name, step.place, step.outputs, several=step.several)
    return table


def add_producers(
    table: Producers, module: str, name: str, place: str, outputs: tuple[OutputSpec, ...], *, several: bool
) -> None:
    """The outputs of a node by its full name; several: each goes by a name of its own."""
    short = name.rpartition(".")[2]
    names = table.setdefault(module, {})
    for output in outputs:
        bare, label = (output.name, f"{short}.{output.name}") if several else (short, short)
        ref = Ref(node=name, output=output.name)
        names.setdefault(bare, []).append(Producer(ref, place, output.annotation, label))


def refuse_two_producers(table: Producers, steps: list[Consumer]) -> None:
    """Raises: TwoProducers where one module makes one name twice, naming both places."""
    full: dict[str, str] = {}
    for step in steps:
        if step.name in full:
            raise _two(step.name.rpartition(".")[2], full[step.name], step.place)
        full[step.name] = step.place
    for names in table.values():
        for name, found in names.items():
            if len(found) > 1:
                raise _two(name, found[0].place, found[1].place)


def _two(name: str, first: str, second: str) -> TwoProducers:
    return TwoProducers(f"`{name}` is made twice: in {first} and in {second}", where=second, next="rename one of them")


def wire(
    step: Consumer,
    table: Producers,
    known: dict[Ref, Producer],
    agree: Agree,
    mapped: Mapping[str, str] = MappingProxyType({}),
) -> tuple[InputSpec, ...]:
    """The inputs of one step.

    known: every output by reference. agree: whether a producer's annotation fits a consumer's.
    mapped: names of steps that exist only as elements → what all elements are called.
    Raises: MissingInput, TwoProducers, EdgeTypes, BadStep.
    """
    unknown = set(step.bindings) - {name for name, _, _ in step.parameters}
    if unknown:
        name = min(unknown)
        hint = nearest(name, [n for n, _, _ in step.parameters], "bind names positional parameters")
        raise BadStep(f"`{step.label}` has no positional parameter `{name}` to bind", where=step.place, next=hint)
    inputs = []
    for name, annotation, optional in step.parameters:
        producer = _find(step, name, optional, table, known, mapped)
        if producer is None:
            continue
        produced = one_of_many(producer.annotation) if name in step.each else producer.annotation
        if not agree(produced, annotation):
            raise EdgeTypes(
                f"`{step.label}` takes `{name}` as `{annotation}`, "
                f"but `{producer.label}` ({producer.place}) makes {_made(produced)}",
                where=step.place,
                next="annotate it list[...] or dict[str, ...], or map over it"
                if produced.startswith(MANY)
                else "make the two annotations agree",
            )
        inputs.append(InputSpec(parameter=name, producer=producer.ref, annotation=annotation))
    return tuple(inputs)


def _made(annotation: str) -> str:
    """An annotation for people."""
    if annotation.startswith(MANY):
        return f"many of {_made(one_of_many(annotation))}"
    return "a source's table" if annotation == "source" else f"`{annotation}`"


def _find(
    step: Consumer,
    name: str,
    optional: bool,
    table: Producers,
    known: dict[Ref, Producer],
    mapped: Mapping[str, str],
) -> Producer | None:
    if name in step.bindings:
        return _bound(step, name, step.bindings[name], known)
    own = table.get(step.module, {}).get(name, [])
    elsewhere = [p for module, names in table.items() if module != step.module for p in names.get(name, [])]
    found = [p for p in own or elsewhere if p.ref.node != step.name]
    if len(found) == 1:
        return found[0]
    if found:
        places = " and ".join(f"`{p.ref.node}` ({p.place})" for p in found)
        raise TwoProducers(
            f"`{name}`, which `{step.label}` takes, is made by {places}",
            where=step.place,
            next=f"say which: bind({name}=…)",
        )
    if optional:
        return None
    several = [p for p in known.values() if p.label.rpartition(".")[0] == name]
    if name in mapped:
        hint = f"`{name}` is mapped: take all of them as `{mapped[name]}: list[...]`, or map over `{mapped[name]}`"
    elif several:
        hint = f"`{name}` has several outputs: take {' or '.join(f'`{p.ref.output}`' for p in several)}"
    else:
        names = sorted({n for by_name in table.values() for n in by_name})
        hint = nearest(name, names, "declare a source or a step of that name, or make the parameter keyword-only")
    raise MissingInput(f"nothing makes `{name}`, which `{step.label}` takes", where=step.place, next=hint)


def _bound(step: Consumer, name: str, ref: Ref, known: dict[Ref, Producer]) -> Producer:
    if ref in known:
        return known[ref]
    outputs = [p for p in known.values() if p.ref.node == ref.node]
    if ref.output == RESULT:
        hint = f"name one: {', '.join(p.label for p in outputs)}"
        raise BadStep(
            f"`{name}` of `{step.label}` is bound to a step with several outputs", where=step.place, next=hint
        )
    hint = nearest(ref.output, [p.ref.output for p in outputs], "it has one output: bind the step itself")
    raise BadStep(f"`{ref.node}` has no output `{ref.output}`", where=step.place, next=hint)


def refuse_cycles(inputs: dict[str, tuple[InputSpec, ...]], places: dict[str, str]) -> None:
    """Raises: Cycle, naming its steps in order with the place of the first."""
    done: set[str] = set()
    for start in inputs:
        path: dict[str, Iterator[InputSpec]] = {}  # the steps on the way here, each with what is left to look at
        name: str | None = start if start not in done else None
        while name is not None:
            ahead = path.setdefault(name, iter(inputs[name]))
            node = next(
                (i.producer.node for i in ahead if i.producer.node in inputs and i.producer.node not in done), None
            )
            if node in path:
                raise _cycle(list(path), str(node), places)
            if node is None:
                done.add(name)
                del path[name]
                node = next(reversed(path), None)
            name = node


def _cycle(path: list[str], name: str, places: dict[str, str]) -> Cycle:
    circle = [*path[path.index(name) :], name]
    shown = " → ".join(n.rpartition(".")[2] for n in circle)
    where = ", ".join(places[n] for n in circle[:-1])
    return Cycle(f"steps wait for each other: {shown}", where=where, next="break the circle")
