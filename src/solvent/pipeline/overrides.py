"""`step.parameter=value` as people type it, by the type that the step's signature gives the parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from solvent.foundation.errors import nearest
from solvent.pipeline.errors import BadParameter
from solvent.pipeline.spec import PipelineSpec, StepSpec

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse_overrides(spec: PipelineSpec, texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Step → parameter → value. Raises: UnknownStep, BadParameter."""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, parameter, value = _parts(text)
        many = spec.elements(name)
        step = spec.step(many[0] if many else name)
        found.setdefault(name, {})[parameter] = _typed(step, name, parameter, value)
    return found


def _parts(text: str) -> tuple[str, str, str]:
    """`fit[rate=0.1].seed=3` in three; what stands in the brackets of an element belongs to its name."""
    start = text.find("]") + 1 if "[" in text.partition("=")[0] else 0
    end = text.find("=", start)
    step, _, parameter = text[: max(end, 0)].rpartition(".")
    if not step or not parameter:
        raise BadParameter(f"`{text}` sets nothing", next="write step.parameter=value, as in fit.seed=3")
    return step, parameter, text[end + 1 :]


def _typed(step: StepSpec, name: str, parameter: str, text: str) -> Any:
    if parameter not in step.parameters:
        raise BadParameter(
            f"`{name}` has no keyword-only parameter `{parameter}`",
            next=nearest(parameter, list(step.parameters), f"it has: {', '.join(step.parameters) or 'none'}"),
        )
    default = step.parameters[parameter]
    try:
        if isinstance(default, bool):
            return _TRUTH[text.lower()]
        if isinstance(default, int | float):
            return float(text) if isinstance(default, float) else msgspec.json.decode(text, type=int | float)
        return text if isinstance(default, str) else _value(text, default)
    except (KeyError, ValueError):
        kind = type(default).__name__
        raise BadParameter(f"`{parameter}` of `{name}` is a {kind}, and `{text}` is none") from None


def _value(text: str, default: Any) -> Any:
    """JSON for a list or dict; where the default is None, text that is no JSON stays text."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        if default is None:
            return text
        raise
    if default is not None and type(value) is not type(default):
        raise ValueError(text)
    return value
