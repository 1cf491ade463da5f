"""Garbage collection: which bytes no kept fact needs, and taking them away beside everyone who works.

`survey` only looks; `collect` takes away what a survey found. Facts stay whatever goes.
May read and delete blobs of the store that it is handed; docs/reference/format.md states
what it relies on.
"""

from solvent.data.collection.collecting import Collected, collect
from solvent.data.collection.surveying import Survey, survey

__all__ = ["Collected", "Survey", "collect", "survey"]
