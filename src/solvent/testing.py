"""Assertions about tables, for tests of pipelines and of the data itself.

from solvent.testing import assert_contract, assert_no_drift

def test_this_weeks_rides_are_like_last_years():
    assert_no_drift(pl.read_parquet("2011.parquet"), "week.csv", time="time")
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.data.contracts import Contract
    from solvent.governance.comparison.drift import Comparison

__all__ = ["assert_contract", "assert_no_drift"]


def assert_no_drift(reference: Any, current: Any, **options: Any) -> Comparison:
    """Fail where a column drifted beyond natural variation; `solvent.compare` says what that means.

    reference, current: tables or paths; options: those of `solvent.compare` (time, drop, level, floor_number, …).
    Returns: the comparison, to look further. Raises: AssertionError, which names column, effect and limit.
    """
    from solvent.governance.comparison.drifttext import moved_said, natural_said
    from solvent.governance.comparison.handed import compare

    found = compare(reference, current, **{"joint": False, **options})
    if found.drifted:
        lines = [f"  {moved_said(shift)}" for shift in found.drifted]
        count = f"{len(found.drifted)} of {len(found.columns)} columns drifted"
        raise AssertionError("\n".join([f"{count}:", *lines, f"{natural_said(found.natural)}."]))
    return found


def assert_contract(table: Any, contract: Contract | str | Path | Any) -> None:
    """Fail where a table breaks a contract.

    table: a table or a path; contract: one in hand, the path of its file (`….contract.json`), or a reference table,
        whose contract is inferred. Raises: AssertionError, which names column, what is wrong and what was expected.
    """
    from solvent.data.contracts import Contract, check_contract, infer_contract, read_contract
    from solvent.governance.comparison.drift import flat
    from solvent.governance.comparison.handed import whole_table

    if isinstance(contract, str | Path) and Path(contract).suffix == ".json":
        contract = read_contract(Path(contract))
    held = contract if isinstance(contract, Contract) else infer_contract(flat(whole_table(contract, "reference")))
    broken = check_contract(held, flat(whole_table(table, "current")), role="source")
    if broken:
        lines = [f"  {violation.cause}{_expected(violation.expected)}" for violation in broken]
        count = "1 breach" if len(broken) == 1 else f"{len(broken)} breaches"
        raise AssertionError("\n".join([f"{count} of the contract:", *lines]))


def _expected(expected: Any) -> str:
    """The limit, where the cause's sentence does not hold it: a share of rows."""
    return f" (allowed: {100 * expected:.3g}% of rows)" if isinstance(expected, float) else ""
