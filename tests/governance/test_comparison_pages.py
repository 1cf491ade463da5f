"""The pages: self-contained, escaped, and no wider than the screen."""

import re
from html import unescape

import numpy as np
import polars as pl

from solvent.data.compare import compare_files, compare_tables
from solvent.governance.comparison.compare import compare_sides
from solvent.governance.comparison.data import DataDiff
from solvent.governance.comparison.datapage import data_page
from solvent.governance.comparison.datatext import render, size
from solvent.governance.comparison.page import comparison_page
from solvent.governance.comparison.sides import Side, StepSide

EVIL = "<script>alert(1)</script>"


def loads_nothing(page):
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)', page)[1])
    assert "default-src 'none'" in policy and "script-src 'none'" in policy
    assert not re.search(r"(src|href)=\"(?!#)", page), "nothing is fetched"
    assert EVIL not in page and "&lt;script&gt;" in page


def table(level, kinds):
    rng = np.random.default_rng(len(kinds))
    return pl.DataFrame({"id": range(1000), "temp": rng.normal(level, 1, 1000), EVIL: rng.choice(kinds, 1000)})


def test_the_page_of_two_tables_shows_what_moved():
    left, right = table(10, ["a", "b"]), table(12, ["a", "b", EVIL]).with_columns(new=1)
    diff = DataDiff(left="a.csv", right=EVIL, equal=False, table=compare_tables(left.lazy(), right.lazy(), key=["id"]))
    page = data_page(diff)
    loads_nothing(page)
    assert page.count("<svg") >= 5, "two distributions and an effect for each column"
    assert "temp: a.csv filled" in page, "a picture has a text alternative"
    assert all(len(line) <= 96 for line in render(diff))


def test_the_page_of_two_folders_lists_files():
    files = compare_files({"a": ("1" * 64, 5), EVIL: ("2" * 64, 5)}, {"a": ("3" * 64, 7), "c": ("2" * 64, 5)})
    page = data_page(DataDiff(left="x", right="y", equal=False, files=files))
    loads_nothing(page)
    assert "7 bytes" in page and "~ changed" in page and "&gt; renamed" in page


def test_the_page_of_runs_draws_metrics_and_curves():
    def side(name, mae, points):
        fit = StepSide(step="pipeline.fit", run="r", metrics={"mae": mae}, parameters={"note": EVIL + name}, code=name)
        return Side(name=name, said=EVIL, kind="run", steps={fit.step: fit}, series={"fit.loss": points})

    curve = [(step, 1 / (step + 1)) for step in range(20)]
    page = comparison_page(compare_sides([side("a", 3.0, curve), side("b", 2.0, [*curve, (20, float("nan"))])]))
    loads_nothing(page)
    assert page.count('class="curve') == 2 and "fit.loss by step, for a, b" in page
    assert page.count('class="bar side') == 2, "one bar a side"


def test_sizes_are_said_in_round_units():
    assert [size(n) for n in (0, 1, 1_500_000)] == ["0 bytes", "1 byte", "1.5 MB"]
