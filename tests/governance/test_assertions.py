"""Assertions about tables: they pass where nothing happened, and name column, effect and limit where something did."""

import re

import numpy as np
import polars as pl
import pytest

from solvent.data.contracts import infer_contract, write_contract
from solvent.testing import assert_contract, assert_no_drift


def table(rows, seed, temp=15.0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"temp": rng.normal(temp, 5, rows), "kind": rng.choice(["a", "b"], rows)})


def test_like_tables_pass_and_give_back_the_comparison():
    found = assert_no_drift(table(2000, 1), table(500, 2))
    assert found.fine and found.joint is None


def test_drift_names_column_effect_and_limit():
    wanted = (
        r"1 of 2 columns drifted:\n  temp by (1\.0|0\.9\d) sd \(natural variation: up to 0\.\d+\)\n"
        r"No time column: rows are taken as exchangeable"
    )
    with pytest.raises(AssertionError, match=wanted):
        assert_no_drift(table(2000, 1), table(500, 2, temp=20).to_pandas())
    assert_no_drift(table(2000, 1), table(500, 2, temp=20), floor_number=2.0)


@pytest.mark.parametrize("held", ["table", "contract", "file"])
def test_a_contract_is_kept_or_named(tmp_path, held):
    reference = table(2000, 1)
    contract = infer_contract(reference)
    write_contract(contract, tmp_path / "rides.contract.json")
    given = {"table": reference, "contract": contract, "file": tmp_path / "rides.contract.json"}[held]
    assert_contract(table(500, 2), given)
    broken = table(500, 2).with_columns(temp=pl.col("temp") + 5000, kind=pl.lit(None, dtype=pl.String))
    with pytest.raises(AssertionError) as caught:
        assert_contract(broken, given)
    said = str(caught.value)
    assert said.startswith("2 breaches of the contract:\n  temp is outside ")
    assert re.search(r"in 100% of rows, e\.g\. 50\d\d", said)
    assert "kind is missing in 100% of rows (reference 0%) (allowed: 10% of rows)" in said


def test_a_column_of_structs_is_no_breach():
    frame = pl.DataFrame({"n": range(500), "about": [{"k": 1}] * 500})
    assert_contract(frame.tail(100), frame)
