"""Models: versions, aliases and their history, packaging, gates.

Turns a fitted estimator into a numbered version (signature, contract, reference),
loads a version from verified bytes, and moves aliases, each move a decision. It
reads and writes through `store`, and knows nothing of pipelines and servers.
"""

from solvent.registry.compare import compare_versions, describe_model, list_models
from solvent.registry.references import CHAMPION, LATEST, require_model, resolve
from solvent.registry.versions import previous_champion, promote, register_version, rollback

# What loads polars and scikit-learn is imported from its own module: `package`, `register`, `signature`.
__all__ = [
    "CHAMPION",
    "LATEST",
    "compare_versions",
    "describe_model",
    "list_models",
    "previous_champion",
    "promote",
    "register_version",
    "require_model",
    "resolve",
    "rollback",
]
