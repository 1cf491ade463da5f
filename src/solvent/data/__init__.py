"""Data: what a table is held to, and how a model's file is read and written.

Contracts say whether data is *broken*, rather than drifting: they are inferred
from a reference, reviewed as a file, and enforced on tables and on requests.
May use `store`, `lineage`, `statistics` and `foundation`; knows no model, no
schedule and no server.
"""
