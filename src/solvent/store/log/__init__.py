"""The prediction log: appended by servers, sealed to Parquet, read lazily, bounded by retention.

It never goes through the database while a request waits: rows are checksummed
frames in one file per process, kind and model (`docs/reference/format.md`).
Only sealing, reading and retention import polars; appending stays light.
"""

from solvent.store.log.commit import AsyncLog
from solvent.store.log.errors import BadBatch, CorruptFrame, NewerLog, NotLogged
from solvent.store.log.prediction_log import Durability, PredictionLog

__all__ = ["AsyncLog", "BadBatch", "CorruptFrame", "Durability", "NewerLog", "NotLogged", "PredictionLog"]
