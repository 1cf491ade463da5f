"""The loop: one idempotent tick = measure → alert → decide → act, and what a person may ask of it.

Composes the rooms below: monitoring measures, its policy proposes, the registry's
gate judges, the pipeline trains. All state lies in the store; the clock is handed
in. It reads and writes through `project.store` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.automation.report import ModelTick, TickReport
    from solvent.automation.tick import tick

__all__ = ["ModelTick", "TickReport", "tick"]


def __getattr__(name: str) -> Any:
    """Import on use: the command line names this room before it needs polars."""
    if name == "tick":
        from solvent.automation.tick import tick

        return tick
    if name in {"ModelTick", "TickReport"}:
        from solvent.automation import report

        return getattr(report, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
