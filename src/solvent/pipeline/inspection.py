"""The child process that imports the user's modules and says what they declare.

`python -m solvent.pipeline.inspection REQUEST ANSWER`: two files of JSON, so that
whatever the user's modules print is no answer. The parent is `discover`.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from solvent.data.versions.naming import fixed_part
from solvent.foundation.errors import SolventError, nearest
from solvent.pipeline.agreement import agree, resolve
from solvent.pipeline.annotations import ModuleNames
from solvent.pipeline.declarations import Many, Mapped, Model, Output, Over, Source, Step
from solvent.pipeline.download import is_url
from solvent.pipeline.environment import interpreter
from solvent.pipeline.errors import BadDeclaration, BadStep, BrokenModule
from solvent.pipeline.fingerprint.code import CodeMap, StepCode
from solvent.pipeline.imports import import_from_text
from solvent.pipeline.messages import Findings, Request
from solvent.pipeline.spec import RESULT, MapSpec, ModelSpec, OutputSpec, Ref, SourceSpec, StepSpec
from solvent.pipeline.wiring import (
    Consumer,
    Producer,
    add_producers,
    producers_by_module,
    refuse_cycles,
    refuse_two_producers,
    wire,
)


class Found(NamedTuple):
    """A declaration with the module that owns it and the variable that it is assigned to."""

    value: Any
    module: ModuleType
    variable: str


def look(root: Path, modules: list[str]) -> Findings:
    """Import the modules and describe their pipeline. Raises: the errors of `pipeline.errors`."""
    imported = [import_module(name, root) for name in modules]
    found = collect(imported)
    return Inspection(root, imported, found).findings()


def import_module(name: str, root: Path) -> ModuleType:
    """Import a user's module. Raises: BrokenModule with file and line."""
    try:
        return importlib.import_module(name)
    except SolventError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        if isinstance(error, SyntaxError):
            where = f"{_relative(Path(error.filename or name), root)}:{error.lineno}"
        else:
            frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(root)]
            where = f"{_relative(Path(frames[-1].filename), root)}:{frames[-1].lineno}" if frames else name
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise BrokenModule(f"`{name}` cannot be imported: {text}", where=where) from error


def collect(modules: list[ModuleType]) -> list[Found]:
    """Each declaration once, with the module in which it is written where that is one of these."""
    seen: dict[int, list[Found]] = {}
    for module in modules:
        for variable, value in vars(module).items():
            if isinstance(value, Step | Source | Model | Mapped):
                seen.setdefault(id(value), []).append(Found(value, module, variable))
    return [next((f for f in places if _is_home(f)), places[0]) for places in seen.values()]


def _is_step(found: Found) -> bool:
    return isinstance(found.value, Step)


def _is_home(found: Found) -> bool:
    place = found.value.__solvent__.place if isinstance(found.value, Step | Mapped) else found.value.place
    if place:
        return place.rpartition(":")[0] == found.module.__file__
    return bool(found.value.__wrapped__.__module__ == found.module.__name__)


