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
from solvent.foundation.errors import SolventError
from solvent.pipeline.agreement import agree, resolve
from solvent.pipeline.annotations import ModuleNames
from solvent.pipeline.declarations import Model, Output, Source, Step
from solvent.pipeline.download import is_url
from solvent.pipeline.errors import BadDeclaration, BadStep, BrokenModule
from solvent.pipeline.fingerprint import CodeMap, Reached, function_digest, step_code
from solvent.pipeline.messages import Findings, Request
from solvent.pipeline.spec import RESULT, ModelSpec, OutputSpec, Ref, SourceSpec, StepSpec
from solvent.pipeline.wiring import Consumer, Producer, producers_by_module, refuse_cycles, refuse_two_producers, wire


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
            if isinstance(value, Step | Source | Model):
                seen.setdefault(id(value), []).append(Found(value, module, variable))
    return [next((f for f in places if _is_home(f)), places[0]) for places in seen.values()]


def _is_home(found: Found) -> bool:
    place = found.value.__solvent__.place if isinstance(found.value, Step) else found.value.place
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
        self.code = CodeMap(root, [root / fixed_part(s.location) for s in sources])
        self.reached: dict[str, Reached] = {}

    def findings(self) -> Findings:
        sources = tuple(self._source(f) for f in self.found if isinstance(f.value, Source))
        steps = self._steps()
        models = tuple(self._model(f) for f in self.found if isinstance(f.value, Model))
        for module in self.modules:
            self._reach(module.__name__)
        files = {p for r in self.reached.values() for p in r.files}
        absent = {p for r in self.reached.values() for p in r.absent}
        return Findings(
            steps=steps,
            sources=sources,
            models=models,
            files=tuple(sorted(map(self.code.name, files))),
            absent=tuple(sorted(map(self.code.name, absent))),
        )

    def _steps(self) -> tuple[StepSpec, ...]:
        found = [f for f in self.found if isinstance(f.value, Step)]
        consumers = [self._consumer(f) for f in found]
        sources = [
            (self._name(f), f.module.__name__, self._place(f.value.place))
            for f in self.found
            if isinstance(f.value, Source)
        ]
        table = producers_by_module(consumers, sources)
        refuse_two_producers(table, consumers)
        known: dict[Ref, Producer] = {p.ref: p for names in table.values() for made in names.values() for p in made}
        inputs = {c.name: wire(c, table, known, agree) for c in consumers}
        refuse_cycles(inputs, {c.name: c.place for c in consumers})
        return tuple(self._step(f, c, inputs[c.name]) for f, c in zip(found, consumers, strict=True))

    def _step(self, found: Found, consumer: Consumer, inputs: Any) -> StepSpec:
        function = found.value.__wrapped__
        reached = self._reach(function.__module__)
        files = {self.code.name(path): digest for path, digest in reached.files.items()}
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
            env=found.value.__solvent__.env,
            code=step_code(function_digest(definition), files),
            files=files,
            notes=reached.notes,
        )

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
        )

    def _model(self, found: Found) -> ModelSpec:
        declared: Model = found.value
        place = self._place(declared.place)
        file, _, line = place.rpartition(":")
        producers = {role: self._ref(producer, place) for role, producer in declared.producers.items()}
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
        if not isinstance(node, Step):
            return Ref(node=name)
        names = self._names(node.__wrapped__.__module__)
        outputs, several = self._outputs(names, names.dotted(self._definition(node.__wrapped__).returns))
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

    def _reach(self, module: str) -> Reached:
        if module not in self.reached:
            path = Path(inspect.getfile(sys.modules[module]))
            inside = self.code.is_project(path)
            self.reached[module] = self.code.reach(module, path) if inside else Reached({}, frozenset(), ())
        return self.reached[module]

    def _place(self, place: str) -> str:
        file, _, line = place.rpartition(":")
        return f"{self._relative(file)}:{line}"

    def _relative(self, file: str) -> str:
        return _relative(Path(file), self.root)


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
