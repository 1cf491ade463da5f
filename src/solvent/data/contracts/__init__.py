"""Contracts: inferred from a reference table, kept as a readable file, checked on every window and request.

A *violation* says that the data is broken, and by what; a *flag* marks one
served row; neither is a test for drift. Clean data of another season, or of a
business that grew, breaks no contract.
"""

from solvent.data.contracts.check import check_contract
from solvent.data.contracts.file import BadContract, load_contract, read_contract, write_contract
from solvent.data.contracts.infer import infer_contract
from solvent.data.contracts.model import ColumnContract, ColumnType, Contract, Role, Severity, Violation
from solvent.data.contracts.rows import RowCheck, RowChecker, RowError, check_rows

__all__ = [
    "BadContract",
    "ColumnContract",
    "ColumnType",
    "Contract",
    "Role",
    "RowCheck",
    "RowChecker",
    "RowError",
    "Severity",
    "Violation",
    "check_contract",
    "check_rows",
    "infer_contract",
    "load_contract",
    "read_contract",
    "write_contract",
]
