"""NumPy arrays as `.npy`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from solvent.lineage.digests import digest_of
from solvent.lineage.entities import ArtifactType
from solvent.pipeline.errors import Unserialisable
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored, outer


class Arrays(Serialiser):
    format = "npy"
    type = ArtifactType.DATASET
    order = 25

    def accepts(self, annotation: str) -> bool:
        return outer(annotation) in ("numpy.ndarray", "numpy.typing.NDArray", "numpy.typing.ArrayLike")

    def holds(self, value: Any) -> bool:
        numpy = sys.modules.get("numpy")
        return numpy is not None and type(value) is numpy.ndarray and not value.dtype.hasobject

    def save(self, value: Any, _scratch: Path) -> Saved:
        import numpy as np

        if value.dtype.hasobject:
            raise Unserialisable("an array of Python objects cannot be kept", next="give it a numeric or text type")
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(value), allow_pickle=False)
        data = buffer.getvalue()
        return Saved(data, digest_of(data), {"shape": list(value.shape), "dtype": str(value.dtype)})

    def load(self, stored: Stored, _annotation: str) -> Any:
        import numpy as np

        return np.load(io.BytesIO(stored.read()), allow_pickle=False)
