"""The process that repeats the steps: `python -m solvent.governance.reproduction.child ORDER ANSWER`.

It runs in the environment that is to be trusted, in a checkout, with a store of its
own. What it finds it writes to ANSWER; progress goes to stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from solvent.foundation.errors import SolventError
from solvent.foundation.settings import load_settings
from solvent.governance.comparison.sides import versions_of
from solvent.governance.reproduction.code import differing_code, names_in
from solvent.governance.reproduction.judging import Judgement
from solvent.governance.reproduction.model import Order, Outcome, RecordedStep, VersionNote
from solvent.governance.reproduction.rewiring import rewired
from solvent.lineage.entities import Actor
from solvent.pipeline import RunOptions, StepEvent, load_spec, run_pipeline
from solvent.pipeline.changes import reasons_of
from solvent.pipeline.environment import installed_distributions, interpreter
from solvent.pipeline.inspection import search_paths
from solvent.pipeline.spec import StepSpec
from solvent.store import open_store


def carry_out(order: Order) -> Outcome:
    """Repeat the steps and judge what came of each. Raises: the errors of reading and planning a pipeline."""
    root = Path(order.root)
    spec = load_spec(root, load_settings(root))
    sys.path[:0] = search_paths(root)  # a model may be of a class of the project's own
    names = names_in(spec, order.steps)
    spec = rewired(spec, order, names)
    changes = differing_code(root, spec, order.steps, order.documents, names)
    changed = {step: reasons_of(found) for step, found in changes.items()}
    packages, notes, machine = _environment(order.steps)
    steps = {
        name: {k: v for k, v in step.recipe.parameters.items() if k not in node.mapped}
        for step in order.steps
        if isinstance(node := spec.nodes[name := names[step.step]], StepSpec)
    }
    targets = tuple(dict.fromkeys(names.values()))
    options = RunOptions(targets=targets, as_of=order.as_of, since=order.since, parameters=steps)
    state = Path(order.state)
    url = f"sqlite:///{state / 'solvent.db'}"
    with open_store(url, root=state, actor=Actor(kind="process", name="reproduce")) as store:
        run = run_pipeline(root, spec, store, options, _tell)
        judgement = Judgement(order, spec, store, run, names, changed, options, environment=bool(packages or machine))
        verdicts = judgement.all(root)
    return Outcome(steps=verdicts, environment=packages, interpreter=machine, notes=notes)


def _environment(steps: list[RecordedStep]) -> tuple[list[VersionNote], list[str], tuple[str, str] | None]:
    """Distributions that are not what was recorded, remarks, and the interpreters where they differ."""
    present = versions_of(list(installed_distributions()))
    differing: dict[str, VersionNote] = {}
    machines: set[str] = set()
    unknown = [step.step for step in steps if not step.environment]
    for step in steps:
        recorded = versions_of(step.environment.get("distributions", []))
        machines |= {str(step.environment["interpreter"])} if "interpreter" in step.environment else set()
        for name in sorted(recorded.keys() | present.keys()) if recorded else ():
            then, now = recorded.get(name), present.get(name)
            if then != now:
                differing[name] = VersionNote(distribution=name, recorded=then, present=now)
    notes = [f"the environment of {', '.join(unknown)} was not kept"] if unknown else []
    other = sorted(machines - {interpreter()})
    return list(differing.values()), notes, (other[0], interpreter()) if other else None


def _tell(event: StepEvent) -> None:
    if event.state == "running":
        sys.stderr.write(f"  … {event.label} ({event.done + 1} of {event.total})\n")
        sys.stderr.flush()


def main() -> None:
    order = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order)
    try:
        outcome = carry_out(order)
    except SolventError as error:
        outcome = Outcome(error=error.as_json()["error"])
    Path(sys.argv[2]).write_bytes(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
