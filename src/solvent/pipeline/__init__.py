"""Plain Python functions as a versioned, cached, parallel pipeline: declare, fingerprint, plan, execute.

Planning is pure; user code is imported only in child processes (`inspection`,
`worker`). It may use `data`, `store`, `lineage` and `foundation`, and it knows
no SQL. The names below are imported on first use, so that `status` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.pipeline.discover import load_spec
    from solvent.pipeline.execute import run_pipeline
    from solvent.pipeline.options import Logged, PipelineRun, RunOptions, StepEvent, StepOutput, StepResult
    from solvent.pipeline.plan import Plan, PlannedStep
    from solvent.pipeline.planning import plan_pipeline
    from solvent.pipeline.spec import PipelineSpec
    from solvent.pipeline.workers import WorkerPool

_HOMES = {
    "Logged": "options",
    "PipelineRun": "options",
    "PipelineSpec": "spec",
    "Plan": "plan",
    "PlannedStep": "plan",
    "RunOptions": "options",
    "StepEvent": "options",
    "StepOutput": "options",
    "StepResult": "options",
    "WorkerPool": "workers",
    "load_spec": "discover",
    "plan_pipeline": "planning",
    "run_pipeline": "execute",
}
__all__ = [
    "Logged", "PipelineRun", "PipelineSpec", "Plan", "PlannedStep", "RunOptions", "StepEvent", "StepOutput",
    "StepResult", "WorkerPool", "load_spec", "plan_pipeline", "run_pipeline",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"solvent.pipeline.{_HOMES[name]}"), name)
    raise AttributeError(f"module `solvent.pipeline` has no attribute `{name}`")
