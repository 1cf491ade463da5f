"""What a user's pipeline file says: `@step`, `source(...)`, `model(...)`.

Nothing here runs anything. A step stays callable like the function that it
wraps; a child process reads the declarations back (`inspection`).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, ParamSpec, TypeAlias, TypeVar, overload

from solvent.foundation.clock import parse_span
from solvent.foundation.errors import UsageError
from solvent.foundation.sizes import parse_size
from solvent.pipeline.errors import BadDeclaration, NotImportable
from solvent.pipeline.spec import Limits

P = ParamSpec("P")
R = TypeVar("R")
TASKS = ("regression", "binary", "multiclass")


class Output:
    """One named output of a step with several, `split.train`, or of all elements of such a step."""

    def __init__(self, step: Step[..., Any] | Mapped, name: str) -> None:
        self.step = step
        self.name = name

    def __repr__(self) -> str:
        return f"{self.step!r}.{self.name}"


class Declared(NamedTuple):
    """What a step was declared with, kept apart so that `split.train` may be any name.

    bindings: parameter → what it consumes. name: given to `bind`. place: `file:line` of a `bind`.
    """

    function: Callable[..., Any]
    env: tuple[str, ...]
    limits: Limits
    bindings: dict[str, Bindable]
    name: str | None
    place: str


class Step(Generic[P, R]):
    """A function that is a node of the pipeline, callable as before.

    Any attribute that is not the function's own is one of its outputs: `split.train`.
    """

    def __init__(self, function: Callable[P, R], declared: Declared) -> None:
        functools.update_wrapper(self, function)
        self.__solvent__ = declared
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.__wrapped__(*args, **kwargs)

    def __getattr__(self, name: str) -> Output:
        if name.startswith("_"):
            raise AttributeError(name)
        return Output(self, name)

    def __reduce__(self) -> str:
        return self.__wrapped__.__qualname__  # a worker imports it by name, like any function

    def __repr__(self) -> str:
        return f"<step {self.__solvent__.name or self.__wrapped__.__name__}>"

    def bind(self, *, name: str | None = None, **inputs: Bindable) -> Step[P, R]:
        """The same function as another step that consumes other producers.

        name: of the new step; the variable that it is assigned to where it is
        left out. inputs: parameter → step, source, or output (`split.train`).
        """
        for parameter, producer in inputs.items():
            if not isinstance(producer, _BINDABLE):
                kind = type(producer).__name__
                raise BadDeclaration(
                    f"`bind({parameter}=…)` of `{self.__wrapped__.__name__}` got a value of type {kind}",
                    where=_caller(),
                    next="bind a step, a source or an output like `split.train`; values are keyword-only parameters",
                )
        old = self.__solvent__
        return Step(self.__wrapped__, old._replace(bindings={**old.bindings, **inputs}, name=name, place=_caller()))

    def map(self, *over: Many, name: str | None = None, **many: Many | Sequence[Any]) -> Mapped:
        """The step once for each of many: partitions of a source, elements of another map, values of a parameter.

        over: a source with `partitions=True`, a mapped step, or one of its outputs where it has
        several (`splits.train`); it goes to the parameter of its name, or to the only one. many:
        the same by parameter, or keyword-only parameter → list of values; several lists are
        combined, each with each. name: of an element in front of its brackets; the function's
        where it is left out. What takes the whole is annotated `list[...]`, `dict[str, ...]` or,
        for tables, as one table.
        """
        place = _caller()
        inputs = {parameter: value for parameter, value in many.items() if isinstance(value, Source | Mapped | Output)}
        values = {parameter: value for parameter, value in many.items() if parameter not in inputs}
        if len(over) + len(inputs) > 1:
            raise BadDeclaration(
                f"`{self.__wrapped__.__name__}` is mapped over several things at once",
                where=place,
                next="map over one, and over values of keyword-only parameters",
            )
        if not over and not many:
            raise BadDeclaration(
                f"`{self.__wrapped__.__name__}.map()` has nothing to map over",
                where=place,
                next="write map(days) or map(learning_rate=[0.05, 0.1])",
            )
        for many_of in (*over, *inputs.values()):
            _refuse_whole(self, many_of, place)
        chosen = {parameter: _values(parameter, value, place) for parameter, value in values.items()}
        return Mapped(Over(self, over[0] if over else None, inputs, chosen, name, place))


class Over(NamedTuple):
    """What a step is mapped over, kept apart so that `splits.values` may be an output.

    over: what goes to a parameter that is still to be found. inputs, values: by parameter. place: `file:line`.
    """

    step: Step[..., Any]
    over: Many | None
    inputs: dict[str, Many]
    values: dict[str, list[Any]]
    name: str | None
    place: str


class Mapped:
    """A step over many. Its attributes are the outputs of all elements, where the step has several."""

    def __init__(self, over: Over) -> None:
        self.__solvent__ = over

    def __getattr__(self, name: str) -> Output:
        if name.startswith("_"):
            raise AttributeError(name)
        return Output(self, name)

    def __repr__(self) -> str:
        return f"<{self.__solvent__.step.__wrapped__.__name__} over many>"


class Source:
    """A dataset from outside: a file, folder, glob or URL."""

    def __init__(
        self,
        location: str,
        time: str | None,
        known_at: str | None,
        id: str | None,
        contract: str | bool | None,
        place: str,
        partitions: bool = False,
    ) -> None:
        self.location = location
        self.partitions = partitions
        self.time = time
        self.known_at = known_at
        self.id = id
        self.contract = contract
        self.place = place

    def __repr__(self) -> str:
        return f"<source {self.location}>"


Many: TypeAlias = Source | Mapped | Output
Bindable: TypeAlias = Step[..., Any] | Source | Output | Mapped
_BINDABLE = (Step, Source, Output, Mapped)


class Model:
    """What serving, contracts, ticks and gates hang on."""

    def __init__(self, place: str, name: str | None, producers: dict[str, Any], facts: dict[str, Any]) -> None:
        self.place = place
        self.name = name
        self.producers = producers
        self.facts = facts

    def __repr__(self) -> str:
        return f"<model {self.name or '?'}>"


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    env: Sequence[str] = (),
    retries: int = 0,
    backoff: str = "1s",
    timeout: str | None = None,
    memory: str | None = None,
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(
    function: Callable[P, R] | None = None,
    /,
    *,
    env: Sequence[str] = (),
    retries: int = 0,
    backoff: str = "1s",
    timeout: str | None = None,
    memory: str | None = None,
) -> Step[P, R] | Callable[[Callable[P, R]], Step[P, R]]:
    """Make a function a step. Positional parameters are its inputs, keyword-only ones its configuration.

    env: names of environment variables that the function reads; a changed value
    makes the step run again. retries: further attempts where the function raises, its
    process dies or runs out of time. backoff: pause before the first of them (`30s`),
    twice as long before each other. timeout: the longest that an attempt may take (`10m`).
    memory: what it needs (`4GB`); steps run at once as far as their needs fit together.
    Raises: NotImportable for a lambda, a nested function, or one of `__main__` or a notebook.
    """
    if isinstance(env, str):
        raise BadDeclaration(f'`env="{env}"` is one string', where=_caller(), next=f'write env=["{env}"]')
    limits = _limits(retries, backoff, timeout, memory)

    def declare(function: Callable[P, R]) -> Step[P, R]:
        _refuse_unimportable(function)
        return Step(function, Declared(function, tuple(env), limits, {}, None, ""))

    return declare if function is None else declare(function)


def _limits(retries: int, backoff: str, timeout: str | None, memory: str | None) -> Limits:
    """Raises: BadDeclaration, naming the argument."""
    if not isinstance(retries, int) or isinstance(retries, bool) or retries < 0:
        raise BadDeclaration(f"`retries={retries!r}` is no number of attempts", where=_caller(), next="write retries=2")
    try:
        return Limits(
            retries=retries,
            backoff=parse_span(backoff).total_seconds(),
            timeout=None if timeout is None else parse_span(timeout).total_seconds(),
            memory=None if memory is None else parse_size(memory),
        )
    except UsageError as error:
        raise BadDeclaration(error.what, where=_caller(), next=error.next) from None


def source(
    location: str | Path,
    *,
    time: str | None = None,
    known_at: str | None = None,
    id: str | None = None,
    contract: str | bool | None = None,
    partitions: bool = False,
) -> Source:
    """Declare a dataset: a file, folder, glob or URL, relative to the project's root.

    time: column with the time of a row. known_at: column that says since when the
    row, label included, could have been known; a run as of an instant sees no
    later row. id: column that names a row. contract: path of its contract file
    (default `contracts/<name>.json`), or False for none. partitions: each file is a
    dataset of its own, so that a step mapped over them runs only for new and changed ones.
    """
    if partitions and "://" in str(location):
        raise BadDeclaration(
            f"`{location}` is one file, so it has no partitions",
            where=_caller(),
            next="partitions are files of a folder",
        )
    return Source(str(location), time, known_at, id, contract, _caller(), partitions)


def model(
    *,
    estimator: Bindable,
    evaluation: Bindable,
    features: Bindable,
    task: str,
    target: str,
    metric: str,
    time: str,
    id: str | None = None,
    name: str | None = None,
) -> Model:
    """Declare a model: which step fits it, on what it is evaluated, and what it predicts.

    evaluation: the table that the estimator did not see. features: the table that
    the split starts from; a retraining extends it with logged predictions and their
    outcomes. task: regression, binary or multiclass. target, time, id: columns.
    name: the variable's, with hyphens, where it is left out.
    """
    place = _caller()
    if task not in TASKS:
        raise BadDeclaration(f"unknown task `{task}`", where=place, next=f"known: {', '.join(TASKS)}")
    producers = {"estimator": estimator, "evaluation": evaluation, "features": features}
    for role, producer in producers.items():
        if not isinstance(producer, Step | Source | Output):
            hint = "take what one step makes of all elements" if isinstance(producer, Mapped) else ""
            raise BadDeclaration(f"`{role}` of a model is no step, source or output", where=place, next=hint)
    facts = {"task": task, "target": target, "metric": metric, "time": time, "id": id}
    return Model(place, name, producers, facts)


def _refuse_whole(step: Step[..., Any], over: Many, place: str) -> None:
    """Raises: BadDeclaration where there is nothing to go through one by one."""
    if isinstance(over, Output) and not isinstance(over.step, Mapped):
        raise BadDeclaration(
            f"{over!r} is one value, so there is nothing to map over", where=place, next="map over an output of a map"
        )
    if not isinstance(over, Source | Mapped | Output):
        kind = type(over).__name__
        raise BadDeclaration(
            f"`{step.__wrapped__.__name__}` cannot be mapped over a {kind}",
            where=place,
            next="map over a source with partitions=True, a mapped step, or name=[values]",
        )
    if isinstance(over, Source) and not over.partitions:
        raise BadDeclaration(
            f"the source `{over.location}` is one dataset, so there is nothing to map over",
            where=place,
            next="declare it with partitions=True to take its files one by one",
        )


def _values(parameter: str, values: Any, place: str) -> list[Any]:
    """The values that a parameter takes in turn. Raises: BadDeclaration."""
    if not isinstance(values, list | tuple | range) or not values:
        raise BadDeclaration(
            f"`map({parameter}={values!r})` is no list of values", where=place, next=f"write map({parameter}=[...])"
        )
    twice = [value for place_, value in enumerate(values) if value in values[:place_]]
    if twice:
        raise BadDeclaration(f"`map({parameter}=…)` has {twice[0]!r} twice", where=place, next="name each value once")
    return list(values)


def _refuse_unimportable(function: Callable[..., Any]) -> None:
    code = getattr(function, "__code__", None)
    place = f"{code.co_filename}:{code.co_firstlineno}" if code else ""
    if code is None:
        raise NotImportable(f"`{function!r}` is no function, so it cannot be a step", where=place, next="write a `def`")
    if function.__name__ == "<lambda>":
        raise NotImportable(
            "a lambda cannot be a step: a worker process could not import it",
            where=place,
            next="write it as a function with `def`",
        )
    if "<locals>" in function.__qualname__ or "." in function.__qualname__:
        raise NotImportable(
            f"`{function.__qualname__}` is not at the top level of its module, so a worker process could not import it",
            where=place,
            next="move it to the top level",
        )
    if function.__module__ == "__main__":
        raise NotImportable(
            f"`{function.__name__}` belongs to `__main__` or a notebook, which a worker process cannot import",
            where=place,
            next="put it into pipeline.py and start it with `solvent run`",
        )


def _caller() -> str:
    """File and line of the nearest frame outside this module."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
