"""Tables of the log: ids found among ids."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from solvent.store.log.tables import places_of

ids = st.lists(st.text("abc", max_size=3), max_size=60)


@given(ids, st.sets(st.text("abc", max_size=3), max_size=40).map(sorted).flatmap(st.permutations), st.booleans())
def test_places_are_those_of_a_join(wanted: list[str], known: list[str], crowded: bool) -> None:
    left = pl.Series("id", wanted, dtype=pl.String)
    right = pl.Series("id", known, dtype=pl.String)
    joined = left.to_frame().join(right.to_frame().with_row_index("place"), on="id", how="left", maintain_order="left")
    places = places_of(left, right, bits=62 if crowded else None)  # four hashes for all texts
    assert places.to_list() == joined["place"].to_list()
