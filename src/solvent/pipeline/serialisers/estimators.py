"""scikit-learn estimators and pipelines as skops, without pickle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from solvent.lineage.entities import ArtifactType
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored, outer


class Estimators(Serialiser):
    format = "skops"
    type = ArtifactType.MODEL
    order = 20

    def accepts(self, annotation: str) -> bool:
        return outer(annotation).startswith("sklearn.")

    def holds(self, value: Any) -> bool:
        base = sys.modules.get("sklearn.base")
        return base is not None and isinstance(value, base.BaseEstimator)

    def save(self, value: Any, _scratch: Path) -> Saved:
        from solvent.data.modelfile import content_digest, dump_model

        data = dump_model(value)
        about: dict[str, Any] = {"python": f"{type(value).__module__}.{type(value).__qualname__}"}
        names = getattr(value, "feature_names_in_", None)
        if names is not None:
            about["features"] = [str(name) for name in names]
        return Saved(data, content_digest(data), about)

    def load(self, stored: Stored, _annotation: str) -> Any:
        from solvent.data.modelfile import load_model, untrusted_types

        data = stored.read()
        own: list[str] = []
        if stored.project_modules:
            own = [name for name in untrusted_types(data) if name.partition(".")[0] in stored.project_modules]
        return load_model(data, own)  # the project's own classes run in this process anyway