class Inspection:
    """Declarations → specs. root: the project's folder; modules: those looked at, imported."""

    def __init__(self, root: Path, modules: list[ModuleType], found: list[Found]) -> None:
        self.root = root
        self.modules = modules
        self.found = found
        self.parsed: dict[str, ModuleNames] = {}
        sources = [f.value for f in found if isinstance(f.value, Source) and not is_url(f.value.location)]
        declared = [root / fixed_part(s.location) for s in sources]
        self.code = CodeMap(root, search_paths(root), declared, root / ".solvent")

    def findings(self) -> Findings:
        homes = [*self.modules, *(sys.modules[f.value.__wrapped__.__module__] for f in self.found if _is_step(f))]
        files = {module.__name__: inspect.getfile(module) for module in homes}
        self.code.prepare((n, str(Path(f).resolve())) for n, f in files.items() if self.code.finder.is_project(f))
        sources = tuple(self._source(f) for f in self.found if isinstance(f.value, Source))
        steps, maps = self._steps()
        models = tuple(self._model(f) for f in self.found if isinstance(f.value, Model))
        document = self._document([*steps, *(m.step for m in maps)])
        self.code.modules.save()
        return Findings(
            steps=steps,
            sources=sources,
            models=models,
            maps=maps,
            files=self.code.files(),
            absent=tuple(self.code.absent()),
            code=document,
        )

    def _document(self, steps: list[StepSpec]) -> dict[str, Any]:
        """What each step's code was, for later: see `changes`."""
        facts = {
            s.name: {
                "root": s.root, "distributions": s.distributions, "native": s.native, "doubts": s.notes,
                "interpreter": interpreter(), "whole": s.whole,
            }
            for s in steps
        }  # fmt: skip
        return {"symbols": self.code.document(s.root for s in steps if s.root), "steps": facts}

    def _steps(self) -> tuple[tuple[StepSpec, ...], tuple[MapSpec, ...]]:
        maps = [f for f in self.found if isinstance(f.value, Mapped)]
        mapped = self._only_mapped(maps)
        found = [f for f in self.found if isinstance(f.value, Step) and id(f.value) not in mapped]
        consumers = [self._consumer(f) for f in found]
        templates = [self._template(f) for f in maps]
        sources = [f for f in self.found if isinstance(f.value, Source)]
        table = producers_by_module(consumers)
        for f in sources:
            annotation = "many[source]" if f.value.partitions else "source"
            one = (OutputSpec(name=RESULT, annotation=annotation),)
            add_producers(table, f.module.__name__, self._name(f), self._place(f.value.place), one, several=False)
        for f, t in zip(maps, templates, strict=True):
            many = tuple(OutputSpec(name=o.name, annotation=f"many[{o.annotation}]") for o in t.outputs)
            place = self._place(f.value.__solvent__.place)
            add_producers(table, f.module.__name__, self._name(f), place, many, several=t.several)
        refuse_two_producers(table, [*consumers, *templates])
        known: dict[Ref, Producer] = {p.ref: p for names in table.values() for made in names.values() for p in made}
        hints = {
            over.step.__wrapped__.__name__: f.variable
            for f in maps
            for over in [f.value.__solvent__]
            if id(over.step) in mapped
        }
        inputs = {c.name: wire(c, table, known, agree, hints) for c in (*consumers, *templates)}
        whole = {t.name: self._name(f) for f, t in zip(maps, templates, strict=True)}
        waits = {whole.get(name, name): given for name, given in inputs.items()}
        refuse_cycles(waits, {whole.get(c.name, c.name): c.place for c in (*consumers, *templates)})
        steps = tuple(self._step(f, c, inputs[c.name]) for f, c in zip(found, consumers, strict=True))
        return steps, tuple(self._map(f, t, inputs[t.name]) for f, t in zip(maps, templates, strict=True))

    def _only_mapped(self, maps: list[Found]) -> set[int]:
        """Ids of the steps that exist only as the elements of maps: nothing else names them."""
        named = {id(node) for f in self.found for node in _named_by(f.value)}
        return {id(f.value.__solvent__.step) for f in maps} - named

    def _template(self, found: Found) -> Consumer:
        """What the elements of a map have in common, before wiring. Raises: BadStep."""
        declared: Over = found.value.__solvent__
        step = self._consumer(Found(declared.step, found.module, declared.name or declared.step.__wrapped__.__name__))
        place = self._place(declared.place)
        over = dict(declared.inputs)
        if declared.over is not None:
            over[self._parameter_for(declared.over, step, place)] = declared.over
        bindings = {**step.bindings, **{p: self._ref(producer, place) for p, producer in over.items()}}
        name = f"{found.module.__name__}.{declared.name or step.label}"
        return step._replace(name=name, bindings=bindings, each=frozenset(over))

    def _parameter_for(self, over: Many, step: Consumer, place: str) -> str:
        """The parameter that what a step is mapped over goes to. Raises: BadStep."""
        names = [name for name, _, _ in step.parameters]
        variable = (
            over.name if isinstance(over, Output) else next((f.variable for f in self.found if f.value is over), "")
        )
        if variable in names:
            return variable
        if len(names) == 1:
            return names[0]
        raise BadStep(
            f"`{step.label}` takes {', '.join(f'`{n}`' for n in names) or 'nothing'}: which of them is mapped?",
            where=place,
            next=f"write map({names[0] if names else 'parameter'}={variable or '…'})",
        )

    def _map(self, found: Found, template: Consumer, inputs: Any) -> MapSpec:
        declared: Over = found.value.__solvent__
        step = self._step(Found(declared.step, found.module, found.variable), template, inputs)
        place = self._place(declared.place)
        for parameter, values in declared.values.items():
            if parameter not in step.parameters:
                hint = nearest(parameter, list(step.parameters), "values are given to keyword-only parameters")
                raise BadStep(f"`{template.label}` has no keyword-only parameter `{parameter}`", where=place, next=hint)
            if not all(map(is_json, values)):
                raise BadStep(
                    f"`map({parameter}=…)` has a value that is no JSON value",
                    where=place,
                    next="use text, numbers, truth values, lists and dicts, and build the rest inside",
                )
        over = {i.parameter: i.producer.node for i in inputs if i.parameter in template.each}
        return MapSpec(name=self._name(found), step=step, over=over, values=declared.values)

    def _step(self, found: Found, consumer: Consumer, inputs: Any) -> StepSpec:
        function = found.value.__wrapped__
        env = found.value.__solvent__.env
        code = self._code(function, env)
        file, _, line = consumer.place.rpartition(":")
        definition = self._definition(function)
        return StepSpec(
            name=consumer.name,
            module=function.__module__,
            qualname=function.__qualname__,
            file=file,
            line=int(line),
            inputs=inputs,
            parameters=self._parameters(function, consumer.place),
            positional_only=tuple(a.arg for a in definition.args.posonlyargs),
            outputs=consumer.outputs,
            several=consumer.several,
            env=env,
            code=code.code,
            whole=code.whole,
            notes=code.doubts,
            distributions=code.distributions,
            native=code.native,
            data=code.data,
            portable=tuple(self.code.carried(code.root)) if code.root else (),
            root=code.root,
            limits=found.value.__solvent__.limits,
        )

    def _code(self, function: Any, env: tuple[str, ...]) -> StepCode:
        """The fingerprint of a step's function; one of an installed component is its distribution's version."""
        path = str(Path(inspect.getfile(sys.modules[function.__module__])).resolve())
        if self.code.finder.is_project(path):
            return self.code.step(function.__module__, path, function.__name__, env)
        return self.code.component(function.__module__, function.__qualname__)

    def _consumer(self, found: Found) -> Consumer:
        function = found.value.__wrapped__
        names = self._names(function.__module__)
        definition = self._definition(function)
        place = f"{self._relative(inspect.getfile(function))}:{definition.lineno}"
        if definition.args.vararg or definition.args.kwarg:
            star = definition.args.vararg or definition.args.kwarg
            raise BadStep(
                f"`{function.__name__}` takes `*{star.arg if star else ''}`, so its inputs have no names",
                where=place,
                next="name each input",
            )
        positional = [*definition.args.posonlyargs, *definition.args.args]
        required = len(positional) - len(definition.args.defaults)
        parameters = tuple((a.arg, names.dotted(a.annotation), i >= required) for i, a in enumerate(positional))
        outputs, several = self._outputs(names, names.dotted(definition.returns))
        bindings = {p: self._ref(producer, place) for p, producer in found.value.__solvent__.bindings.items()}
        return Consumer(self._name(found), found.module.__name__, place, parameters, bindings, outputs, several)

    def _definition(self, function: Any) -> Any:
        names = self._names(function.__module__)
        return names.functions[function.__name__]

    def _outputs(self, names: ModuleNames, annotation: str) -> tuple[tuple[OutputSpec, ...], bool]:
        fields = names.named_tuple(annotation)
        if fields is None:
            shape = resolve(annotation) if "." in annotation and "[" not in annotation else None
            if isinstance(shape, type) and issubclass(shape, tuple) and hasattr(shape, "_fields"):
                fields = self._names(shape.__module__).named_tuple(f"{shape.__module__}.{shape.__name__}")
                fields = fields or dict.fromkeys(shape._fields, "")
        if fields is None:
            return (OutputSpec(name=RESULT, annotation=annotation),), False
        return tuple(OutputSpec(name=n, annotation=a) for n, a in fields.items()), True

    def _parameters(self, function: Any, place: str) -> dict[str, Any]:
        """Keyword-only parameters and their defaults. Raises: BadStep where a default is no JSON value."""
        result = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                continue
            if parameter.default is inspect.Parameter.empty:
                raise BadStep(
                    f"`{function.__name__}` has no default for `{name}`", where=place, next=f"write `{name}=…`"
                )
            if not is_json(parameter.default):
                kind = type(parameter.default).__name__
                raise BadStep(
                    f"the default of `{name}` in `{function.__name__}` is a {kind}, which is no JSON value",
                    where=place,
                    next="use text, numbers, truth values, lists and dicts, and build the rest inside",
                )
            result[name] = parameter.default
        return result

    def _source(self, found: Found) -> SourceSpec:
        declared: Source = found.value
        file, _, line = self._place(declared.place).rpartition(":")
        contract = declared.contract
        path = (
            "" if contract is False else contract if isinstance(contract, str) else f"contracts/{found.variable}.json"
        )
        return SourceSpec(
            name=self._name(found),
            location=declared.location,
            time=declared.time,
            known_at=declared.known_at,
            id=declared.id,
            contract=path,
            file=file,
            line=int(line),
            partitions=declared.partitions,
        )

    def _model(self, found: Found) -> ModelSpec:
        declared: Model = found.value
        place = self._place(declared.place)
        file, _, line = place.rpartition(":")
        producers = {role: self._ref(producer, place) for role, producer in declared.producers.items()}
        for role, producer in declared.producers.items():
            if isinstance(producer, Source) and producer.partitions:
                raise BadDeclaration(
                    f"`{role}` of a model is a source in partitions", where=place, next="take what a step makes of it"
                )
        return ModelSpec(
            name=declared.name or found.variable.replace("_", "-"),
            variable=found.variable,
            file=file,
            line=int(line),
            estimator=producers["estimator"],
            evaluation=producers["evaluation"],
            features=producers["features"],
            **declared.facts,
        )

    def _ref(self, producer: Any, place: str) -> Ref:
        """The output that a declaration stands for. Raises: BadDeclaration."""
        node, output = (producer.step, producer.name) if isinstance(producer, Output) else (producer, None)
        found = next((f for f in self.found if f.value is node), None)
        if found is None:
            raise BadDeclaration(f"{node!r} is used but not assigned to a variable", where=place, next="give it a name")
        name = self._name(found)
        if isinstance(node, Source):
            return Ref(node=name)
        function = (node.__solvent__.step if isinstance(node, Mapped) else node).__wrapped__
        names = self._names(function.__module__)
        outputs, several = self._outputs(names, names.dotted(self._definition(function).returns))
        known = [o.name for o in outputs]
        if several and output not in known:
            raise BadDeclaration(
                f"`{name}` has several outputs, and `{output or name}` is none of them",
                where=place,
                next=f"known: {', '.join(f'{found.variable}.{k}' for k in known)}",
            )
        if not several and output is not None:
            raise BadDeclaration(
                f"`{name}` has one output, not `{output}`", where=place, next=f"write `{found.variable}`"
            )
        return Ref(node=name, output=output or RESULT)

    def _name(self, found: Found) -> str:
        if isinstance(found.value, Step):
            declared = found.value.__solvent__
            at_home = _is_home(found) and not declared.place
            short = declared.name or (found.value.__wrapped__.__name__ if at_home else found.variable)
        else:
            short = found.variable
        return f"{found.module.__name__}.{short}"

    def _names(self, module: str) -> ModuleNames:
        if module not in self.parsed:
            self.parsed[module] = ModuleNames(Path(inspect.getfile(sys.modules[module])), module)
        return self.parsed[module]

    def _place(self, place: str) -> str:
        file, _, line = place.rpartition(":")
        return f"{self._relative(file)}:{line}"

    def _relative(self, file: str) -> str:
        return _relative(Path(file), self.root)


