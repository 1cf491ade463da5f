"""Solvent keeps machine-learning systems solvent.

`source`, `step` and `model` declare a pipeline, `compare` says what drifted between
two tables; they are imported on first use, so that `solvent --version` loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.governance.comparison.handed import compare
    from solvent.pipeline.declarations import model, source, step

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "model", "source", "step"]


def __getattr__(name: str) -> Any:
    if name in ("model", "source", "step"):
        from solvent.pipeline import declarations

        return getattr(declarations, name)
    if name == "compare":
        from solvent.governance.comparison import handed

        return handed.compare
    raise AttributeError(f"module `solvent` has no attribute `{name}`")
