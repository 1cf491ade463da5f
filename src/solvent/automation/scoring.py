"""What a model version or a shadow would have said about rows that somebody else answered."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from solvent.automation.rows import features_of
from solvent.lineage.digests import Digest
from solvent.registry.frames import fit_table
from solvent.registry.package import predict_table
from solvent.registry.signature import Signature

if TYPE_CHECKING:
    from solvent.store import Store

KEPT_ESTIMATORS = 256  # about a megabyte each; reading one back takes a tenth of a second


class Scorer:
    """Loads estimators by digest, verified, keeps the most recently used, and answers log rows with them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._estimators: OrderedDict[Digest, Any] = OrderedDict()
        self._hidden: dict[tuple[str, int], set[str]] = {}

    def outputs(self, artifact: Digest, signature: Signature, rows: pl.DataFrame) -> NDArray[np.float64]:
        """shape (n,): the value, or the probability of the positive class, for each log row.

        Raises: Corrupt, Missing, and the model file's refusal of an unlisted type.
        """
        if rows.is_empty():
            return np.empty(0)
        table = fit_table(features_of(rows), signature.schema())
        return predict_table(self._estimator(artifact), signature, table).output

    def hidden_by(self, model: str, versions: pl.Series) -> set[str]:
        """Features that any of these versions does without, so that only some callers may have given them."""
        found: set[str] = set()
        for number in versions.unique().to_list():
            if (model, number) not in self._hidden:
                version = self._store.facts.version(model, number)
                hidden = Signature.of(version.signature).hidden if version else []
                self._hidden[model, number] = {column.name for column in hidden}
            found |= self._hidden[model, number]
        return found

    def _estimator(self, artifact: Digest) -> Any:
        from solvent.data.modelfile import load_model

        if artifact not in self._estimators:
            self._estimators[artifact] = load_model(self._store.objects.read(artifact))
            while len(self._estimators) > KEPT_ESTIMATORS:
                self._estimators.popitem(last=False)
        self._estimators.move_to_end(artifact)
        return self._estimators[artifact]