def _named_by(value: Any) -> list[Any]:
    """The steps that a declaration names as what it consumes."""
    if isinstance(value, Step):
        named = list(value.__solvent__.bindings.values())
    elif isinstance(value, Model):
        named = list(value.producers.values())
    else:
        named = []
    return [producer.step if isinstance(producer, Output) else producer for producer in named]


def is_json(value: Any) -> bool:
    """Whether JSON gives the value back exactly."""
    if value is None or isinstance(value, str | bool | int | float):
        return type(value) in (type(None), str, bool, int, float)
    if isinstance(value, list):
        return all(map(is_json, value))
    return isinstance(value, dict) and all(isinstance(k, str) and is_json(v) for k, v in value.items())


def _relative(path: Path, root: Path) -> str:
    path = path.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def search_paths(root: Path) -> list[str]:
    """Folders that a project's modules are imported from, in order; workers use the same."""
    return [str(p) for p in (root, root / "src") if p.is_dir()]


def main() -> None:
    request_file, answer_file = map(Path, sys.argv[1:3])
    request = msgspec.json.decode(request_file.read_bytes(), type=Request)
    root = Path(request.root)
    os.chdir(root)
    sys.path[:0] = search_paths(root)
    import_from_text(root)
    try:
        findings = look(root, request.modules)
    except SolventError as error:
        where = error.where
        file, _, line = where.rpartition(":")
        if file and Path(file).is_absolute():
            where = f"{_relative(Path(file), root)}:{line}"
        findings = Findings(error={"code": error.code, "what": error.what, "where": where, "next": error.next})
    answer_file.write_bytes(msgspec.json.encode(findings))


if __name__ == "__main__":
    main()
