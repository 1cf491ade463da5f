"""Columns that are worked on side by side."""

from __future__ import annotations

import pytest

from solvent.data.threads import LARGE, each_column


@pytest.mark.parametrize("rows", [1, LARGE])
def test_answers_come_in_order_and_errors_come_through(rows: int) -> None:
    assert each_column(lambda column: column**2, range(50), rows=rows) == [at**2 for at in range(50)]
    assert each_column(str, [], rows=rows) == []
    with pytest.raises(ZeroDivisionError):
        each_column(lambda column: 1 / column, [2, 1, 0], rows=rows)
