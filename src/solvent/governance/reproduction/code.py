"""Whether a revision's code is the code that ran, and which of its steps is which."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from solvent.governance.reproduction.model import RecordedStep
from solvent.pipeline.changes import Change, changed_code
from solvent.pipeline.documents import Document, parse_document, read_document
from solvent.pipeline.plan import step_code
from solvent.pipeline.spec import PipelineSpec, StepSpec


def names_in(spec: PipelineSpec, steps: list[RecordedStep]) -> dict[str, str]:
    """Recorded step → the node that it is in this revision: of its name, or, renamed since, of its code.

    Rows of the prediction log keep their name: the node is made when the pipeline is rewired.
    Raises: UnknownStep.
    """
    names: dict[str, str] = {}
    for step in steps:
        same_code = [s.name for s in spec.steps if step_code(spec, s) == step.recipe.code]
        known = step.given or step.step in spec.nodes
        names[step.step] = step.step if known else same_code[0] if len(same_code) == 1 else spec.node(step.step).name
    return names


def differing_code(
    root: Path,
    spec: PipelineSpec,
    steps: list[RecordedStep],
    documents: Mapping[str, Document],
    names: Mapping[str, str],
) -> dict[str, list[Change]]:
    """Steps whose code is not what was recorded, with what differs. Code that was not kept counts as the same."""
    data = read_document(root, spec.code)
    now = parse_document(data) if data else {}
    found: dict[str, list[Change]] = {}
    for step in steps:
        node = spec.nodes.get(names[step.step])
        if isinstance(node, StepSpec) and step_code(spec, node) != step.recipe.code:
            changes = changed_code(documents.get(step.document, {}), step.step, now, node.name)
            if changes:
                found[step.step] = changes
    return found
