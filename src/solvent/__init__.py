"""Solvent keeps machine-learning systems solvent.

`source`, `step` and `model` declare a pipeline; they are imported on first use,
so that `solvent --version` loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.pipeline.declarations import model, source, step

__version__ = "0.1.0"
__all__ = ["__version__", "model", "source", "step"]


def __getattr__(name: str) -> Any:
    if name in ("model", "source", "step"):
        from solvent.pipeline import declarations

        return getattr(declarations, name)
    raise AttributeError(f"module `solvent` has no attribute `{name}`")
