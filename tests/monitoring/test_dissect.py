"""A rise of the loss is laid to the inputs, to the relation, to the slice that it came from."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from model_lives import Life, reference, rows
from solvent.monitoring.dissect import Dissection, dissect
from solvent.monitoring.frames import canonical
from solvent.monitoring.reference import Reference


@pytest.fixture(scope="module")
def held_to() -> Reference:
    return reference(12)


def found_in(frame: pl.DataFrame, held_to: Reference) -> Dissection:
    return dissect(canonical(frame, held_to.signature), held_to, level=0.9)


def off(frame: pl.DataFrame, where: pl.Expr) -> pl.DataFrame:
    """Labels four times as far from the output where `where` holds."""
    far = pl.col("output") + 4 * (pl.col("label") - pl.col("output"))
    return frame.with_columns(label=pl.when(where).then(far).otherwise(pl.col("label")))


def test_a_relation_that_changed_is_no_matter_of_inputs(held_to: Reference) -> None:
    found = found_in(off(rows(2), pl.lit(True)), held_to)
    assert found.parts is not None and found.parts.concept.lower > 0 and not found.of_inputs
    assert set(found.as_evidence()["parts"]) == {"total", "inputs", "relation", "level", "shared_rows"}


def test_harder_rows_are_laid_to_the_inputs() -> None:
    # in reference and window alike the model errs on category c, which becomes common
    def hard(frame: pl.DataFrame) -> pl.DataFrame:
        return off(frame, pl.col("f_kind") == "c")

    held_to = reference(12, frame=hard(rows(12, first=-12)))
    rng = np.random.default_rng(0)
    often = rows(2).with_columns(f_kind=pl.Series(rng.choice(["a", "b", "c"], p=[0.2, 0.1, 0.7], size=336)))
    found = found_in(hard(often), held_to)
    assert found.of_inputs and found.moved[0] == "kind" and not found.place


def test_the_slice_is_named_in_the_alert(held_to: Reference) -> None:
    assert "kind is b" in found_in(off(rows(3), pl.col("f_kind") == "b"), held_to).place
    life = Life(held_to)
    for week in range(8):
        life.live(week, off(rows(1, first=week), (pl.col("f_kind") == "b") & pl.lit(week >= 2)))
    (alarm,) = [draft for told in life.learned for draft in told.alert_drafts if draft.kind == "performance"]
    assert alarm.cause["kind"] == "concept" and "above all where kind is" in alarm.title
    first, last = alarm.cause["since_interval"]
    assert first <= alarm.cause["since"] <= last and "2024-01" in alarm.cause["since"]


def test_without_labels_in_the_reference_nothing_is_taken_apart() -> None:
    bare = reference(5, frame=rows(5, first=-5).with_columns(label=pl.lit(None, dtype=pl.Float64)))
    assert found_in(rows(1), bare) == Dissection()
    assert found_in(rows(1).head(10), reference(5)) == Dissection()
