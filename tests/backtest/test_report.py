"""The page of a backtest: self-contained, true to what was found, readable at every width."""

import json
import re
from html.parser import HTMLParser

import msgspec
import numpy as np
import polars as pl
import pytest

from backtest.small_tables import sales
from fixtures_browser import CONTRAST, press
from solvent.backtest.document import document
from solvent.backtest.options import Options
from solvent.backtest.report.page import render_html, write_page
from solvent.backtest.run import backtest
from solvent.foundation.errors import UsageError

WIDTHS = [(1240, False), (1240, True), (390, False), (390, True)]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A table whose inputs move, whose relation moves, and which a quote in a name cannot break."""
    path = tmp_path_factory.mktemp("table") / "moving.parquet"
    rng, row = np.random.default_rng(3), pl.int_range(pl.len())
    frame = sales(2400, drift=3.0).with_columns(
        pl.when(row > 1500).then(pl.col("size") + 3).otherwise("size").alias("size"),
        pl.Series('<b>"odd" & co', rng.normal(0, 1, 2400)),
    )
    frame.write_parquet(path)
    asked = Options(path=path, time="time", target="units", windows=8, windows_given=True, prices=(0.1, 1.0))
    return backtest(asked, lambda _: None)


@pytest.fixture(scope="module")
def page(found, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(found, path)
    return path


class Well(HTMLParser):
    """Every element that is opened is closed, and in order; identifiers are unique."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids = [], []
        self.feed(text)
        assert self.open == [] and len(set(self.ids)) == len(self.ids)

    def handle_starttag(self, name, attributes):
        self.ids += [value for key, value in attributes if key == "id"]
        self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.ids += [value for key, value in attributes if key == "id"]

    def handle_endtag(self, name):
        assert self.open.pop() == name


def test_it_is_one_page_that_asks_nothing_of_anyone(page):
    text = page.read_text("utf-8")
    Well(text)
    assert "http:" not in text and "https:" not in text and "src=" not in text
    assert not any("nan" in drawn for drawn in re.findall(r' d="[^"]*"', text))
    assert "<b>&quot;odd" not in text and "&lt;b&gt;&quot;odd&quot; &amp; co" in text


def test_it_says_what_the_document_says(found, page):
    text, told = page.read_text("utf-8"), document(found)
    for card in ("life", "advice", "warnings", "labels", "drift", "ageing", "forecasts", "policies", "prices"):
        assert f'id="{card}"' in text, card
    pictures = [json.loads(one) for one in re.findall(r'<script type="application/json">(.*?)</script>', text)]
    assert len(pictures[0]["texts"]) == len(told["windows"])
    for one in pictures:
        assert len(one["points"]["wide"]) == len(one["points"]["narrow"]) == len(one["texts"])
    assert len(pictures[3]["texts"]) == sum(one["realised"] is not None for one in told["forecast"]) + 3
    assert all(policy["name"] in text for policy in told["policies"])


def test_the_same_backtest_gives_the_same_page(found):
    still = msgspec.structs.replace(found, seconds=1.0)
    assert render_html(still) == render_html(msgspec.structs.replace(found, seconds=1.0))


def test_few_windows_and_one_price_are_drawn_too(tmp_path):
    sales(700).with_columns(units=pl.col("units") > 30).write_parquet(tmp_path / "few.parquet")
    asked = Options(
        path=tmp_path / "few.parquet", time="time", target="units", windows=4, windows_given=True, prices=(0.1,)
    )
    few = backtest(asked, lambda _: None)
    Well(render_html(few))
    assert 'id="prices"' not in render_html(few)


def test_a_page_that_cannot_be_written_is_an_error(found, tmp_path):
    with pytest.raises(UsageError, match="cannot write"):
        write_page(found, tmp_path)


@pytest.mark.parametrize(("width", "dark"), WIDTHS)
def test_text_can_be_read_and_nothing_scrolls_sideways(browser, pictures, page, width, dark):
    browser.open(page, pictures.Picture("p", width, 900, dark=dark, scale=1))
    browser.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(CONTRAST) == []


def test_pointer_and_keys_tell_each_pictures_figures(browser, pictures, page):
    browser.open(page, pictures.Picture("p", 1240, 900, scale=1))
    cards = browser.evaluate("[...document.querySelectorAll('.life')].map((card) => card.id)")
    assert cards == ["life", "drift", "ageing", "forecasts", "prices"]
    for card in cards:
        browser.evaluate(f"document.querySelector('#{card} .plot').focus()")
        press(browser, "End")
        told = browser.evaluate(f"document.querySelector('#{card} .readout').textContent")
        assert " · " in told and not told.startswith("Point"), card
