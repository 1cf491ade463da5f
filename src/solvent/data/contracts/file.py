"""A contract as a file: JSON with one column per paragraph, for review in git."""

from __future__ import annotations

from pathlib import Path

import msgspec

from solvent.data.contracts.model import Contract
from solvent.foundation.errors import UsageError


class BadContract(UsageError):
    code = "bad-contract"


def write_contract(contract: Contract, path: Path) -> None:
    """Write the contract as indented JSON; the folder must exist."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(contract), indent=2) + b"\n")


def read_contract(path: Path) -> Contract:
    """Read a contract that `write_contract` wrote and a person may have edited.

    Raises: BadContract, no JSON or not a contract, naming the place inside the file.
    """
    return load_contract(path.read_bytes(), where=str(path))


def load_contract(data: bytes, *, where: str = "contract") -> Contract:
    """A contract from its JSON; `where` names it in the error.

    Raises: BadContract.
    """
    try:
        return msgspec.json.decode(data, type=Contract)
    except msgspec.DecodeError as error:
        raise BadContract(str(error), where=where, next="remove the file to infer it anew") from error
